// order_flow_bench: how many messages per second the engine takes of the public order flow, on one
// core, with a second one that reads every event; and what handing over the same events costs
// without any matching. Three kinds of rounds alternate: the bare market (two accounts, no limits,
// one tier), the full one (10,000 accounts, limits, three tiers), and handoff_only (the bare
// market's events, made before). With --rate it measures latencies instead.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/base/crypto.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/order_flow.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

struct Options {
  std::string scenario = "all";
  uint32_t seed = kPublishedSeed;
  uint32_t count = kPublishedCount;
  uint32_t instruments = 1;
  int repeat = 5;
  bool bare = false;
  bool full = false;
  bool json = false;
  std::vector<int64_t> rates;
  RingShape ring;
  std::string write_reports;
};
// A million orders take about 1.5 GB: commands and events are made before they are timed.
constexpr uint32_t kCountMax = 10'000'000;

// One market with the flow in it.
struct PlayedMarket {
  std::string_view name;
  FlowResult flow;
  std::string sha256;  // of its reports
  std::vector<double> rates;
};

std::string Hex(const Sha256Digest& digest) {
  std::string text;
  for (const uint8_t byte : digest) absl::StrAppend(&text, absl::Hex(byte, absl::kZeroPad2));
  return text;
}

// The first is the one whose events are handed over.
std::vector<PlayedMarket> PlayMarkets(const OrderFlowScenario& scenario, const Options& options) {
  const std::vector<FlowMessage> messages = MakeOrderFlow(scenario, options.seed, options.count);
  std::vector<PlayedMarket> markets;
  for (const bool full : {false, true}) {
    if (full ? options.bare : options.full) continue;
    MarketSize size = full ? kFullMarket : kBareMarket;
    size.instruments = options.instruments;
    PlayedMarket market{full ? "full" : "bare", PlayOrderFlow(messages, size), {}, {}};
    const std::string reports = std::exchange(market.flow.reports, {});
    market.sha256 = Hex(Sha256(std::as_bytes(std::span(reports))));
    if (!options.write_reports.empty()) {
      std::ofstream(absl::StrCat(options.write_reports, ".", std::string(market.name), ".",
                                 std::string(scenario.name)))
          << reports;
    }
    markets.push_back(std::move(market));
  }
  return markets;
}

// Whether there is a published hash for a market; and if so, whether it is this one.
bool IsPublished(const PlayedMarket& market, const Options& options) {
  return market.name == "bare" && options.seed == kPublishedSeed &&
         options.count == kPublishedCount && options.instruments == 1;
}

bool PrintReportHashes(const OrderFlowScenario& scenario, const std::vector<PlayedMarket>& markets,
                       const Options& options) {
  bool as_published = true;
  for (const PlayedMarket& market : markets) {
    const bool published = IsPublished(market, options);
    const bool same = market.sha256 == scenario.published;
    as_published = as_published && (!published || same);
    if (options.json) continue;
    std::printf("             %s reports %s%s\n", std::string(market.name).c_str(),
                market.sha256.c_str(),
                !published ? ""
                : same     ? ", as published"
                           : ", DIFFERS FROM THE PUBLISHED ONE");
  }
  return as_published;
}

std::string InMillions(const Spread& rates) {
  char text[64];
  std::snprintf(text, sizeof text, "%6.2f (%.2f..%.2f)", rates.median / 1e6, rates.min / 1e6,
                rates.max / 1e6);
  return text;
}

// ---- Messages per second ----

void PrintRates(const OrderFlowScenario& scenario, const std::vector<PlayedMarket>& markets,
                const std::vector<double>& handoff, double event_bytes, const Options& options) {
  const std::string name(scenario.name);
  std::string line, json;
  for (const PlayedMarket& market : markets) {
    const Spread rates = SpreadOf(market.rates);
    const double ratio = SpreadOfRatios(market.rates, handoff).median;
    absl::StrAppend(&line, std::string(market.name), " ", InMillions(rates), "  ");
    const auto key = [&](std::string_view what) {
      return absl::StrCat("\"", std::string(market.name), "_", std::string(what), "\":");
    };
    absl::StrAppend(&json, key("per_s"), std::llround(rates.median), ",", key("per_handoff_only"),
                    ratio, ",", key("sha256"), "\"", market.sha256, "\",");
  }
  const double ratio = SpreadOfRatios(markets.front().rates, handoff).median;
  const double full_to_bare = SpreadOfRatios(markets.back().rates, markets.front().rates).median;
  if (options.json) {
    std::printf(
        "{\"scenario\":\"%s\",\"seed\":%u,\"count\":%u,\"instruments\":%u,\"messages\":%zu,"
        "\"trades\":%lu,%s\"full_to_bare\":%.3f,\"handoff_only_per_s\":%.0f,"
        "\"event_bytes_per_message\":%.1f}\n",
        name.c_str(), options.seed, options.count, options.instruments,
        markets.front().flow.commands.flow.size(), markets.front().flow.trades, json.c_str(),
        full_to_bare, SpreadOf(handoff).median, event_bytes);
    return;
  }
  std::printf("%-12s %shandoff_only %s  %s/handoff_only %.3f", name.c_str(), line.c_str(),
              InMillions(SpreadOf(handoff)).c_str(), std::string(markets.front().name).c_str(),
              ratio);
  if (markets.size() > 1) std::printf("  full/bare %.3f", full_to_bare);
  std::printf("  %.0f bytes/message\n", event_bytes);
}

