// StatJournal: what lies in a journal's directory, for people and scripts. It reads headers only,
// no batches, takes no lock and changes nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/cursors.h"

namespace warpbook::journal {

struct SegmentStat {
  uint64_t number = 0;
  bool archived = false;
  uint64_t bytes = 0;
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t rules_version = 0;
  std::string fault;  // "": its header is right
};

struct SnapshotStat {
  uint64_t sequence = 0;
  uint64_t bytes = 0;
};

struct JournalStat {
  std::vector<SegmentStat> segments;    // ascending, the archived ones too
  std::vector<SnapshotStat> snapshots;  // ascending
  std::vector<Cursor> cursors;
  uint64_t durable_sequence = 0;  // the watermark; 0: there is none
  std::vector<std::string> torn;  // what recoveries have cut off and kept
  uint64_t free_bytes = 0;        // on its disk
};

// NotFound where there is no such directory.
absl::StatusOr<JournalStat> StatJournal(FileSystem& files, const std::string& directory);

}  // namespace warpbook::journal
