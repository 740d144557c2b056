// Sequencer: gives every command its sequence and time, applies it to the engine, and gathers
// commands with their events into batches for the journal. It also submits the exchange's own
// commands: system keys, windows, ticks. It knows no thread and no file: its owner
// (SequencerThread) makes the steps, tells the time, and takes the batches.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/engine.h"
#include "engine/service/engine_metrics.h"
#include "engine/service/engine_port.h"
#include "engine/service/engine_service.h"
#include "engine/service/local_engine_port.h"
#include "engine/service/window_scheduler.h"
#include "schema/base/clock.h"
#include "schema/types/reject_reason.h"

namespace warpbook::engine {

class Sequencer {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Parts {
    Engine& engine;
    const Clock& market_clock;
    const EngineService::Options& options;
    std::vector<std::shared_ptr<PortState>> ports;
    KnownWindows windows;  // as replayed
    EngineMetrics* metrics = nullptr;
  };
  explicit Sequencer(Parts parts) : parts_(std::move(parts)) {}

  // FailedPrecondition where the engine refuses one.
  absl::Status SubmitSystemKeys();
  // Submits windows and a tick unless the next one is still to come.
  void RunTickIfDue(SteadyTime now);
  SteadyTime next_tick() const { return next_tick_; }
  // While the journal's disk is nearly full, what asks for something new is refused.
  void set_storage_low(bool low) { storage_low_ = low; }
  // Hands what it has tallied to the metrics, if there are any.
  void Report();
  // Takes some commands from each port, unless the batch is full; says whether there were any.
  bool Gather();
  // Ports take nothing more; what they took before can still be gathered.
  void ClosePorts();
  // The tick that closes the epoch, with a full checkpoint.
  void SubmitLastTick();

  bool has_batch() const { return command_count_ > 0; }
  bool batch_is_full() const;
  // Where there is one: the current batch; the next command begins another.
  DurableBatch TakeBatch();

 private:
  // Each command of one port's turn.
  void ApplyAll(std::span<wire::CommandRecord> commands);
  void SubmitWindows();
  void SubmitTick(uint8_t checkpoint);
  // Stamps and applies it into the current batch.
  void Apply(wire::CommandRecord& command);
  // The same for one of our own, whose events tell about windows. kNone, or why it was refused.
  RejectReason ApplyOwn(wire::CommandRecord command);

  Parts parts_;

  wire::RecordWriter records_;  // of the current batch
  uint64_t first_sequence_ = 0;
  uint32_t command_count_ = 0;

  SteadyTime next_tick_{};
  int ticks_until_checkpoint_ = 0;
  int ticks_until_opening_ = 0;  // not 0: windows were refused, and are tried again then
  size_t first_port_ = 0;        // the one whose turn it is
  bool storage_low_ = false;
  HistogramTally match_duration_{Metric::kEngineMatchDuration};
};

}  // namespace warpbook::engine
