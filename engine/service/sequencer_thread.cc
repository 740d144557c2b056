#include "engine/service/sequencer_thread.h"

#include <chrono>
#include <utility>

#include "schema/base/check.h"

namespace warpbook::engine {

using std::chrono::steady_clock;

SequencerThread::SequencerThread(Sequencer::Parts parts, StorageGuard guard, JournalThread& journal,
                                 std::shared_ptr<Wakeup> wakeup)
    : metrics_(parts.metrics),
      sequencer_(std::move(parts)),
      guard_(std::move(guard)),
      journal_(journal),
      wakeup_(std::move(wakeup)) {}

SequencerThread::~SequencerThread() { WARPBOOK_CHECK(!thread_.joinable()); }

absl::Status SequencerThread::Start() {
  const absl::Status keys = sequencer_.SubmitSystemKeys();
  RunTickIfDue();
  Commit();
  if (keys.ok()) thread_ = std::thread([this] { Run(); });
  return keys;
}

void SequencerThread::Stop() {
  stopping_.store(true);
  wakeup_->Notify();
  thread_.join();
}

void SequencerThread::Run() {
  while (!stopping_.load()) {
    RunTickIfDue();
    const bool gathered = sequencer_.Gather();
    const bool handed_over = TryHandOver();
    // Neither a command nor a batch moved: a port, the journal's thread or the next tick wakes us.
    if (!gathered && !handed_over) wakeup_->WaitUntil(sequencer_.next_tick());
  }
  Drain();
}

void SequencerThread::RunTickIfDue() {
  const auto now = steady_clock::now();
  if (now < sequencer_.next_tick()) return;
  const bool storage_low = guard_.IsLow();
  sequencer_.set_storage_low(storage_low);
  sequencer_.RunTickIfDue(now);
  sequencer_.Report();
  if (metrics_ != nullptr) metrics_->OnDisk(guard_.free_bytes(), storage_low);
}

void SequencerThread::Drain() {
  sequencer_.ClosePorts();
  while (sequencer_.Gather() || sequencer_.batch_is_full()) {
    if (!TryHandOver()) journal_.WaitUntilFree();
  }
  sequencer_.SubmitLastTick();
  Commit();
}

bool SequencerThread::TryHandOver() {
  if (!sequencer_.has_batch() || !journal_.TryReserve()) return false;
  journal_.HandOver(sequencer_.TakeBatch());
  return true;
}

void SequencerThread::Commit() {
  while (!TryHandOver()) journal_.WaitUntilFree();
  journal_.WaitUntilFree();
}

}  // namespace warpbook::engine
