// resting_bench: how fast the engine is when a million orders rest, in one book and in all books
// that can be open at once, against the same mix of commands on a small book in the same run.
// Rounds of the three alternate. All checks are on: 10,000 accounts, limits, three tiers.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tests/bench/resting_market.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

struct Options {
  uint32_t orders = 1'000'000;
  uint32_t small_orders = 1'000;
  uint32_t instruments = kAllInstruments;
  uint32_t commands = 200'000;
  uint32_t seed = 1;
  int repeat = 5;
  bool json = false;
  RingShape ring;
};

struct Contestant {
  uint32_t orders = 0;
  uint32_t books = 0;
  FlowCommands commands;
  std::unique_ptr<engine::Engine> engine;
  std::vector<double> rates;
};

Contestant MakeContestant(uint32_t orders, uint32_t books, const Options& options) {
  MarketSize size = kFullMarket;
  size.instruments = books;
  Contestant contestant{orders, books, {}, nullptr, {}};
  // One round more, to warm up.
  contestant.commands = RestingMarket(size, orders, options.seed)
                            .Make(size_t{options.commands} * (1 + options.repeat));
  contestant.engine = MakeEngine(contestant.commands);
  contestant.commands.setup = {};
  return contestant;
}

void Print(const Contestant& contestant, const Contestant& small, const Options& options) {
  const Spread rates = SpreadOf(contestant.rates);
  const Spread ratios = SpreadOfRatios(contestant.rates, small.rates);
  if (options.json) {
    std::printf(
        "{\"resting_orders\":%u,\"books\":%u,\"messages_per_s\":%.0f,\"per_small_book\":%.3f}\n",
        contestant.orders, contestant.books, rates.median, ratios.median);
  } else {
    std::printf("%8u resting orders in %4u %-6s %6.2f (%.2f..%.2f) M/s  per small book %.3f\n",
                contestant.orders, contestant.books, contestant.books == 1 ? "book" : "books",
                rates.median / 1e6, rates.min / 1e6, rates.max / 1e6, ratios.median);
  }
}

int Run(int argc, char** argv) {
  KeepMemory();
  Options options;
  CLI::App app("The engine with a million resting orders");
  app.add_option("--orders", options.orders, "That rest in the large markets")
      ->check(CLI::Range(1'000u, 3'000'000u))
      ->capture_default_str();
  app.add_option("--small-orders", options.small_orders, "That rest in the small book")
      ->check(CLI::Range(100u, 1'000'000u))
      ->capture_default_str();
  app.add_option("--instruments", options.instruments, "Books of the second large market")
      ->check(CLI::Range(1u, kAllInstruments))
      ->capture_default_str();
  app.add_option("--commands", options.commands, "Of a round")
      ->check(CLI::Range(1u, 1'000'000u))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of orders and commands")->capture_default_str();
  app.add_flag("--cpu-time", options.ring.one_thread,
               "One thread, whose events nobody reads, and its CPU time: for a machine that is "
               "busy");
  app.add_flag("--json", options.json, "JSON, a line for each market");
  CLI11_PARSE(app, argc, argv);

  std::vector<Contestant> contestants;
  contestants.push_back(MakeContestant(options.small_orders, 1, options));
  contestants.push_back(MakeContestant(options.orders, 1, options));
  contestants.push_back(MakeContestant(options.orders, options.instruments, options));
  for (int round = 0; round <= options.repeat; ++round) {
    for (Contestant& contestant : contestants) {
      const std::span<const wire::CommandRecord> all = contestant.commands.flow;
      const double rate = TimeCommands(
          *contestant.engine, all.subspan(size_t{options.commands} * round, options.commands),
          options.ring);
      if (round > 0) contestant.rates.push_back(rate);
    }
  }
  for (const Contestant& contestant : contestants) {
    Print(contestant, contestants.front(), options);
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
