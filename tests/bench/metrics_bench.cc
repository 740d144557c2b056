// metrics_bench: what counting costs the matching. The public order flow goes through a port and
// the sequencer, batch by batch, and each batch to a committer whose log keeps nothing; with
// metrics and without, in alternating rounds whose ratio is reported. The two threads of a running
// engine are one here, so that nothing hides behind waiting: `matching` is the sequencer's part,
// `committing` the journal thread's without its disk.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/service/committer.h"
#include "engine/service/engine_metrics.h"
#include "engine/service/sequencer.h"
#include "schema/base/check.h"
#include "schema/metrics/metrics.h"
#include "tests/bench/flow_market.h"
#include "tests/bench/order_flow.h"
#include "tests/bench/statistics.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

// Of this thread: what else runs on the machine counts less than by the wall's clock.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

struct Options {
  std::string scenario = "normal";
  uint32_t count = 500'000;
  int pairs = 20;
  bool full = false;
};

// How many commands a gateway hands over at once, and after how many the metrics are told: once a
// second, in a running engine.
constexpr size_t kSubmittedAtOnce = 64;
constexpr size_t kCommandsPerReport = 1'000'000;

class NoLog final : public journal::LogAppender {
 public:
  absl::Status Append(const journal::BatchToWrite&) override { return absl::OkStatus(); }
  absl::Status WriteIdleMarker() override { return absl::OkStatus(); }
  bool needs_idle_marker() const override { return false; }
};

struct Seconds {
  double matching = 0, committing = 0;
};

Seconds RunFlow(const FlowResult& flow, bool with_metrics) {
  const std::unique_ptr<engine::Engine> engine = MakeEngine(flow.commands);
  engine::EngineService::Options options;
  options.limits = flow.commands.limits;
  Metrics metrics;
  std::optional<engine::EngineMetrics> counted;
  if (with_metrics) counted.emplace(metrics, options.service_limits);
  engine::EngineMetrics* const told = with_metrics ? &*counted : nullptr;
  const auto port = std::make_shared<engine::PortState>(options.service_limits,
                                                        std::make_shared<engine::Wakeup>());
  ManualClock clock(0);  // the market's time: that of the last command
  engine::Sequencer sequencer({*engine, clock, options, {port}, {}, told});
  engine::Committer committer(std::make_unique<NoLog>(), {}, told);

  Seconds seconds;
  const std::span<const wire::CommandRecord> commands(flow.commands.flow);
  size_t next_report = kCommandsPerReport;
  double begin = CpuSeconds();
  for (size_t at = 0; at < commands.size(); at += kSubmittedAtOnce) {
    const auto some = commands.subspan(at, std::min(kSubmittedAtOnce, commands.size() - at));
    clock.Set(some.back().view().command_header().time_us());
    WARPBOOK_CHECK(port->TrySubmit(some) == some.size());
    WARPBOOK_CHECK(sequencer.Gather());
    if (at >= next_report) {
      sequencer.Report();
      next_report += kCommandsPerReport;
    }
    if (!sequencer.batch_is_full() && at + some.size() < commands.size()) continue;
    engine::DurableBatch batch = sequencer.TakeBatch();
    const double matched = CpuSeconds();
    seconds.matching += matched - begin;
    WARPBOOK_CHECK(committer.Commit(std::move(batch)).ok());
    begin = CpuSeconds();
    seconds.committing += begin - matched;
  }
  return seconds;
}

void Print(const char* what, const std::vector<double>& with, const std::vector<double>& without,
           size_t commands) {
  const Spread ratio = SpreadOfRatios(with, without);
  const auto per_s = [&](const std::vector<double>& seconds) {
    return static_cast<double>(commands) / SpreadOf(seconds).median / 1e6;
  };
  std::printf("%-11s with %6.2f, without %6.2f million commands/s; takes %.3f (%.3f..%.3f) times\n",
              what, per_s(with), per_s(without), ratio.median, ratio.min, ratio.max);
}

void Run(const Options& options) {
  const OrderFlowScenario* const scenario = FindOrderFlowScenario(options.scenario);
  WARPBOOK_CHECK(scenario != nullptr);
  const FlowResult flow = PlayOrderFlow(MakeOrderFlow(*scenario, kPublishedSeed, options.count),
                                        options.full ? kFullMarket : kBareMarket);
  std::vector<double> matching[2], committing[2], all[2];
  RunFlow(flow, true);  // warms the memory and does not count
  for (int pair = 0; pair < options.pairs; ++pair) {
    for (const bool second : {false, true}) {
      const bool with = second != (pair % 2 == 0);  // who goes first alternates
      const Seconds seconds = RunFlow(flow, with);
      matching[with].push_back(seconds.matching);
      committing[with].push_back(seconds.committing);
      all[with].push_back(seconds.matching + seconds.committing);
    }
    std::fprintf(stderr, "\r%d of %d pairs", pair + 1, options.pairs);
  }
  std::fprintf(stderr, "\n");
  const size_t commands = flow.commands.flow.size();
  Print("matching", matching[true], matching[false], commands);
  Print("committing", committing[true], committing[false], commands);
  Print("both", all[true], all[false], commands);
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) {
  warpbook::bench::KeepMemory();
  warpbook::bench::Options options;
  CLI::App app("What metrics cost the matching");
  app.add_option("--scenario", options.scenario, "Of the public order flow")->capture_default_str();
  app.add_option("--count", options.count, "New orders")->capture_default_str();
  app.add_option("--pairs", options.pairs, "Rounds with, and as many without")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  app.add_flag("--full", options.full, "10,000 accounts, limits, three tiers");
  CLI11_PARSE(app, argc, argv);
  warpbook::bench::Run(options);
  return 0;
}
