// Cursors: how far the journal's readers have durably gone (`directory`/cursors/<reader>, written
// by WriteCursor of schema/journal/tail_reader.h). One line of text each:
//
//   sequence 12345 crc32c 0a1b2c3d
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/base/file.h"

namespace warpbook::journal {

struct Cursor {
  std::string name;
  uint64_t sequence = 0;
};

// All cursors, by name; none where the directory is not there. DataLoss names one that cannot be
// read: what it protects is not known.
absl::StatusOr<std::vector<Cursor>> ReadCursors(FileSystem& files, const std::string& directory);

absl::Status WriteCursor(FileSystem& files, const std::string& directory, const std::string& name,
                         uint64_t sequence);

}  // namespace warpbook::journal
