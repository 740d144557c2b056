// A whole exchange for gateway_bench: engine and journal in a directory, a gateway on ports of its
// own, and members with money, whose connections are logged on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/service/engine_service.h"
#include "gateway/net/server.h"
#include "schema/base/crypto.h"
#include "tests/bench/load_client.h"

namespace warpbook::bench {

// Nothing is scarce: for what is measured is not to be refused.
gateway::GatewayLimits AmpleLimits();

class GatewayMarket {
 public:
  GatewayMarket(const std::string& directory, const std::string& catalogue_file, size_t members,
                const gateway::GatewayLimits& limits = AmpleLimits());
  ~GatewayMarket();

  uint16_t port() const { return server_->port(); }
  // A port to the engine besides the gateway's; once.
  std::unique_ptr<engine::EnginePort> TakePort() { return std::move(spare_port_); }

  // Logs connection i on as member i, for all of them.
  void Logon(LoadClient& client) const;
  void Logon(LoadClient& client, size_t connection, size_t member) const;
  // A session.logon that answers the challenge.
  std::string LogonText(size_t member, const std::string& challenge) const;

  size_t members() const { return keys_.size(); }
  // The window in which the members trade.
  const std::string& symbol() const { return symbol_; }
  uint32_t instrument() const { return instrument_; }
  // Prices of bids that nobody trades with: the band's lowest, and so many ticks above it.
  int64_t price(int ticks) const { return band_low_ + ticks * tick_; }
  std::string price_text(int ticks) const;

 private:
  // Opens the members' accounts and gives them money, through a port of its own.
  void Fund(engine::EnginePort& port, const Catalogue& catalogue, size_t members);

  const Ed25519PrivateKey operator_key_, settlement_key_;
  std::unique_ptr<engine::EngineService> service_;
  std::unique_ptr<engine::EnginePort> spare_port_;
  std::unique_ptr<gateway::GatewayServer> server_;
  std::vector<Ed25519PrivateKey> keys_;
  std::vector<AccountId> accounts_;
  std::string symbol_;
  uint32_t instrument_ = 0;
  int64_t tick_ = 0, band_low_ = 0;
};

// Orders of the members: each connection places one that rests and cancels it, in turn.
class OrderMessages {
 public:
  OrderMessages(const GatewayMarket& market, size_t connections);

  std::string_view Next(size_t connection);
  // Counts what was refused.
  void OnAnswer(std::string_view text);
  uint64_t refused() const { return refused_; }
  const std::string& a_refusal() const { return a_refusal_; }

 private:
  static constexpr int kPrices = 32;
  const GatewayMarket& market_;
  std::vector<std::string> heads_;  // of an order.place, by price
  std::vector<uint64_t> sent_;      // by connection
  std::string text_;
  uint64_t refused_ = 0;
  std::string a_refusal_;
};

}  // namespace warpbook::bench
