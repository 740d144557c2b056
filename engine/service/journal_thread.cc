#include "engine/service/journal_thread.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "schema/base/check.h"
#include "schema/base/log.h"

namespace warpbook::engine {
namespace {

void EndProcessUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  Log(LogLevel::kError, "journal_failed",
      JsonObject().Text(
          "detail",
          absl::StrCat("the journal cannot be written (", status.ToString(),
                       "); the process ends at once, for what is on disk is not known; nothing "
                       "that was acknowledged is lost")));
  std::_Exit(kJournalFailedExitStatus);
}

}  // namespace

JournalThread::JournalThread(std::unique_ptr<journal::LogAppender> appender,
                             std::vector<std::shared_ptr<PortState>> ports,
                             std::shared_ptr<Wakeup> sequencer, EngineMetrics* metrics)
    : committer_(std::move(appender), std::move(ports), metrics), sequencer_(std::move(sequencer)) {
  thread_ = std::thread([this] { Run(); });
}

JournalThread::~JournalThread() { WARPBOOK_CHECK(!thread_.joinable()); }

bool JournalThread::TryReserve() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kFree) return false;
  state_ = State::kReserved;
  return true;
}

void JournalThread::HandOver(DurableBatch batch) {
  {
    const std::lock_guard lock(mutex_);
    WARPBOOK_CHECK(state_ == State::kReserved);
    batch_ = std::move(batch);
    state_ = State::kBusy;
  }
  changed_.notify_all();
}

void JournalThread::WaitUntilFree() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return state_ == State::kFree; });
}

void JournalThread::Finish() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return state_ == State::kFree; });
    finishing_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void JournalThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto has_work = [this] { return state_ == State::kBusy || finishing_; };
    if (!committer_.needs_idle_marker()) {
      changed_.wait(lock, has_work);
    } else if (!changed_.wait_for(lock, kIdleMarkerDelay, has_work)) {
      if (state_ == State::kReserved) continue;  // a batch is on its way
      state_ = State::kBusy;                     // meanwhile the sequencer gathers
      lock.unlock();
      EndProcessUnlessOk(committer_.WriteIdleMarker());
      BecomeFree(lock);
      continue;
    }
    if (finishing_) break;
    lock.unlock();
    EndProcessUnlessOk(committer_.Commit(std::move(batch_)));
    BecomeFree(lock);
  }
  lock.unlock();
  EndProcessUnlessOk(committer_.WriteIdleMarker());
}

void JournalThread::BecomeFree(std::unique_lock<std::mutex>& lock) {
  lock.lock();
  state_ = State::kFree;
  changed_.notify_all();
  sequencer_->Notify();
}

}  // namespace warpbook::engine
