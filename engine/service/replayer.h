// Replayer: runs a journal's commands through an engine again and holds the events that it gives
// against those that are journaled, byte for byte. One thread owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/engine.h"
#include "schema/journal/command_log.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

class Replayer {
 public:
  // What is told every few seconds: nothing, a line for people on standard error, or an event of
  // the service's log.
  enum class Progress { kNone, kText, kLog };

  // The engine must outlive it and be as it was before the first batch.
  explicit Replayer(Engine& engine, Progress progress = Progress::kText)
      : engine_(engine), progress_(progress) {}

  // DataLoss, naming the sequence, where the engine gives other events than were journaled.
  absl::Status Replay(const journal::BatchView& batch);

  uint64_t commands() const { return commands_; }
  uint64_t events() const { return events_; }

 private:
  void TellProgress();

  Engine& engine_;
  const Progress progress_;
  wire::RecordWriter writer_;
  std::vector<wire::RecordView> commands_of_batch_;
  uint64_t commands_ = 0;
  uint64_t events_ = 0;
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

}  // namespace warpbook::engine
