// OperatorDesk: the demo's operator, on the admin listener: keeps the token's price alive and does
// what members ask for (deposits, limits, capacity). The loop's thread owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/cli/demo/context.h"
#include "gateway/cli/demo/reconnecting_client.h"
#include "schema/base/crypto.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

class OperatorDesk {
 public:
  using ReplyHandler = std::function<void(const Reply&)>;

  OperatorDesk(DemoContext& context, AccountId account, Ed25519PrivateKey key);

  void Start();
  void Stop();
  bool is_open() const { return is_open_; }

  // What members ask for. While the desk is closed nothing happens: ask again later. `done` is not
  // called when the connection is lost first.
  void Deposit(AccountId account, int64_t tok, const ReplyHandler& done);
  void Verify(OwnerId owner, const ReplyHandler& done);
  void SetLimit(AccountId account, int64_t usd, const ReplyHandler& done);
  void SetCapacity(NodeId node, int64_t gpus, std::string_view assurance, const ReplyHandler& done);

 private:
  void LogOn();
  void SetPrices();
  void SetPricesLater();
  void Call(std::string_view method, const std::string& params, const ReplyHandler& done);

  DemoContext& context_;
  const AccountId account_;
  const std::shared_ptr<const Ed25519PrivateKey> key_;
  ReconnectingClient client_;
  bool is_open_ = false;
  bool is_running_ = false;
  double token_price_ = 2.0;  // USD
  int64_t deposits_ = 0;
};

}  // namespace warpbook::gateway
