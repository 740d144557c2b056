#include "engine/service/engine_service.h"

#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/service/journal_thread.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/market_clock.h"
#include "engine/service/replayer.h"
#include "engine/service/sequencer.h"
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
             {.segment_size = options_.segment_size, .rules_version = kRulesVersion}),
        engine_(options_.limits, RandomNumber()) {}

  ~LocalEngineService() override {
    if (sequencer_thread_.joinable()) Shutdown();
  }

  absl::Status RecoverJournal(const std::function<absl::Status(const DurableBatch&)>& on_replayed) {
    Replayer replayer(engine_);
    const absl::StatusOr<journal::LogEnd> end = log_.Recover([&](const journal::BatchView& batch) {
      const absl::Status replayed = replayer.Replay(batch);
      if (!replayed.ok()) return replayed;
      for (const wire::RecordView record : wire::Records(batch.records)) {
        windows_.Observe(record);
      }
      if (on_replayed == nullptr) return absl::OkStatus();
      return on_replayed({batch.first_sequence,
                          batch.command_count,
                          {batch.records.begin(), batch.records.end()}});
    });
    if (!end.ok()) return end.status();
    absl::StatusOr<std::unique_ptr<MarketClock>> clock =
        MarketClock::Create(options_.clock_factor, engine_.last_time(), SystemClock());
    if (!clock.ok()) return clock.status();
    clock_ = *std::move(clock);
    summary_ = {engine_.last_sequence(), engine_.last_time(), end->next_epoch, end->repair_note};
    return absl::OkStatus();
  }

  std::unique_ptr<EnginePort> CreatePort() override {
    WARPBOOK_CHECK(phase_ == Phase::kRecovered);
    ports_.push_back(std::make_shared<PortState>(options_.service_limits, wakeup_));
    return std::make_unique<LocalEnginePort>(ports_.back());
  }

  absl::Status Start() override {
    WARPBOOK_CHECK(phase_ == Phase::kRecovered);
    absl::StatusOr<std::unique_ptr<journal::LogAppender>> appender = log_.Begin();
    phase_ = Phase::kStopped;
    if (!appender.ok()) return appender.status();
    phase_ = Phase::kRunning;
    journal_ = std::make_unique<JournalThread>(*std::move(appender), ports_, wakeup_);
    sequencer_ = std::make_unique<Sequencer>(
        Sequencer::Parts{engine_, *clock_, options_, *journal_, ports_, wakeup_, windows_});
    const absl::Status begun = sequencer_->Begin();
    if (!begun.ok()) {
      CloseJournal();
      return begun;
    }
    sequencer_thread_ = std::thread([this] { sequencer_->Run(); });
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
    return engine_;
  }

 private:
  enum class Phase { kRecovered, kRunning, kStopped };

  void Shutdown() {
    sequencer_->RequestStop();
    sequencer_thread_.join();
    CloseJournal();
  }

  void CloseJournal() {
    journal_->Finish();
    journal_.reset();  // closes and unlocks the journal
    phase_ = Phase::kStopped;
  }

  const Options options_;
  FileSystem& files_;
  journal::FileCommandLog log_;
  Phase phase_ = Phase::kRecovered;
  Engine engine_;  // the sequencer's while it runs
  KnownWindows windows_;
  std::unique_ptr<MarketClock> clock_;
  RecoverySummary summary_;

  const std::shared_ptr<Wakeup> wakeup_ = std::make_shared<Wakeup>();
  std::vector<std::shared_ptr<PortState>> ports_;
  std::unique_ptr<JournalThread> journal_;
  std::unique_ptr<Sequencer> sequencer_;
  std::thread sequencer_thread_;
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
    Options options, std::function<absl::Status(const DurableBatch&)> on_replayed) {
  const absl::Status limits = CheckLimits(options.service_limits);
  if (!limits.ok()) return limits;
  auto service = std::make_unique<LocalEngineService>(std::move(options));
  const absl::Status recovered = service->RecoverJournal(on_replayed);
  if (!recovered.ok()) return recovered;
  return service;
}

}  // namespace warpbook::engine
