#include "engine/service/engine_recovery.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/service/replayer.h"
#include "engine/service/snapshotter.h"
#include "schema/wire/record.h"

namespace warpbook::engine {
namespace {

// The engine as a snapshot has it, or a new one.
absl::Status LoadState(FileSystem& files, const EngineStart& start, RecoveredEngine& recovered) {
  if (!start.from_snapshot) {
    recovered.engine = std::make_unique<Engine>(start.limits, start.index_secret);
    return absl::OkStatus();
  }
  absl::StatusOr<LoadedState> loaded = LoadNewestSnapshot(
      files, start.journal_directory, start.limits, start.index_secret, start.on_restored);
  if (!loaded.ok()) return loaded.status();
  recovered.engine = std::move(loaded->engine);
  recovered.windows = KnownWindows(*recovered.engine);
  recovered.snapshot_sequence = loaded->sequence;
  recovered.snapshot_note = loaded->note;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecoveredEngine> RecoverEngine(FileSystem& files, journal::CommandLog& log,
                                              const EngineStart& start) {
  RecoveredEngine recovered;
  std::optional<Replayer> replayer;
  const auto find_start = [&]() -> absl::StatusOr<uint64_t> {
    const absl::Status loaded = LoadState(files, start, recovered);
    if (!loaded.ok()) return loaded;
    replayer.emplace(*recovered.engine, Replayer::Progress::kLog);
    return recovered.snapshot_sequence.value();
  };
  const auto on_batch = [&](const journal::BatchView& batch) {
    const absl::Status replayed = replayer->Replay(batch);
    if (!replayed.ok()) return replayed;
    for (const wire::RecordView record : wire::Records(batch.records)) {
      recovered.windows.Observe(record);
    }
    return start.on_replayed == nullptr ? absl::OkStatus() : start.on_replayed(batch);
  };
  const absl::StatusOr<journal::LogEnd> end = log.Recover(find_start, on_batch);
  if (end.ok()) {
    recovered.end = *end;
    return recovered;
  }
  // Why it did not begin at a snapshot may be why it was refused.
  if (recovered.snapshot_note.empty()) return end.status();
  return absl::Status(end.status().code(),
                      absl::StrCat(end.status().message(), " (", recovered.snapshot_note, ")"));
}

}  // namespace warpbook::engine
