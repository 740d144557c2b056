// Sequencer: the one thread that owns the engine. It gives every command its sequence and time,
// applies it, and gathers commands with their events into batches for the journal's thread. It also
// submits the exchange's own commands: system keys, windows, ticks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/engine.h"
#include "engine/service/engine_port.h"
#include "engine/service/engine_service.h"
#include "engine/service/journal_thread.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/wakeup.h"
#include "engine/service/window_scheduler.h"
#include "schema/base/clock.h"
#include "schema/types/reject_reason.h"

namespace warpbook::engine {

class Sequencer {
 public:
  struct Parts {
    Engine& engine;
    const Clock& market_clock;
    const EngineService::Options& options;
    JournalThread& journal;
    std::vector<std::shared_ptr<PortState>> ports;
    std::shared_ptr<Wakeup> wakeup;
    KnownWindows windows;  // as replayed
  };
  explicit Sequencer(Parts parts) : parts_(std::move(parts)) {}

  // Before Run, on any one thread: submits the exchange's own first commands (system keys, windows,
  // a tick) and returns when they are durable and published. FailedPrecondition where the engine
  // refuses a system key.
  absl::Status Begin();
  // The body of its thread; returns after RequestStop, with everything handed over and durable.
  void Run();
  // Any thread.
  void RequestStop();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  absl::Status SubmitSystemKeys();
  void SubmitWindows();
  void SubmitTick(uint8_t checkpoint);
  void RunTickIfDue();
  // Takes some commands from each port, unless the batch is full; says whether there were any.
  bool Gather();
  void Drain();
  // Stamps and applies it into the current batch.
  void Apply(wire::CommandRecord& command);
  // The same for one of our own, whose events tell about windows. kNone, or why it was refused.
  RejectReason ApplyOwn(wire::CommandRecord command);
  bool BatchIsFull() const;
  // Hands the current batch over where there is one and the journal is free.
  bool TryHandOver();

  Parts parts_;
  std::atomic<bool> stopping_ = false;

  wire::RecordWriter records_;  // of the current batch
  uint64_t first_sequence_ = 0;
  uint32_t command_count_ = 0;

  SteadyTime next_tick_{};
  int ticks_until_checkpoint_ = 0;
  int ticks_until_opening_ = 0;  // not 0: windows were refused, and are tried again then
  size_t first_port_ = 0;        // the one whose turn it is
};

}  // namespace warpbook::engine
