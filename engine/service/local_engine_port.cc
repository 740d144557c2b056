#include "engine/service/local_engine_port.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <thread>

#include "schema/base/check.h"

namespace warpbook::engine {

PortState::PortState(const ServiceLimits& limits, std::shared_ptr<Wakeup> sequencer,
                     std::shared_ptr<Wakeup> historian)
    : event_bytes_max_(limits.port_event_bytes_max),
      history_requests_max_(limits.port_history_requests_max),
      sequencer_(std::move(sequencer)),
      historian_(std::move(historian)),
      ready_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      ring_(limits.port_commands_max) {
  WARPBOOK_CHECK(ready_fd_ >= 0);
}

PortState::~PortState() { close(ready_fd_); }

size_t PortState::TrySubmit(std::span<const wire::CommandRecord> commands) {
  for (const wire::CommandRecord& command : commands) {
    const wire::RecordView view = command.view();
    WARPBOOK_CHECK(wire::IsCommand(view.type()) &&
                   view.header().size == wire::RecordSize(view.type()));
  }
  // Close() waits while this flag is up; both flags are sequentially consistent, so one of the two
  // sides sees the other.
  submitting_.store(true);
  const size_t taken =
      closed_.load() || lost_.load() ? 0 : ring_.push(commands.data(), commands.size());
  submitting_.store(false);
  if (taken > 0) sequencer_->Notify();
  return taken;
}

void PortState::Close() {
  closed_.store(true);
  while (submitting_.load()) std::this_thread::yield();  // the length of one copy
}

std::shared_ptr<const DurableBatch> PortState::Poll() {
  const std::lock_guard lock(mutex_);
  if (batches_.empty()) return nullptr;
  std::shared_ptr<const DurableBatch> batch = std::move(batches_.front());
  batches_.pop_front();
  batch_bytes_ -= batch->records.size();
  return batch;
}

void PortState::Abandon() {
  const std::lock_guard lock(mutex_);
  delivers_ = false;
  batches_.clear();
  history_requests_.clear();
  history_pages_.clear();
}

void PortState::Deliver(const std::shared_ptr<const DurableBatch>& batch) {
  {
    const std::lock_guard lock(mutex_);
    if (!delivers_) return;
    // One batch always fits, however large: a limit may not lose a port that keeps up.
    if (!batches_.empty() && batch_bytes_ + batch->records.size() > event_bytes_max_) {
      lost_.store(true);
      delivers_ = false;
      batches_.clear();
    } else {
      batches_.push_back(batch);
      batch_bytes_ += batch->records.size();
    }
  }
  Signal();
}

void PortState::Signal() const {
  const uint64_t one = 1;
  // Full means that it is readable already.
  [[maybe_unused]] const ssize_t written = write(ready_fd_, &one, sizeof one);
}

// ---- History ----

bool PortState::AskHistory(const HistoryRequest& request) {
  if (historian_ == nullptr) return false;
  {
    const std::lock_guard lock(mutex_);
    if (history_open_ >= history_requests_max_) return false;
    ++history_open_;
    history_requests_.push_back(request);
  }
  historian_->Notify();
  return true;
}

std::optional<HistoryRequest> PortState::TakeHistoryRequest() {
  const std::lock_guard lock(mutex_);
  if (history_requests_.empty()) return std::nullopt;
  const HistoryRequest request = history_requests_.front();
  history_requests_.pop_front();
  return request;
}

void PortState::AnswerHistory(std::unique_ptr<const HistoryPage> page) {
  {
    const std::lock_guard lock(mutex_);
    if (!delivers_) return;
    history_pages_.push_back(std::move(page));
  }
  Signal();
}

std::unique_ptr<const HistoryPage> PortState::PollHistory() {
  const std::lock_guard lock(mutex_);
  if (history_pages_.empty()) return nullptr;
  std::unique_ptr<const HistoryPage> page = std::move(history_pages_.front());
  history_pages_.pop_front();
  --history_open_;
  return page;
}

}  // namespace warpbook::engine
