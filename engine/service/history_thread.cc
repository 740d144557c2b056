#include "engine/service/history_thread.h"

#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <utility>

namespace warpbook::engine {

HistoryThread::HistoryThread(std::unique_ptr<History> history,
                             std::vector<std::shared_ptr<PortState>> ports,
                             std::shared_ptr<Wakeup> wakeup)
    : history_(std::move(history)),
      ports_(std::move(ports)),
      wakeup_(std::move(wakeup)),
      thread_([this] { Run(); }) {}

void HistoryThread::Stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true);
  wakeup_->Notify();
  thread_.join();
}

void HistoryThread::Run() {
  // Linux gives each thread a niceness of its own; 0 is the caller.
  setpriority(PRIO_PROCESS, 0, kHistoryNice);
  while (!stopping_.load()) {
    if (!AnswerOneOfEach()) {
      wakeup_->WaitUntil(std::chrono::steady_clock::now() + std::chrono::hours(1));
    }
  }
}

bool HistoryThread::AnswerOneOfEach() {
  bool any = false;
  for (const std::shared_ptr<PortState>& port : ports_) {
    const std::optional<HistoryRequest> request = port->TakeHistoryRequest();
    if (!request || stopping_.load()) continue;
    port->AnswerHistory(history_->Answer(*request));
    any = true;
  }
  return any;
}

}  // namespace warpbook::engine
