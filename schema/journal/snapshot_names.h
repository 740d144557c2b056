// The snapshots of a journal: files `directory`/snapshots/00000000000000012345.snapshot, named by
// the sequence of the last command that is in them. What they hold is the engine's service's to
// say (engine/service/snapshot_file.h); here they count for what their names tell: whoever wrote
// one, wrote and synced it whole before it got its name, and had read the journal that far.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/base/file.h"

namespace warpbook::journal {

std::string SnapshotsDirectory(const std::string& directory);
std::string SnapshotName(uint64_t sequence);
std::string SnapshotPath(const std::string& directory, uint64_t sequence);

// Their sequences, ascending; none where there is no such directory.
absl::StatusOr<std::vector<uint64_t>> ListSnapshots(FileSystem& files,
                                                    const std::string& directory);

}  // namespace warpbook::journal
