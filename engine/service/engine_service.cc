#include "engine/service/engine_service.h"

#include <random>
#include <utility>
#include <vector>

#include "engine/service/engine_metrics.h"
#include "engine/service/engine_recovery.h"
#include "engine/service/history_thread.h"
#include "engine/service/journal_thread.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/market_clock.h"
#include "engine/service/sequencer_thread.h"
#include "engine/service/window_scheduler.h"
#include "schema/base/check.h"
#include "schema/base/file.h"
#include "schema/journal/file_command_log.h"

namespace warpbook::engine {
namespace {

uint64_t RandomNumber() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

class LocalEngineService final : public EngineService {
 public:
  explicit LocalEngineService(Options options)
      : options_(std::move(options)),
        files_(options_.file_system != nullptr ? *options_.file_system : PosixFileSystem()),
        log_(files_, options_.journal_directory,
             {.segment_size = options_.segment_size, .rules_version = kRulesVersion}) {}

  ~LocalEngineService() override {
    if (phase_ == Phase::kRunning) Shutdown();
  }

  using OnReplayed = std::function<absl::Status(const DurableBatch&)>;
  using OnRestored = std::function<absl::Status(std::span<const std::byte>)>;

  absl::Status Recover(const OnReplayed& on_replayed, const OnRestored& on_restored) {
    EngineStart start;
    start.journal_directory = options_.journal_directory;
    start.limits = options_.limits;
    start.index_secret = RandomNumber();
    start.from_snapshot = options_.snapshots.has_value();
    start.on_restored = on_restored;
    if (on_replayed != nullptr) {
      start.on_replayed = [&on_replayed](const journal::BatchView& batch) {
        return on_replayed({batch.first_sequence,
                            batch.command_count,
                            {batch.records.begin(), batch.records.end()}});
      };
    }
    absl::StatusOr<RecoveredEngine> recovered = RecoverEngine(files_, log_, start);
    if (!recovered.ok()) return recovered.status();
    engine_ = std::move(recovered->engine);
    windows_ = std::move(recovered->windows);
    absl::StatusOr<std::unique_ptr<MarketClock>> clock =
        MarketClock::Create(options_.clock_factor, engine_->last_time(), machine_clock_);
    if (!clock.ok()) return clock.status();
    clock_ = *std::move(clock);
    summary_ = {engine_->last_sequence(),  recovered->snapshot_sequence, engine_->last_time(),
                recovered->end.next_epoch, recovered->end.repair_note,   recovered->snapshot_note};
    return absl::OkStatus();
  }

  std::unique_ptr<EnginePort> CreatePort() override {
    WARPBOOK_CHECK(phase_ == Phase::kRecovered);
    ports_.push_back(std::make_shared<PortState>(options_.service_limits, wakeup_, historian_));
    return std::make_unique<LocalEnginePort>(ports_.back());
  }

  absl::Status Start() override {
    WARPBOOK_CHECK(phase_ == Phase::kRecovered);
    absl::StatusOr<std::unique_ptr<journal::LogAppender>> appender = log_.Begin();
    phase_ = Phase::kStopped;
    if (!appender.ok()) return appender.status();
    phase_ = Phase::kRunning;
    if (options_.metrics != nullptr) {
      metrics_ = std::make_unique<EngineMetrics>(*options_.metrics, options_.service_limits);
      metrics_->OnSnapshot(summary_.snapshot_sequence);
    }
    journal_ =
        std::make_unique<JournalThread>(*std::move(appender), ports_, wakeup_, metrics_.get());
    sequencer_ = std::make_unique<SequencerThread>(
        Sequencer::Parts{*engine_, *clock_, options_, ports_, windows_, metrics_.get()},
        StorageGuard(files_, options_.journal_directory,
                     options_.service_limits.disk_reserve_bytes),
        *journal_, wakeup_);
    const absl::Status started = sequencer_->Start();
    if (!started.ok()) {
      CloseJournal();
      return started;
    }
    history_ = std::make_unique<HistoryThread>(
        std::make_unique<History>(files_, options_.journal_directory), ports_, historian_);
    if (options_.snapshots) {
      snapshots_ = std::make_unique<SnapshotThread>(
          std::make_unique<Snapshotter>(files_, options_.journal_directory, options_.limits,
                                        *options_.snapshots),
          metrics_.get());
    }
    return absl::OkStatus();
  }

  absl::Status Stop() override {
    WARPBOOK_CHECK(phase_ == Phase::kRunning);
    Shutdown();
    return absl::OkStatus();
  }

  const Clock& market_clock() const override { return *clock_; }
  const RecoverySummary& recovery() const override { return summary_; }
  const Engine& engine() const override {
    WARPBOOK_CHECK(phase_ != Phase::kRunning);
    return *engine_;
  }

 private:
  enum class Phase { kRecovered, kRunning, kStopped };

  void Shutdown() {
    if (snapshots_ != nullptr) snapshots_->Stop();
    history_->Stop();
    sequencer_->Stop();
    CloseJournal();
  }

  void CloseJournal() {
    journal_->Finish();
    if (snapshots_ != nullptr) snapshots_->MakeLast();
    journal_.reset();  // closes and unlocks the journal
    phase_ = Phase::kStopped;
  }

  const Options options_;
  FileSystem& files_;
  journal::FileCommandLog log_;
  Phase phase_ = Phase::kRecovered;
  std::unique_ptr<Engine> engine_;  // the sequencer's while it runs
  KnownWindows windows_;
  const SystemClock machine_clock_;
  std::unique_ptr<MarketClock> clock_;
  RecoverySummary summary_;

  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  const std::shared_ptr<Wakeup> historian_ = std::make_shared<Wakeup>();
  std::vector<std::shared_ptr<PortState>> ports_;
  std::unique_ptr<EngineMetrics> metrics_;  // null: nothing is counted; the threads' below
  std::unique_ptr<JournalThread> journal_;
  std::unique_ptr<SequencerThread> sequencer_;
  std::unique_ptr<HistoryThread> history_;
  std::unique_ptr<SnapshotThread> snapshots_;  // null: none are made
};

// Limits of which one at 0 would let the service stand still.
absl::Status CheckLimits(const ServiceLimits& limits) {
  if (limits.port_commands_max > 0 && limits.batch_commands_max > 0 && limits.batch_bytes_max > 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("a limit of the engine's service is 0");
}

}  // namespace

absl::StatusOr<std::unique_ptr<EngineService>> EngineService::Recover(
    Options options, std::function<absl::Status(const DurableBatch&)> on_replayed,
    std::function<absl::Status(std::span<const std::byte>)> on_restored) {
  const absl::Status limits = CheckLimits(options.service_limits);
  if (!limits.ok()) return limits;
  auto service = std::make_unique<LocalEngineService>(std::move(options));
  const absl::Status recovered = service->Recover(on_replayed, on_restored);
  if (!recovered.ok()) return recovered;
  return service;
}

}  // namespace warpbook::engine
