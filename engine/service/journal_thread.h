// JournalThread: the thread that makes batches durable and publishes them. It holds one batch at a
// time; while it writes and syncs one, the sequencer gathers the next.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/service/committer.h"
#include "engine/service/engine_port.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/wakeup.h"
#include "schema/journal/command_log.h"

namespace warpbook::engine {

class JournalThread {
 public:
  // `sequencer` is notified whenever the thread becomes free. `metrics` null: nothing is counted.
  JournalThread(std::unique_ptr<journal::LogAppender> appender,
                std::vector<std::shared_ptr<PortState>> ports, std::shared_ptr<Wakeup> sequencer,
                EngineMetrics* metrics = nullptr);
  ~JournalThread();
  JournalThread(const JournalThread&) = delete;
  JournalThread& operator=(const JournalThread&) = delete;

  // The sequencer's thread. Whether the thread is free; if it is, it stays so until HandOver.
  bool TryReserve();
  // After TryReserve.
  void HandOver(DurableBatch batch);
  // Waits until every batch that was handed over is durable and published.
  void WaitUntilFree();

  // The owner, when nothing more will be handed over: puts the durable sequence on disk and ends
  // the thread.
  void Finish();

 private:
  enum class State { kFree, kReserved, kBusy };
  void Run();
  void BecomeFree(std::unique_lock<std::mutex>& lock);

  Committer committer_;
  const std::shared_ptr<Wakeup> sequencer_;

  std::mutex mutex_;  // guards state_ and finishing_; batch_ belongs to the thread while busy
  std::condition_variable changed_;
  State state_ = State::kFree;
  bool finishing_ = false;
  DurableBatch batch_;
  std::thread thread_;
};

}  // namespace warpbook::engine
