// EngineMetrics: what the engine's service exports. Nothing of it costs the matching anything worth
// mentioning: commands are counted by the journal's thread, which walks each batch in any case; the
// sequencer's reads a clock twice for every 64 commands that it takes together, and hands over what
// it has tallied once a second.
//
// Each method belongs to the thread that is said with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/core/engine.h"
#include "engine/service/engine_service.h"
#include "schema/metrics/metrics.h"
#include "schema/wire/record.h"

namespace warpbook::engine {

// The journal's thread: the commands of batches by type, and how many of them were refused.
class CommandTally {
 public:
  // A record of a batch, which is durable. Events follow their command.
  void Add(wire::RecordView record);

  struct Count {
    uint64_t applied = 0, rejected = 0;
  };
  // By type; those of no type are 0.
  static constexpr size_t kTypesMax = 128;
  std::array<Count, kTypesMax>& counts() { return counts_; }

 private:
  Count* CountOf(uint16_t type) { return type < kTypesMax ? &counts_[type] : nullptr; }
  std::array<Count, kTypesMax> counts_ = {};
};

class EngineMetrics {
 public:
  EngineMetrics(Metrics& metrics, const ServiceLimits& limits);

  // The sequencer's thread, once a second. `queued`: commands in the fullest port.
  void OnTick(const Engine& engine, size_t queued, HistogramTally& match_duration);
  void OnDisk(std::optional<uint64_t> free_bytes, bool storage_low);

  // The journal's thread: a batch is durable, after so many nanoseconds.
  void OnDurable(const DurableBatch& batch, CommandTally& commands, int64_t took_ns);

  // The snapshots' thread.
  void OnSnapshot(Sequence sequence);
  void OnSnapshotFailed() { snapshot_failures_.Add(1); }

 private:
  struct Results {
    std::optional<Counter> accepted, rejected;
  };

  Metrics& metrics_;
  Histogram match_duration_, sync_duration_;
  Gauge resting_bids_, resting_asks_, queue_depth_, sequence_, free_bytes_, storage_low_;
  Gauge snapshot_sequence_;
  Counter journal_bytes_, snapshot_failures_;
  // Resolved when the first command of a type comes. The journal's thread.
  std::array<Results, CommandTally::kTypesMax> commands_ = {};
};

}  // namespace warpbook::engine
