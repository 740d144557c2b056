// settlement_bench: settlement from a journal on disk into PostgreSQL, against what PostgreSQL
// alone costs; see --help. To be run under tests/settlement/with_postgres. Everything is measured
// by turns with its baseline, and a ratio is the median of the rounds' ratios.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "schema/base/check.h"
#include "schema/journal/tail_reader.h"
#include "settlement/service/audit_run.h"
#include "settlement/service/serve.h"
#include "settlement/service/worker.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/copy_baseline.h"
#include "tests/bench/settlement_market.h"
#include "tests/bench/statistics.h"
#include "tests/settlement/support/test_database.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using test::TestDatabase;

struct Options {
  std::string directory = ".";
  uint64_t fills = 200'000;
  uint64_t audit_fills = 1'000'000;
  SettlementMarket::Size size;
  int repeat = 3;
  int64_t rate = 20;
  int latencies = 400;
};

double SecondsSince(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::string Text(const Spread& spread, double unit, int decimals) {
  char text[80];
  std::snprintf(text, sizeof text, "%.*f (%.*f..%.*f)", decimals, spread.median / unit, decimals,
                spread.min / unit, decimals, spread.max / unit);
  return text;
}

// A worker on that database, over the journal in that directory, that decides nothing.
class JournalWorker {
 public:
  JournalWorker(
      const std::string& conninfo, const std::string& journal,
      std::function<void(settlement::CommitStep)> on_step = [](settlement::CommitStep) {})
      : store_(Open(conninfo, std::move(on_step))) {
    auto worker = settlement::Worker::Create({.cursor_directory = journal}, store_, sender_);
    WARPBOOK_CHECK(worker.ok());
    worker_ = *std::move(worker);
    auto reader = journal::TailReader::Open(journal, worker_->FirstSequence());
    WARPBOOK_CHECK(reader.ok());
    reader_ = *std::move(reader);
    worker_->SetReader(*reader_);
  }
  bool Step() {
    const auto wrote = worker_->Step();
    if (!wrote.ok()) std::fprintf(stderr, "%s\n", std::string(wrote.status().message()).c_str());
    WARPBOOK_CHECK(wrote.ok());
    return *wrote;
  }
  const settlement::Worker& worker() const { return *worker_; }

 private:
  static settlement::Store Open(const std::string& conninfo,
                                std::function<void(settlement::CommitStep)> on_step) {
    auto store = settlement::Store::Open({.conninfo = conninfo, .on_step = std::move(on_step)});
    WARPBOOK_CHECK(store.ok());
    return *std::move(store);
  }

  settlement::NoSender sender_;
  settlement::Store store_;
  std::unique_ptr<settlement::Worker> worker_;
  std::unique_ptr<journal::TailReader> reader_;
};

void Checkpoint(const TestDatabase& database) {
  WARPBOOK_CHECK(TestDatabase::Run(database.superuser(), "CHECKPOINT").ok());
}

void PrintJournal(const SettlementMarket& market, double seconds) {
  std::printf("journal: %lu fills, all settled, %lu commands, %lu MiB, made in %.1f s\n",
              market.fills(), market.last_sequence().value(), market.journal_bytes() >> 20,
              seconds);
  std::fflush(stdout);
}

// ---- Throughput ----

struct Posted {
  double seconds = 0;
  settlement::Worker::Figures figures;
};

Posted PostJournal(const TestDatabase& database, const std::string& journal, Sequence last) {
  JournalWorker process(database.service(), journal);
  const SteadyClock::time_point start = SteadyClock::now();
  while (process.worker().books().cursor().sequence < last) process.Step();
  process.Step();  // waits for what is still on its way
  return {SecondsSince(start), process.worker().figures()};
}

void MeasureThroughput(const Options& options) {
  const BenchDirectory directory(options.directory);
  const std::string journal = directory / "journal";
  const SteadyClock::time_point start = SteadyClock::now();
  SettlementMarket market(journal, options.size);
  market.Run(options.fills);
  PrintJournal(market, SecondsSince(start));
  std::optional<CopyBaseline> baseline;
  std::vector<double> fills, transfers, copied;
  for (int round = -1; round < options.repeat; ++round) {
    TestDatabase posted_to;
    Checkpoint(posted_to);
    const Posted posted = PostJournal(posted_to, journal, market.last_sequence());
    if (!baseline) baseline.emplace(posted_to.superuser());
    posted_to.Drop();
    TestDatabase copied_to;
    Checkpoint(copied_to);
    const double copy_seconds = baseline->Time(copied_to.service(), posted.figures.transactions);
    copied_to.Drop();
    const auto count = static_cast<double>(market.fills());
    std::printf("  round %d: settlement %.2f s in %lu transactions, COPY %.2f s\n", round + 1,
                posted.seconds, posted.figures.transactions, copy_seconds);
    std::fflush(stdout);
    if (round < 0) continue;
    fills.push_back(count / posted.seconds);
    transfers.push_back(static_cast<double>(posted.figures.transfers) / posted.seconds);
    copied.push_back(count / copy_seconds);
  }
  std::printf(
      "throughput: %s k fills/s settled, %s k transfers/s;  plain COPY of the same rows %s k "
      "fills/s;  settlement/COPY %s\n",
      Text(SpreadOf(fills), 1e3, 1).c_str(), Text(SpreadOf(transfers), 1e3, 0).c_str(),
      Text(SpreadOf(copied), 1e3, 1).c_str(), Text(SpreadOfRatios(fills, copied), 1, 3).c_str());
  std::fflush(stdout);
}

// ---- Latency ----

// Steps as `serve` does, until it is destroyed; and knows when what was committed.
class RunningWorker {
 public:
  RunningWorker(const std::string& conninfo, const std::string& journal)
      : process_(conninfo, journal,
                 [this](settlement::CommitStep step) {
                   if (step != settlement::CommitStep::kCommitted) return;
                   committed_at_ = SteadyClock::now().time_since_epoch().count();
                   ++commits_;
                 }),
        thread_([this] {
          while (!stop_) {
            if (!process_.Step()) std::this_thread::sleep_for(settlement::ServeOptions().poll);
          }
        }) {}
  ~RunningWorker() {
    stop_ = true;
    thread_.join();
  }
  uint64_t commits() const { return commits_; }
  // Waits for the next commit after so many; when it was.
  SteadyClock::time_point Await(uint64_t commits) const {
    while (commits_ <= commits) std::this_thread::sleep_for(std::chrono::microseconds(200));
    return SteadyClock::time_point(SteadyClock::duration(committed_at_.load()));
  }

 private:
  std::atomic<int64_t> committed_at_ = 0;
  std::atomic<uint64_t> commits_ = 0;
  std::atomic<bool> stop_ = false;
  JournalWorker process_;
  std::thread thread_;
};

// By turns a fill and one commit of a single row, each after a pause, so that both find the machine
// as idle.
void MeasureLatency(const Options& options) {
  const BenchDirectory directory(options.directory);
  const std::string journal = directory / "journal";
  SettlementMarket market(journal, options.size);
  market.OpenWindow();
  market.Trade();
  TestDatabase database;
  PostJournal(database, journal, market.last_sequence());
  RunningWorker worker(database.service(), journal);
  OneRowCommits one_row(database.superuser());
  const std::chrono::microseconds pause(500'000 / options.rate);
  std::vector<double> p50, p99, commit_p50, commit_p99;
  for (int round = -1; round < options.repeat; ++round) {
    std::vector<int64_t> latencies, commits;
    for (int i = 0; i < options.latencies / options.repeat; ++i) {
      std::this_thread::sleep_for(pause);
      const uint64_t before = worker.commits();
      market.Trade();
      const SteadyClock::time_point durable = SteadyClock::now();
      latencies.push_back((worker.Await(before) - durable).count());
      std::this_thread::sleep_for(pause);
      commits.push_back(one_row.Time().count());
    }
    if (round < 0) continue;
    const Percentiles fills = PercentilesOf(latencies);
    const Percentiles baseline = PercentilesOf(commits);
    p50.push_back(static_cast<double>(fills.p50));
    p99.push_back(static_cast<double>(fills.p99));
    commit_p50.push_back(static_cast<double>(baseline.p50));
    commit_p99.push_back(static_cast<double>(baseline.p99));
  }
  std::printf(
      "latency at %ld fills/s, us: from the durable fill to the committed row p50 %s p99 %s;  a "
      "commit of one row p50 %s p99 %s;  p50/p50 %s, p99/p99 %s, p99/p50 %s\n",
      options.rate, Text(SpreadOf(p50), 1e3, 0).c_str(), Text(SpreadOf(p99), 1e3, 0).c_str(),
      Text(SpreadOf(commit_p50), 1e3, 0).c_str(), Text(SpreadOf(commit_p99), 1e3, 0).c_str(),
      Text(SpreadOfRatios(p50, commit_p50), 1, 2).c_str(),
      Text(SpreadOfRatios(p99, commit_p99), 1, 2).c_str(),
      Text(SpreadOfRatios(p99, commit_p50), 1, 2).c_str());
  std::fflush(stdout);
}

// ---- Audit ----

void MeasureAudit(const Options& options) {
  const BenchDirectory directory(options.directory);
  const std::string journal = directory / "journal";
  SteadyClock::time_point start = SteadyClock::now();
  SettlementMarket market(journal, options.size);
  market.Run(options.audit_fills);
  PrintJournal(market, SecondsSince(start));
  TestDatabase posted;
  const double seconds = PostJournal(posted, journal, market.last_sequence()).seconds;
  std::printf("posted in %.1f s\n", seconds);
  std::fflush(stdout);
  const TestDatabase empty(TestDatabase::Schema::kNone);
  start = SteadyClock::now();
  const auto all_hold =
      settlement::RunAudit({posted.service(), journal, empty.superuser()}, std::cout, std::cout);
  if (!all_hold.ok()) std::fprintf(stderr, "%s\n", all_hold.status().ToString().c_str());
  WARPBOOK_CHECK(all_hold.ok() && *all_hold);
  std::printf("cold audit of %lu fills: %.1f s\n", market.fills(), SecondsSince(start));
  std::fflush(stdout);
}

// ---- The command line ----

void AddMarketOptions(CLI::App* command, uint64_t& fills, Options& options) {
  command->add_option("--fills", fills, "Traded and settled in the journal")
      ->check(CLI::Range(1'000u, 10'000'000u))
      ->capture_default_str();
  command->add_option("--window-fills", options.size.fills_per_window, "In each delivery window")
      ->check(CLI::Range(100u, 25'000u))
      ->capture_default_str();
  command->add_option("--heartbeats", options.size.heartbeats, "Of each lease")
      ->check(CLI::Range(0, 60))
      ->capture_default_str();
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Settlement from a journal on disk into PostgreSQL with every invariant checked: fills per "
      "second against plain COPY of the same rows, time from a fill to its row against commits of "
      "the same server, and a cold audit. Run it under tests/settlement/with_postgres.");
  app.require_subcommand(1);
  app.add_option("--directory", options.directory, "Where the journal is made")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds of each kind")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  CLI::App* const throughput = app.add_subcommand("throughput", "Fills per second against COPY");
  AddMarketOptions(throughput, options.fills, options);
  throughput->callback([&] { MeasureThroughput(options); });
  CLI::App* const audit = app.add_subcommand(
      "audit", "A cold audit: every invariant, and a replay into an empty database (once)");
  AddMarketOptions(audit, options.audit_fills, options);
  audit->callback([&] { MeasureAudit(options); });
  CLI::App* const latency = app.add_subcommand("latency", "From a fill to its committed row");
  latency->add_option("--rate", options.rate, "Fills per second")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  latency->add_option("--count", options.latencies, "Fills measured in all")
      ->check(CLI::Range(10, 100'000))
      ->capture_default_str();
  latency->callback([&] { MeasureLatency(options); });
  CLI11_PARSE(app, argc, argv);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
