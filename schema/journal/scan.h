// ScanJournal: reads a journal forward to where it ends, and judges that end (recovery_table.h). It
// begins at the first segment, the archived ones included, or at the one that holds what a snapshot
// does not. It changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/crypto.h"
#include "schema/base/file.h"
#include "schema/journal/command_log.h"

namespace warpbook::journal {

// A batch as it lies on disk.
struct StoredPlace {
  uint64_t segment = 0;
  uint64_t offset = 0;
  Sha256Digest hash{};
};

struct JournalScan {
  uint64_t segment = 0;  // the last one's number; 0: the journal is empty
  uint64_t epoch = 0;    // of the last segment
  uint64_t last_sequence = 0;
  Sha256Digest last_batch_hash{};
  uint64_t end_offset = 0;  // in the last segment, behind its last batch
  uint64_t torn_end = 0;    // behind the last byte of a torn write; 0: the end is clean
  // Batches, idle markers included, that no later header shows to have been durable: after a failed
  // sync and a restart, the page cache may show them and the disk not have them.
  std::vector<StoredPlace> unproven;
};

// Gives each batch with commands behind `after_sequence` (0: all) to `on_batch`, in order; an error
// of it ends the scan. DataLoss, with file, offset and reason, where the journal must not be used
// as it is. Rules of another version are a reason only for batches that are given.
absl::StatusOr<JournalScan> ScanJournal(FileSystem& files, const std::string& directory,
                                        uint32_t rules_version, uint64_t after_sequence,
                                        const OnBatch& on_batch);

}  // namespace warpbook::journal
