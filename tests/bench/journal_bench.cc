// The journal against the least that it could cost on the same disk; see --help. Everything is
// measured by turns with its baseline, and a ratio is the median of the rounds' ratios.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "schema/base/check.h"
#include "tests/bench/account_timing.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/journal_timing.h"
#include "tests/bench/raw_log.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

constexpr int64_t kSyncMicros = 1'000;  // of the delayed disk
constexpr int64_t kRequestsPerSecond = 500;
constexpr double kMebibyte = 1 << 20;

struct Options {
  std::vector<std::string> parts;
  std::string directory = ".";
  std::string scenario = "normal";
  bool bare = false;
  uint32_t count = 500'000;
  int repeat = 7;
  uint64_t segment_mib = 64;
  int batches = 256;
  size_t replies = 1'000;
  uint64_t account_mib = 1'024;
};

std::string Text(const Spread& spread, double unit, int decimals) {
  char text[80];
  std::snprintf(text, sizeof text, "%.*f (%.*f..%.*f)", decimals, spread.median / unit, decimals,
                spread.min / unit, decimals, spread.max / unit);
  return text;
}

// ---- Batches ----

double TimeRawLog(RawLog& log, const PageBuffer& batch, int batches) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < batches; ++i) log.Append(batch.bytes());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  return static_cast<double>(batch.bytes().size()) * batches / taken.count();
}

