// SequencerThread: the one thread that owns the engine. It lets the sequencer gather, hands each
// batch to the journal's thread as soon as that is free, and sleeps while there is nothing to do.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "engine/service/journal_thread.h"
#include "engine/service/sequencer.h"
#include "engine/service/storage_guard.h"
#include "engine/service/wakeup.h"

namespace warpbook::engine {

class SequencerThread {
 public:
  // Ports and journal notify `wakeup`.
  SequencerThread(Sequencer::Parts parts, StorageGuard guard, JournalThread& journal,
                  std::shared_ptr<Wakeup> wakeup);
  ~SequencerThread();
  SequencerThread(const SequencerThread&) = delete;
  SequencerThread& operator=(const SequencerThread&) = delete;

  // Submits the exchange's own first commands (system keys, windows, a tick) and, when they are
  // durable and published, starts the thread. FailedPrecondition, and no thread, where the engine
  // refuses a system key.
  absl::Status Start();
  // Ends the thread, with everything that the ports took and a last tick durable and published.
  void Stop();

 private:
  void Run();
  // With each tick a look at the disk.
  void RunTickIfDue();
  void Drain();
  // Hands the current batch over where there is one and the journal is free.
  bool TryHandOver();
  // Hands the current batch, which is there, over and waits until it is durable and published.
  void Commit();

  EngineMetrics* const metrics_;  // null: nothing is counted
  Sequencer sequencer_;
  StorageGuard guard_;
  JournalThread& journal_;
  const std::shared_ptr<Wakeup> wakeup_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace warpbook::engine
