// The archive: segments that no start, no settlement and no resume needs any more are moved to
// `directory`/archive. They are never deleted by us, and everything that reads a journal finds them
// there too; whoever runs the exchange may take the oldest ones elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/types/timestamp.h"

namespace warpbook::journal {

std::string ArchiveDirectory(const std::string& directory);

// What must stay: commands from this sequence on, and those from this time on.
struct Retention {
  uint64_t from_sequence = 1;
  Timestamp from_time;
};

// Moves every segment, oldest first, that holds nothing that must stay; never the last one. Says
// how many. The journal may be written meanwhile; one process does this at a time.
absl::StatusOr<int> ArchiveSegments(FileSystem& files, const std::string& directory,
                                    const Retention& retention);

}  // namespace warpbook::journal
