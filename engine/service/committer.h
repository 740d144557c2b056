// Committer: makes batches durable, and only then publishes them to the ports. One thread owns it
// (JournalThread's).
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/service/engine_metrics.h"
#include "engine/service/engine_port.h"
#include "engine/service/local_engine_port.h"
#include "schema/journal/command_log.h"

namespace warpbook::engine {

// 5-journal of the design: the durable sequence is on disk within 10 ms of falling idle.
inline constexpr std::chrono::milliseconds kIdleMarkerDelay(5);

class Committer {
 public:
  // `metrics` null: nothing is counted.
  Committer(std::unique_ptr<journal::LogAppender> appender,
            std::vector<std::shared_ptr<PortState>> ports, EngineMetrics* metrics = nullptr);

  // Writes and syncs the batch and gives it to every port. A fault is final: what is on disk is not
  // known then, and nothing was given.
  absl::Status Commit(DurableBatch batch);

  // Whether nothing on disk tells yet that the last batch was durable. If no other batch comes
  // within kIdleMarkerDelay, and before the end, the owner has it written.
  bool needs_idle_marker() const { return appender_->needs_idle_marker(); }
  absl::Status WriteIdleMarker() { return appender_->WriteIdleMarker(); }

 private:
  const std::unique_ptr<journal::LogAppender> appender_;
  const std::vector<std::shared_ptr<PortState>> ports_;
  EngineMetrics* const metrics_;
  CommandTally commands_;
};

}  // namespace warpbook::engine