void MeasureBatches(const Options& options) {
  for (const size_t kibibytes : {4, 64, 1'024}) {
    const size_t size = kibibytes << 10;
    const BenchDirectory directory(options.directory);
    const PageBuffer batch(size);
    const uint64_t file_size = uint64_t{64} << 20;
    RawLog plain(directory / "plain", file_size, false);
    RawLog direct(directory / "direct", file_size, true);
    LogAppends log(directory / "journal", size, options.segment_mib << 20);
    std::vector<double> plain_rates, direct_rates, log_rates;
    // The first round warms everything and does not count.
    for (int round = -1; round < options.repeat; ++round) {
      const double plain_rate = TimeRawLog(plain, batch, options.batches);
      const double log_rate = log.Time(options.batches);
      const double direct_rate = TimeRawLog(direct, batch, options.batches);
      if (round < 0) continue;
      plain_rates.push_back(plain_rate);
      log_rates.push_back(log_rate);
      direct_rates.push_back(direct_rate);
    }
    std::printf(
        "batches of %4zu KiB, MiB/s: log %s  plain write and sync %s  with O_DIRECT %s  "
        "log/plain %s  direct/plain %s\n",
        kibibytes, Text(SpreadOf(log_rates), kMebibyte, 1).c_str(),
        Text(SpreadOf(plain_rates), kMebibyte, 1).c_str(),
        Text(SpreadOf(direct_rates), kMebibyte, 1).c_str(),
        Text(SpreadOfRatios(log_rates, plain_rates), 1, 3).c_str(),
        Text(SpreadOfRatios(direct_rates, plain_rates), 1, 3).c_str());
    std::fflush(stdout);
  }
}

// ---- The running engine ----

// The flow in a market that began yesterday: the service's clock is the machine's, and neither may
// the flow be ahead of it nor its windows have passed.
FlowResult PlayRecentFlow(const Options& options) {
  MarketSize size = options.bare ? kBareMarket : kFullMarket;
  size.start_us = YesterdayMicros();
  return PlayOrderFlow(
      MakeOrderFlow(*FindOrderFlowScenario(options.scenario), kPublishedSeed, options.count), size);
}

void MeasureService(const FlowResult& flow, const Options& options) {
  const std::unique_ptr<FileSystem> delayed = MakeDelayedFileSystem(kSyncMicros);
  std::vector<double> rates, batch_sizes;
  for (int round = -1; round < options.repeat; ++round) {
    const BenchDirectory directory(options.directory);
    FlowService service(flow.commands, directory / "journal", *delayed);
    const double rate = service.TimeFlow(flow);
    if (round < 0) continue;
    rates.push_back(rate);
    batch_sizes.push_back(static_cast<double>(flow.commands.flow.size()) /
                          static_cast<double>(service.batches()));
  }
  std::printf("running engine, syncs of 1 ms, flow %s: %s k commands/s, %.0f in a batch\n",
              options.scenario.c_str(), Text(SpreadOf(rates), 1e3, 0).c_str(),
              SpreadOf(batch_sizes).median);
  std::fflush(stdout);
}

void MeasureReplies(const FlowResult& flow, const Options& options) {
  const BenchDirectory directory(options.directory);
  FlowService service(flow.commands, directory / "journal", PosixFileSystem());
  std::vector<double> p50, p99, raw_p50, raw_p99;
  for (int round = -1; round < options.repeat; ++round) {
    const size_t first = static_cast<size_t>(round + 1) * options.replies;
    const Percentiles raw = TimeRawReplies(directory.path(), options.replies, kRequestsPerSecond);
    const Percentiles replies = service.TimeReplies(first, options.replies, kRequestsPerSecond);
    if (round < 0) continue;
    p50.push_back(static_cast<double>(replies.p50));
    p99.push_back(static_cast<double>(replies.p99));
    raw_p50.push_back(static_cast<double>(raw.p50));
    raw_p99.push_back(static_cast<double>(raw.p99));
  }
  std::printf(
      "replies at %ld commands/s, us: engine p50 %s p99 %s  write, sync and wake-ups p50 %s p99 %s"
      "  engine/raw p50 %s p99 %s\n",
      kRequestsPerSecond, Text(SpreadOf(p50), 1e3, 0).c_str(), Text(SpreadOf(p99), 1e3, 0).c_str(),
      Text(SpreadOf(raw_p50), 1e3, 0).c_str(), Text(SpreadOf(raw_p99), 1e3, 0).c_str(),
      Text(SpreadOfRatios(p50, raw_p50), 1, 3).c_str(),
      Text(SpreadOfRatios(p99, raw_p99), 1, 3).c_str());
  std::fflush(stdout);
}

// ---- Replay ----

void MeasureReplay(const FlowResult& flow, const Options& options) {
  const BenchDirectory directory(options.directory);
  WriteFlowJournal(flow.commands, directory / "journal");
  std::vector<double> recover, read, execute, compare;
  for (int round = -1; round < options.repeat; ++round) {
    const ReplayRates rates = TimeReplay(flow, directory / "journal");
    if (round < 0) continue;
    recover.push_back(rates.recover);
    read.push_back(rates.read);
    execute.push_back(rates.execute);
    compare.push_back(rates.execute_and_compare);
  }
  std::printf(
      "replay of flow %s, M commands/s: recovery %s  of it: reading and checking %s, executing %s, "
      "executing and comparing %s\n",
      options.scenario.c_str(), Text(SpreadOf(recover), 1e6, 2).c_str(),
      Text(SpreadOf(read), 1e6, 2).c_str(), Text(SpreadOf(execute), 1e6, 2).c_str(),
      Text(SpreadOf(compare), 1e6, 2).c_str());
  std::fflush(stdout);
}

// ---- One account ----

void MeasureAccount(const Options& options) {
  const BenchDirectory directory(options.directory);
  AccountJournal journal(directory / "journal", options.account_mib << 20);
  for (const bool indexed : {true, false}) {
    const ReadCost index = journal.Index();
    if (indexed) {
      std::printf("account indexes of a journal of %lu MiB: %.1f MiB, made in %.2f s\n",
                  options.account_mib, static_cast<double>(journal.index_bytes()) / kMebibyte,
                  index.seconds);
    } else {
      journal.DropIndexes();
    }
    for (const uint64_t after : {uint64_t{0}, AccountJournal::kEvents * 9 / 10}) {
      std::vector<double> seconds;
      ReadCost cost;
      for (int round = -1; round < options.repeat; ++round) {
        cost = journal.Read(after);
        if (round >= 0) seconds.push_back(cost.seconds);
      }
      std::printf("the last %4lu of an account's %lu events, %s indexes: %s s, %.1f MiB read\n",
                  AccountJournal::kEvents - after, AccountJournal::kEvents,
                  indexed ? "with" : "without", Text(SpreadOf(seconds), 1, 3).c_str(),
                  static_cast<double>(cost.bytes) / kMebibyte);
      std::fflush(stdout);
    }
  }
}

// ---- The command line ----

void AddOptions(CLI::App& app, Options& options) {
  app.add_option("part", options.parts, "batches, account, service, replies or replay; none: all")
      ->check(CLI::IsMember({"batches", "account", "service", "replies", "replay"}));
  app.add_option("--directory", options.directory, "On the disk to measure")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--scenario", options.scenario, "Of the order flow")
      ->check([](const std::string& name) {
        return FindOrderFlowScenario(name) != nullptr ? "" : "there is no scenario " + name;
      })
      ->capture_default_str();
  app.add_flag("--bare", options.bare, "Two accounts without limits, one tier");
  app.add_option("--count", options.count, "New orders of the flow, about half of its commands")
      ->check(CLI::Range(1'000u, 2'000'000u))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds of each kind")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_option("--segment-mib", options.segment_mib, "Size of the log's segments")
      ->check(CLI::Range(1, 16'384))
      ->capture_default_str();
  app.add_option("--batches", options.batches, "In a round")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--account-mib", options.account_mib, "Size of the journal of many accounts")
      ->check(CLI::Range(128, 65'536))
      ->capture_default_str();
  app.add_option("--replies", options.replies, "In a round")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
}

int Run(int argc, char** argv) {
  KeepMemory();
  Options options;
  CLI::App app(
      "Durable batches against a plain loop of write and fdatasync; commands per second of the "
      "running engine on a disk that syncs in 1 ms; latency of an acknowledgement against a write, "
      "a sync and the same wake-ups; commands per second of a replay; what reading one account's "
      "events costs with and without account indexes");
  AddOptions(app, options);
  CLI11_PARSE(app, argc, argv);
  const auto wanted = [&](const char* part) {
    return options.parts.empty() || std::ranges::find(options.parts, part) != options.parts.end();
  };
  std::printf("median of %d alternating rounds (min..max)\n", options.repeat);
  if (wanted("batches")) MeasureBatches(options);
  if (wanted("account")) MeasureAccount(options);
  if (!wanted("service") && !wanted("replies") && !wanted("replay")) return EXIT_SUCCESS;
  const FlowResult flow = PlayRecentFlow(options);
  WARPBOOK_CHECK(flow.commands.flow.size() >=
                 options.replies * static_cast<size_t>(options.repeat + 1));
  if (wanted("service")) MeasureService(flow, options);
  if (wanted("replies")) MeasureReplies(flow, options);
  if (wanted("replay")) MeasureReplay(flow, options);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
