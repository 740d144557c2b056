// The market in which the benchmarks trade: accounts, money, nodes and windows, as commands for a
// fresh engine. Nothing in it is scarce, so that nobody is refused, but everything is checked.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/engine.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/timestamp.h"
#include "schema/wire/record.h"

namespace warpbook::bench {

inline constexpr int64_t kTick = 5'000;  // micro-USD: the public flow's $0.005
inline constexpr int64_t kStart =
    1'700'000'000'000'000 / kMicrosPerMinute * kMicrosPerMinute;  // the setup's time, usually
// The first window's start after the setup.
inline constexpr int64_t kWindowDelay = 365 * 24 * 60 * kMicrosPerMinute;
inline constexpr int64_t kWindowStart = kStart + kWindowDelay;
inline constexpr int64_t kWindowMicros = 60 * kMicrosPerMinute;

// All windows that may be open at once: 13 classes, 3 regions, a week of hours.
inline constexpr uint32_t kClasses = 13;
inline constexpr uint32_t kRegions = 3;
inline constexpr uint32_t kWindowsLive = 168;
inline constexpr uint32_t kAllInstruments = kClasses * kRegions * kWindowsLive;

struct MarketSize {
  uint32_t buyers = 1;
  uint32_t providers = 1;
  bool tiers = false;    // nodes of all three assurances; bids of all three tiers, at random
  bool limited = false;  // the engine's default limits, else none to speak of
  uint32_t instruments = 1;
  int64_t band_ticks = 262'144;  // prices from one tick up to $1,310.72; kBandTicksMax at most
  int64_t start_us = kStart;     // of the setup; a whole minute
};
inline constexpr int64_t kBandTicksMax = kMaxPrice.value() / kTick;
// Two accounts without limits, one tier; and all checks on.
inline constexpr MarketSize kBareMarket;
inline constexpr MarketSize kFullMarket{
    .buyers = 5'000, .providers = 5'000, .tiers = true, .limited = true};

// Spreads numbered orders over `count` members, evenly and always alike.
uint32_t Scatter(uint32_t number, uint32_t count);

class Market {
 public:
  explicit Market(const MarketSize& size);

  const MarketSize& size() const { return size_; }
  engine::EngineLimits limits() const;
  // Stamped, from sequence 1 on, at the size's start. Instruments have the ids 1, 2, ...
  std::vector<wire::CommandRecord> SetUp();
  // Opens instrument i (from 0, in order of their windows; a window's classes and regions
  // together). Not stamped.
  wire::OpenInstrument OpenCommand(uint32_t instrument) const;

  // Which instrument an order is for.
  uint32_t InstrumentOf(uint32_t order) const {
    return 1 + Scatter(~order * 0x85ebca6b, size_.instruments);
  }
  // A bid and an ask of 1 GPU and more, good till cancelled, by the member whom the order's number
  // gives.
  wire::PlaceOrder Bid(uint32_t order, uint32_t instrument, int64_t price, int32_t gpus) const;
  wire::PlaceOrder Ask(uint32_t order, uint32_t instrument, int64_t price, int32_t gpus) const;

 private:
  uint64_t BuyerAccount(uint32_t index) const;
  uint64_t ProviderAccount(uint32_t index) const;

  void AddSystemKey(uint64_t account, AccountKind kind);
  void Fund(uint32_t buyer);
  void Bond(uint32_t provider);
  void AddNode(uint32_t index);
  template <typename Command>
  void Add(Command& command, uint64_t account);

  const MarketSize size_;
  const uint32_t pairs_;  // of class and region: instrument i and node i are of pair i % pairs_
  const uint32_t node_count_;  // enough that no ask lacks capacity
  std::vector<wire::CommandRecord> commands_;
};

}  // namespace warpbook::bench
