// RecoverJournal: makes a journal ready to be written again after any end of its writer: locks it,
// reads it (scan.h), and repairs its end. Who starts from a snapshot locks it first, so that no
// other process goes on behind what the snapshot holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/scan.h"
#include "schema/journal/watermark.h"

namespace warpbook::journal {

struct LockedJournal {
  std::string directory;
  std::unique_ptr<DirectoryLock> lock;
};
// Makes the directory where it is not there. FailedPrecondition where another process has it.
absl::StatusOr<LockedJournal> LockJournal(FileSystem& files, const std::string& directory);

// A journal that is whole, synced and locked: what Writer::Open continues.
struct RecoveredJournal {
  std::string directory;
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<Watermark> watermark;
  JournalScan scan;
  std::string repair_note;  // one sentence where a torn tail was cut, else empty
};

// Gives each batch with commands behind `after_sequence` (a snapshot's; 0: all) to `on_batch`; what
// that refuses, and what the recovery table refuses, leaves the journal as it was. Otherwise: a
// torn tail is copied to `directory`/torn and cut off, batches that no header proves durable are
// written again and synced, and the watermark is set.
absl::StatusOr<RecoveredJournal> RecoverJournal(FileSystem& files, LockedJournal journal,
                                                uint32_t rules_version, uint64_t after_sequence,
                                                const OnBatch& on_batch);
// Locks it, and gives everything.
absl::StatusOr<RecoveredJournal> RecoverJournal(FileSystem& files, const std::string& directory,
                                                uint32_t rules_version, const OnBatch& on_batch);

}  // namespace warpbook::journal
