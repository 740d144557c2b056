// RecoverEngine: an engine as a start finds it: the newest snapshot that can be used, and the
// replay of what the log holds behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/core/engine.h"
#include "engine/service/window_scheduler.h"
#include "schema/base/file.h"
#include "schema/journal/command_log.h"
#include "schema/types/ids.h"

namespace warpbook::engine {

struct EngineStart {
  std::string journal_directory;  // where its snapshots are
  EngineLimits limits;
  uint64_t index_secret = 0;
  bool from_snapshot = false;  // false: the whole log is replayed
  // Takes what a follower wrote into the snapshot; null: nobody asks for it. A snapshot that it
  // refuses, unchanged, is not used.
  std::function<absl::Status(std::span<const std::byte>)> on_restored;
  // Sees each replayed batch in order; what it refuses is the answer, and the log stays as it was.
  journal::OnBatch on_replayed;
};

struct RecoveredEngine {
  std::unique_ptr<Engine> engine;
  KnownWindows windows;
  Sequence snapshot_sequence;  // that of the snapshot it began at; 0: none
  std::string snapshot_note;   // which snapshots could not be used and why; empty: none
  journal::LogEnd end;
};

// Recovers the log, which must not have been recovered yet. DataLoss where the log is damaged, or
// the engine gives other events than are in it.
absl::StatusOr<RecoveredEngine> RecoverEngine(FileSystem& files, journal::CommandLog& log,
                                              const EngineStart& start);

}  // namespace warpbook::engine
