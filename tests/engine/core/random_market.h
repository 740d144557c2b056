// RandomMarket: seeded random commands for a small, busy market: few accounts, prices close
// together, windows of minutes, so that orders meet, limits bind and everything expires. It looks
// at the reference to choose ids that exist (mostly). The same seed gives the same commands.
#pragma once

#include <cstdint>
#include <random>

#include "engine/core/engine.h"
#include "tests/engine/core/reference_market.h"

namespace warpbook::engine {

class RandomMarket {
 public:
  explicit RandomMarket(uint64_t seed);

  // The limits of this seed's engine: small in most seeds, so that each is reached.
  const EngineLimits& limits() const { return limits_; }
  // The next command; sequence not stamped.
  wire::CommandRecord Next(const reference::ReferenceMarket& market);

 private:
  // [0, bound)
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  int64_t Between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(Below(static_cast<uint64_t>(high - low + 1)));
  }
  bool Chance(int percent) { return Below(100) < static_cast<uint64_t>(percent); }
  template <typename T>
  const T* Pick(const std::vector<T>& from) {
    return from.empty() ? nullptr : &from[Below(from.size())];
  }

  wire::CommandRecord Choose(const reference::ReferenceMarket& market);
  wire::CommandRecord Place(const reference::ReferenceMarket& market);
  void Resell(const reference::ReferenceMarket& market, wire::PlaceOrder& c);
  wire::CommandRecord Amend(const reference::ReferenceMarket& market);
  wire::CommandRecord Cancel(const reference::ReferenceMarket& market);
  wire::CommandRecord CancelAll(const reference::ReferenceMarket& market);
  wire::CommandRecord Withdraw(const reference::ReferenceMarket& market);
  wire::CommandRecord SetGuard(const reference::ReferenceMarket& market);
  wire::CommandRecord OpenInstrument(const reference::ReferenceMarket& market);
  wire::CommandRecord Operate(const reference::ReferenceMarket& market);
  wire::CommandRecord OpenAccountOrNode(const reference::ReferenceMarket& market);
  wire::CommandRecord RevokeKey(const reference::ReferenceMarket& market);
  wire::CommandRecord LeaseMessage(const reference::ReferenceMarket& market);
  wire::CommandRecord Request(const reference::ReferenceMarket& market);
  template <typename Command>
  wire::CommandRecord RequestTokens(const reference::ReferenceMarket& market);
  wire::CommandRecord Decide(const reference::ReferenceMarket& market);
  wire::CommandRecord Settle(const reference::ReferenceMarket& market,
                             const reference::Lease& lease);
  wire::CommandRecord Probe(const reference::ReferenceMarket& market);
  wire::CommandRecord Judge(const reference::ReferenceMarket& market,
                            const reference::Lease& lease);
  wire::CommandRecord PayDeferred(const reference::ReferenceMarket& market);
  wire::CommandRecord Close(const reference::ReferenceMarket& market);
  const reference::Instrument* PickInstrument(const reference::ReferenceMarket& market);
  uint64_t PickNode(const reference::ReferenceMarket& market, uint64_t account, uint16_t class_id);
  wire::CommandHeader From(uint64_t account);
  uint64_t Member(const reference::ReferenceMarket& market);
  uint64_t AccountOf(const reference::ReferenceMarket& market, AccountKind kind);
  reference::Bytes32 ClientId();
  // Overwrites a few bytes of the command's body with anything.
  void Garble(wire::CommandRecord& command);

  std::mt19937_64 random_;
  EngineLimits limits_;
  int64_t time_;
  uint64_t tags_ = 0, keys_ = 0;
  // The seed's taste.
  int members_ = 0, garble_per_mille_ = 0;
  int64_t price_levels_ = 0, gpus_max_ = 0, bond_ = 0;
  bool huge_ = false;  // amounts near the ends of their ranges
};

}  // namespace warpbook::engine
