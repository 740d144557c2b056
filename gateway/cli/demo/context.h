// What all parts of the demo market share. Everything here belongs to the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "gateway/cli/demo/market_clock.h"
#include "gateway/cli/demo/markets.h"
#include "gateway/cli/demo/options.h"
#include "gateway/cli/demo/stats.h"
#include "gateway/client/client_loop.h"

namespace warpbook::gateway {

class OperatorDesk;

struct DemoContext {
  const DemoOptions& options;
  ClientLoop& loop;
  std::string run;  // begins this run's client order ids, unlike those of other runs
  std::mt19937_64 random;
  Stats stats;
  MarketClock clock;
  Markets markets;
  OperatorDesk* desk = nullptr;
  // Orders are placed while this is set; deliveries go on until the end.
  bool is_placing = true;
  // What makes going on useless (the operator's key is not the exchange's); the first one counts.
  absl::Status failure;

  void Fail(const absl::Status& status) {
    if (failure.ok()) failure = status;
  }
  // A number from 0 up to 1.
  double Chance() { return std::uniform_real_distribution<double>(0, 1)(random); }
  // A whole number from low to high, both included.
  int64_t Number(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }
};

}  // namespace warpbook::gateway
