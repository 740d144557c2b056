#include "tests/engine/core/random_run.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <vector>

#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"

namespace warpbook::engine {
namespace {

constexpr size_t kCompareEvery = 50;
// The engine goes on as what it was restored to from its snapshot.
constexpr size_t kRestoreEvery = 400;

char g_where[128];
int g_where_length = 0;

void NameSeed(int) {
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, g_where, static_cast<size_t>(g_where_length));
}

void Count(std::span<const std::byte> events, RandomRunCounts& counts) {
  for (const wire::RecordView event : wire::Records(events)) {
    ++counts.events[event.type()];
    if (event.type() == wire::RecordType::kCommandRejected) {
      ++counts.refusals[event.as<wire::CommandRejected>().reason()];
    }
    if (event.type() == wire::RecordType::kCreditsMoved &&
        event.as<wire::CreditsMoved>().source() == static_cast<uint8_t>(CreditBucket::kClearing)) {
      const auto to = static_cast<CreditBucket>(event.as<wire::CreditsMoved>().destination());
      ++(to == CreditBucket::kFree ? counts.gains_paid : counts.losses_carried);
    }
    if (event.type() == wire::RecordType::kOrderCancelled) {
      ++counts.cancels[event.as<wire::OrderCancelled>().reason()];
    }
  }
}

}  // namespace

std::string RunRandomSeed(uint64_t seed, size_t commands, RandomRunCounts& counts) {
  std::signal(SIGABRT, NameSeed);
  RandomMarket market(seed);
  Differential differential(market.limits());
  std::vector<wire::CommandRecord> applied;
  for (size_t i = 0; i < commands; ++i) {
    g_where_length = std::snprintf(g_where, sizeof g_where, "in seed %llu, command %zu\n",
                                   static_cast<unsigned long long>(seed), i + 1);
    applied.push_back(market.Next(differential.reference()));
    auto difference = differential.Apply(applied.back());
    if (!difference && (i % kCompareEvery == 0 || i + 1 == commands)) {
      difference = differential.Compare();
    }
    if (!difference && i % kRestoreEvery == kRestoreEvery / 2) difference = differential.Restore();
    if (difference) {
      return "seed " + std::to_string(seed) + ", command " + std::to_string(i + 1) +
             ", shortened:\n" + ShortenedScenario(market.limits(), applied);
    }
    Count(differential.events(), counts);
  }
  return "";
}

}  // namespace warpbook::engine
