// RestingMarket: a market with many resting orders, and a mix of commands that leaves it as full:
// place, cancel, amend to fewer GPUs, amend to another price, fill. From one seed, always the same
// commands. It plays them to an engine of its own, which says what became of the orders.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "engine/core/engine.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/market.h"

namespace warpbook::bench {

inline constexpr int64_t kMidTicks = 500;  // $2.50

// How many levels each side of a book has where so many orders rest in it.
uint32_t LevelsFor(uint32_t orders_per_book);
// An order that rests: one of the side's levels, 2 to 20 GPUs.
wire::PlaceOrder RestingOrder(const Market& market, uint32_t number, uint32_t instrument, bool ask,
                              uint32_t levels, std::mt19937& random);

class RestingMarket {
 public:
  RestingMarket(const MarketSize& size, uint32_t orders, uint32_t seed);

  // The setup places the orders; the flow is the mix, of `count` commands.
  FlowCommands Make(size_t count);

 private:
  struct Live {
    uint64_t id = 0;  // the engine's
    uint64_t account = 0;
    int32_t filled = 0, remaining = 0;
    bool ask = false;
  };

  template <typename Command>
  wire::CommandRecord Apply(Command& command);
  void OnEvent(const wire::CommandRecord& command, wire::RecordView event);
  void Took(uint64_t order_id, int32_t gpus);
  void Forget(uint64_t order_id);
  wire::CommandRecord Place(bool fills);
  wire::CommandRecord Cancel();
  wire::CommandRecord Amend(bool price);
  wire::CommandRecord Next();
  uint32_t Random(uint32_t count) { return static_cast<uint32_t>(random_() % count); }

  Market market_;
  const uint32_t orders_;
  const uint32_t levels_;
  std::mt19937 random_;
  engine::Engine engine_;
  wire::RecordWriter events_;  // of the last command
  int64_t time_us_;
  uint32_t number_ = 0;  // of the last order
  std::vector<Live> live_;
  std::vector<uint32_t> places_;  // in live_, by the engine's id
};

}  // namespace warpbook::bench
