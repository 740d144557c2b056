// RecoverJournal: makes a journal ready to be written again after any end of its writer: locks it,
// reads it (scan.h), and repairs its end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/scan.h"
#include "schema/journal/watermark.h"

namespace warpbook::journal {

// A journal that is whole, synced and locked: what Writer::Open continues.
struct RecoveredJournal {
  std::string directory;
  std::unique_ptr<DirectoryLock> lock;
  std::unique_ptr<Watermark> watermark;
  JournalScan scan;
  std::string repair_note;  // one sentence where a torn tail was cut, else empty
};

// Makes the directory where it is not there. Gives each batch with commands to `on_batch`; what
// that refuses, and what the recovery table refuses, leaves the journal as it was. Otherwise: a
// torn tail is copied to `directory`/torn and cut off, batches that no header proves durable are
// written again and synced, and the watermark is set.
absl::StatusOr<RecoveredJournal> RecoverJournal(FileSystem& files, const std::string& directory,
                                                uint32_t rules_version, const OnBatch& on_batch);

}  // namespace warpbook::journal
