#include "tests/simulation/engine_process.h"

#include <utility>

#include "engine/service/engine_recovery.h"
#include "engine/service/wakeup.h"
#include "schema/journal/file_command_log.h"
#include "schema/journal/watermark.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {

using engine::DurableBatch;

EngineProcess::EngineProcess(Machine& machine, Model& model,
                             const engine::EngineService::Options& options, size_t port_count)
    : machine_(machine), model_(model), options_(options), process_(machine, [this] { Main(); }) {
  const auto wakeup = std::make_shared<engine::Wakeup>();  // nobody sleeps
  for (size_t i = 0; i < port_count; ++i) {
    ports_.push_back(std::make_shared<engine::PortState>(options.service_limits, wakeup));
  }
}

bool EngineProcess::CanRun() const {
  if (ended()) return false;
  return !process_.sleeps() || batch_ || stop_requested_ || IdleMarkerIsDue();
}

bool EngineProcess::IdleMarkerIsDue() const {
  return committer_->needs_idle_marker() &&
         machine_.steady_now() - idle_since_ >= engine::kIdleMarkerDelay;
}

void EngineProcess::TakeSequencerTurn() {
  sequencer_->RunTickIfDue(machine_.steady_now());
  sequencer_->Gather();
  const bool journal_is_free = process_.sleeps() && !batch_;
  if (!journal_is_free || !sequencer_->has_batch()) return;
  batch_ = TakeBatch();
}

void EngineProcess::RequestStop() {
  stop_requested_ = true;
  serves_ = false;
}

std::unique_ptr<engine::EnginePort> EngineProcess::TakePort(size_t index) {
  return std::make_unique<engine::LocalEnginePort>(ports_[index]);
}

void EngineProcess::Main() {
  std::unique_ptr<journal::LogAppender> appender = Recover();
  if (appender == nullptr) return;
  committer_.emplace(std::move(appender), ports_);
  sequencer_.emplace(
      engine::Sequencer::Parts{*engine_, *market_clock_, options_, ports_, windows_});
  const absl::Status keys = sequencer_->SubmitSystemKeys();
  Require(keys.ok(), keys.ToString());
  sequencer_->RunTickIfDue(machine_.steady_now());
  absl::Status status = Commit(TakeBatch());
  if (status.ok()) status = Serve();
  if (status.ok()) status = Drain();
  stopped_ = CheckFault(status);
}

// As EngineService::Recover and Start do it. Null where the disk failed.
std::unique_ptr<journal::LogAppender> EngineProcess::Recover() {
  journal::FileCommandLog log(process_.files(), options_.journal_directory,
                              {.segment_size = options_.segment_size,
                               .rules_version = engine::kRulesVersion,
                               .make_segments_in_background = false});
  engine::EngineStart start;
  start.journal_directory = options_.journal_directory;
  start.limits = options_.limits;
  start.index_secret = machine_.random().Below(UINT64_MAX);
  start.from_snapshot = options_.snapshots.has_value();
  start.on_restored = [this](std::span<const std::byte> bytes) { return follower_.Read(bytes); };
  start.on_replayed = [this](const journal::BatchView& batch) {
    model_.CheckReplayed(batch);
    return follower_.Apply(
        {batch.first_sequence, batch.command_count, {batch.records.begin(), batch.records.end()}});
  };
  absl::StatusOr<engine::RecoveredEngine> recovered =
      engine::RecoverEngine(process_.files(), log, start);
  if (!CheckFault(recovered.status())) return nullptr;
  engine_ = std::move(recovered->engine);
  windows_ = std::move(recovered->windows);
  const uint64_t last_sequence = engine_->last_sequence().value();
  const auto watermark = journal::Watermark::Open(process_.files(), options_.journal_directory);
  Require(watermark.ok(), watermark.status().ToString());
  Require(recovered->end.last_sequence == last_sequence && (*watermark)->Load() == last_sequence,
          "recovery tells sequence ", recovered->end.last_sequence, " and sets the watermark to ",
          (*watermark)->Load(), ", but replayed up to ", last_sequence);
  snapshot_sequence_ = recovered->snapshot_sequence.value();
  cut_torn_write_ = !recovered->end.repair_note.empty();
  model_.CheckRecovered(*engine_, follower_);
  absl::StatusOr<std::unique_ptr<engine::MarketClock>> clock =
      engine::MarketClock::Create(1, engine_->last_time(), machine_.clock());
  Require(clock.ok(), clock.status().ToString());
  market_clock_ = *std::move(clock);
  absl::StatusOr<std::unique_ptr<journal::LogAppender>> appender = log.Begin();
  if (!CheckFault(appender.status())) return nullptr;
  return *std::move(appender);
}

absl::Status EngineProcess::Serve() {
  serves_ = true;
  while (true) {
    idle_since_ = machine_.steady_now();
    process_.Sleep();
    absl::Status status;
    if (batch_) {
      status = Commit(std::move(*batch_));
      batch_.reset();
    } else if (stop_requested_) {
      return absl::OkStatus();
    } else {
      status = committer_->WriteIdleMarker();
    }
    if (!status.ok()) return status;
  }
}

// As SequencerThread does it at its end.
absl::Status EngineProcess::Drain() {
  sequencer_->ClosePorts();
  absl::Status status;
  while (status.ok() && (sequencer_->Gather() || sequencer_->batch_is_full())) {
    status = Commit(TakeBatch());
  }
  if (!status.ok()) return status;
  sequencer_->SubmitLastTick();
  status = Commit(TakeBatch());
  return status.ok() ? committer_->WriteIdleMarker() : status;
}

DurableBatch EngineProcess::TakeBatch() {
  DurableBatch batch = sequencer_->TakeBatch();
  model_.HandOver(batch);
  return batch;
}

absl::Status EngineProcess::Commit(DurableBatch batch) {
  const uint64_t last_sequence = batch.first_sequence + batch.command_count - 1;
  const absl::Status status = committer_->Commit(std::move(batch));
  if (status.ok()) model_.CheckDurable(last_sequence);
  return status;
}

bool EngineProcess::CheckFault(const absl::Status& status) const {
  Require(status.ok() || process_.met_fault(), "the engine's process ends: ", status.ToString());
  return status.ok();
}

}  // namespace warpbook::simulation