void MeasureRates(const OrderFlowScenario& scenario, std::vector<PlayedMarket>& markets,
                  const Options& options) {
  const KeptEvents events = KeepEvents(markets.front().flow.commands);
  std::vector<double> handoff;
  // The first round warms the memory and does not count.
  for (int round = -1; round < options.repeat; ++round) {
    const double rate = TimeHandOff(events, options.ring);
    if (round >= 0) handoff.push_back(rate);
    for (PlayedMarket& market : markets) {
      const double engine_rate = TimeFlow(market.flow, options.ring);
      if (round >= 0) market.rates.push_back(engine_rate);
    }
  }
  PrintRates(scenario, markets, handoff,
             static_cast<double>(events.bytes.size()) / static_cast<double>(events.ends.size()),
             options);
}

// ---- Latency ----

void MeasureLatencies(const OrderFlowScenario& scenario, const std::vector<PlayedMarket>& markets,
                      const Options& options) {
  const std::string name(scenario.name);
  for (const PlayedMarket& market : markets) {
    for (const int64_t rate : options.rates) {
      const OpenLoop loop = TimeOpenLoop(market.flow, rate, options.ring);
      std::printf(
          options.json
              ? "{\"scenario\":\"%s\",\"market\":\"%s\",\"commands_per_s\":%ld,\"service_ns\":"
                "[%ld,%ld,%ld],\"response_ns\":[%ld,%ld,%ld]}\n"
              : "%-12s %s %9ld commands/s  service ns p50 %4ld p99 %5ld p99.9 %6ld  response ns "
                "p50 %4ld p99 %6ld p99.9 %8ld\n",
          name.c_str(), std::string(market.name).c_str(), rate, loop.service.p50, loop.service.p99,
          loop.service.p999, loop.response.p50, loop.response.p99, loop.response.p999);
    }
  }
}

// ---- The command line ----

// False where a published hash is not met.
bool RunScenario(const OrderFlowScenario& scenario, const Options& options) {
  std::vector<PlayedMarket> markets = PlayMarkets(scenario, options);
  if (options.rates.empty()) {
    MeasureRates(scenario, markets, options);
  } else {
    MeasureLatencies(scenario, markets, options);
  }
  const bool as_published = PrintReportHashes(scenario, markets, options);
  std::fflush(stdout);
  return as_published;
}

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("--scenario", options.scenario,
                 "static, normal, swing-25, swing-40, flash-crash or all")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the flow")->capture_default_str();
  app.add_option("--count", options.count, "New orders; about 1.5 GB of memory for each million")
      ->check(CLI::Range(1u, kCountMax))
      ->capture_default_str();
  app.add_option("--instruments", options.instruments, "Spread the flow over so many books")
      ->check(CLI::Range(1u, kAllInstruments))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds of each kind")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  auto* bare = app.add_flag("--bare", options.bare, "The bare market only");
  app.add_flag("--full", options.full, "The full market only")->excludes(bare);
  app.add_option("--rate", options.rates,
                 "Instead: latencies at so many commands per second, in an open loop; 1,000,000 "
                 "where no number follows")
      ->check(CLI::Range(1, 1'000'000'000))
      ->expected(0, 16);
  app.add_option("--ring-slots", options.ring.slots, "Batches under way at once, a power of two")
      ->check(CLI::IsMember({2, 4, 8, 16, 32, 64, 128, 256}))
      ->capture_default_str();
  app.add_option("--ring-batch-bytes", options.ring.batch_bytes, "Of one batch")
      ->check(CLI::Range(64, 1 << 20))
      ->capture_default_str();
  app.add_flag("--cpu-time", options.ring.one_thread,
               "One thread, whose events nobody reads, and its CPU time: to compare engines on a "
               "machine that is busy");
  app.add_option("--write-reports", options.write_reports,
                 "Write the canonical reports to FILE.market.scenario");
  app.add_flag("--json", options.json, "JSON, a line for each measurement");
}

int Run(int argc, char** argv) {
  KeepMemory();
  Options options;
  CLI::App app("The engine on the public order flow of arXiv 2606.01183");
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  if (options.rates == std::vector<int64_t>{0}) options.rates = {1'000'000};  // no number follows
  if (options.scenario != "all" && FindOrderFlowScenario(options.scenario) == nullptr) {
    std::fprintf(stderr, "order_flow_bench: no scenario is called %s\n", options.scenario.c_str());
    return EXIT_FAILURE;
  }
  if (!options.json) {
    if (options.rates.empty()) {
      std::printf("M messages/s: median of %d alternating rounds (min..max)\n", options.repeat);
    } else {
      std::printf("Reading the clock costs %ld ns, which each service time holds once\n",
                  ClockCost());
    }
  }
  bool as_published = true;
  for (const OrderFlowScenario& scenario : OrderFlowScenarios()) {
    if (options.scenario == "all" || options.scenario == scenario.name) {
      as_published = RunScenario(scenario, options) && as_published;
    }
  }
  return as_published ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
