// HistoryThread: the thread that answers all ports' questions for history, one after the other and
// the ports in turn, so that none waits behind another's many.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "engine/service/history.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/wakeup.h"

namespace warpbook::engine {

// The thread's niceness: what is missed can wait for what happens.
inline constexpr int kHistoryNice = 5;

class HistoryThread {
 public:
  // `wakeup` is what the ports notify.
  HistoryThread(std::unique_ptr<History> history, std::vector<std::shared_ptr<PortState>> ports,
                std::shared_ptr<Wakeup> wakeup);
  ~HistoryThread() { Stop(); }
  HistoryThread(const HistoryThread&) = delete;
  HistoryThread& operator=(const HistoryThread&) = delete;

  // Ends the thread after the question that it is answering. Safe to repeat.
  void Stop();

 private:
  void Run();
  // Whether there was any question.
  bool AnswerOneOfEach();

  const std::unique_ptr<History> history_;
  const std::vector<std::shared_ptr<PortState>> ports_;
  const std::shared_ptr<Wakeup> wakeup_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace warpbook::engine
