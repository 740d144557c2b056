// snapshot_bench: what snapshots cost and what they give, with a million resting orders: latencies
// of replies while snapshots are made beside the running engine and while none are, by turns; and a
// start from a snapshot. Both parts of a snapshot are there: the engine's and the gateway's.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/service/engine_service.h"
#include "engine/service/snapshotter.h"
#include "gateway/publish/market_follower.h"
#include "schema/base/check.h"
#include "schema/catalogue/catalogue.h"
#include "schema/journal/snapshot_names.h"
#include "tests/bench/bench_directory.h"
#include "tests/bench/journal_timing.h"
#include "tests/bench/resting_market.h"
#include "tests/bench/timing.h"

namespace warpbook::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Options {
  std::string directory = ".";
  std::string catalogue = "schema/catalogue/catalogue.conf";
  uint32_t orders = 1'000'000;
  uint32_t books = 100;
  int64_t rate = 2'000;
  size_t replies = 20'000;
  int repeat = 5;
};

// Makes one snapshot after the other, as the service's thread does, until it is destroyed.
class Snapshots {
 public:
  explicit Snapshots(engine::Snapshotter& snapshotter)
      : thread_([this, &snapshotter] {
          setpriority(PRIO_PROCESS, 0, engine::kSnapshotNice);
          while (!stop_) {
            const auto made = snapshotter.MakeLast(&stop_);
            WARPBOOK_CHECK(made.ok() || stop_);
            if (made.ok() && made->has_value()) ++made_;
          }
        }) {}
  ~Snapshots() {
    stop_ = true;
    thread_.join();
  }
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;
  int made() const { return made_; }

 private:
  std::atomic<bool> stop_ = false;
  std::atomic<int> made_ = 0;
  std::thread thread_;
};

struct Latencies {
  std::vector<double> p50, p99, p999;
  void Add(const Percentiles& round) {
    p50.push_back(static_cast<double>(round.p50) / 1e3);
    p99.push_back(static_cast<double>(round.p99) / 1e3);
    p999.push_back(static_cast<double>(round.p999) / 1e3);
  }
};

void PrintRatio(const char* name, const std::vector<double>& with,
                const std::vector<double>& without) {
  const Spread ratio = SpreadOfRatios(with, without);
  std::printf(
      "  %-6s %8.0f us while snapshots are made, %8.0f us while none are: %.3f (%.3f..%.3f)\n",
      name, SpreadOf(with).median, SpreadOf(without).median, ratio.median, ratio.min, ratio.max);
}

void MeasureReplies(const FlowCommands& commands, const std::string& journal,
                    engine::Snapshotter& snapshotter, const Options& options) {
  FlowService service(commands, journal, PosixFileSystem());
  Latencies with, without;
  int made = 0;
  size_t first = 0;
  // The first round warms everything and does not count.
  for (int round = -1; round < options.repeat; ++round) {
    const Percentiles quiet = service.TimeReplies(first, options.replies, options.rate);
    first += options.replies;
    Percentiles busy;
    {
      const Snapshots snapshots(snapshotter);
      busy = service.TimeReplies(first, options.replies, options.rate);
      if (round >= 0) made += snapshots.made();
    }
    first += options.replies;
    if (round < 0) continue;
    without.Add(quiet);
    with.Add(busy);
  }
  std::printf("replies at %lld commands/s, %d rounds, %d snapshots:\n",
              static_cast<long long>(options.rate), options.repeat, made);
  PrintRatio("p50", with.p50, without.p50);
  PrintRatio("p99", with.p99, without.p99);
  PrintRatio("p99.9", with.p999, without.p999);
  std::fflush(stdout);
}

double TimeStart(const FlowCommands& commands, const std::string& journal,
                 const Catalogue& catalogue, bool from_snapshot) {
  engine::EngineService::Options options;
  options.journal_directory = journal;
  options.limits = commands.limits;
  if (from_snapshot) options.snapshots.emplace();
  gateway::MarketFollower market(catalogue);
  const SteadyClock::time_point start = SteadyClock::now();
  const auto service = engine::EngineService::Recover(
      options, [&](const engine::DurableBatch& batch) { return market.Apply(batch); },
      [&](std::span<const std::byte> bytes) { return market.Read(bytes); });
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
  WARPBOOK_CHECK(service.ok());
  WARPBOOK_CHECK(bool{(*service)->recovery().snapshot_sequence} == from_snapshot);
  return seconds;
}

void MeasureStarts(const FlowCommands& commands, const std::string& journal,
                   const Catalogue& catalogue, const Options& options) {
  std::vector<double> from_snapshot, by_replay;
  for (int round = 0; round < options.repeat; ++round) {
    from_snapshot.push_back(TimeStart(commands, journal, catalogue, true));
    by_replay.push_back(TimeStart(commands, journal, catalogue, false));
  }
  const auto sequences = journal::ListSnapshots(PosixFileSystem(), journal);
  WARPBOOK_CHECK(sequences.ok());
  const uint64_t bytes =
      std::filesystem::file_size(journal::SnapshotPath(journal, sequences->back()));
  const Spread snapshot = SpreadOf(from_snapshot);
  std::printf(
      "start from a snapshot of %llu MiB, %u orders in %u books: %.2f s (%.2f..%.2f); by replay "
      "%.2f s\n",
      static_cast<unsigned long long>(bytes >> 20), options.orders, options.books, snapshot.median,
      snapshot.min, snapshot.max, SpreadOf(by_replay).median);
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app("What snapshots cost while they are made, and a start from one");
  app.add_option("--directory", options.directory, "On the disk to measure")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_option("--catalogue", options.catalogue, "The gateway's")
      ->check(CLI::ExistingFile)
      ->capture_default_str();
  app.add_option("--orders", options.orders, "That rest")
      ->check(CLI::Range(1'000u, 3'000'000u))
      ->capture_default_str();
  app.add_option("--books", options.books, "That they rest in")
      ->check(CLI::Range(1u, kAllInstruments))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "Commands per second")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--replies", options.replies, "In a round")
      ->check(CLI::Range(1'000, 1'000'000))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds of each kind")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  const absl::StatusOr<Catalogue> catalogue = LoadCatalogue(options.catalogue);
  if (!catalogue.ok()) {
    std::fprintf(stderr, "%s\n", std::string(catalogue.status().message()).c_str());
    return EXIT_FAILURE;
  }
  MarketSize size = kFullMarket;
  size.instruments = options.books;
  size.start_us = YesterdayMicros();
  const FlowCommands commands =
      RestingMarket(size, options.orders, 1)
          .Make(2 * options.replies * static_cast<size_t>(options.repeat + 1));
  const BenchDirectory directory(options.directory);
  const std::string journal = directory / "journal";
  engine::SnapshotOptions snapshots;
  snapshots.make_follower = [&catalogue] {
    return std::make_unique<gateway::MarketFollower>(*catalogue);
  };
  engine::Snapshotter snapshotter(PosixFileSystem(), journal, commands.limits, snapshots);
  MeasureReplies(commands, journal, snapshotter, options);
  WARPBOOK_CHECK(snapshotter.MakeLast().ok());
  MeasureStarts(commands, journal, *catalogue, options);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
