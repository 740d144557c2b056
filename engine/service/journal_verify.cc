#include "engine/service/journal_verify.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/service/engine_service.h"
#include "engine/service/replayer.h"
#include "engine/service/snapshot_file.h"
#include "schema/journal/format.h"
#include "schema/journal/snapshot_names.h"
#include "schema/journal/tail_reader.h"

namespace warpbook::engine {

namespace {

// Compares the snapshot of the engine's sequence with it.
absl::Status CompareSnapshot(FileSystem& files, const std::string& directory,
                             const Engine& engine) {
  const absl::StatusOr<SnapshotFile> file =
      ReadSnapshotFile(files, directory, engine.last_sequence().value());
  if (!file.ok()) return file.status();
  const std::vector<std::byte> bytes = engine.WriteSnapshot(file->rules_version);
  if (std::ranges::equal(bytes, file->engine)) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(journal::SnapshotPath(directory, engine.last_sequence().value()),
                   ": its engine is not what the journal makes up to there"));
}

}  // namespace

absl::StatusOr<JournalProof> VerifyJournal(FileSystem& files, const std::string& directory,
                                           const EngineLimits& limits) {
  absl::StatusOr<std::unique_ptr<journal::TailReader>> reader =
      journal::TailReader::Open(files, directory, 1);
  if (!reader.ok()) return reader.status();
  const absl::StatusOr<std::vector<uint64_t>> snapshots = journal::ListSnapshots(files, directory);
  if (!snapshots.ok()) return snapshots.status();
  Engine engine(limits);
  Replayer replayer(engine);
  JournalProof proof;
  while (true) {
    const absl::StatusOr<std::optional<journal::BatchView>> batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) break;
    const std::string fault = journal::RulesVersionFault((*batch)->rules_version, kRulesVersion);
    if (!fault.empty()) {
      return absl::DataLossError(absl::StrCat("the journal in ", directory, " from sequence ",
                                              (*batch)->first_sequence, " on: ", fault));
    }
    const absl::Status replayed = replayer.Replay(**batch);
    if (!replayed.ok()) return replayed;
    if (!std::ranges::binary_search(*snapshots, engine.last_sequence().value())) continue;
    const absl::Status same = CompareSnapshot(files, directory, engine);
    // One that was dropped meanwhile is no fault.
    if (absl::IsNotFound(same)) continue;
    if (!same.ok()) return same;
    ++proof.snapshots;
  }
  engine.CheckInvariants();
  proof.last_sequence = engine.last_sequence();
  proof.last_time = engine.last_time();
  proof.events = replayer.events();
  proof.event_hash = engine.event_hash();
  proof.state_hash = engine.StateHash();
  return proof;
}

}  // namespace warpbook::engine
