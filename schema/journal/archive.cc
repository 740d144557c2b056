#include "schema/journal/archive.h"

#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "schema/journal/format.h"
#include "schema/journal/segment_reader.h"
#include "schema/wire/record.h"

namespace warpbook::journal {
namespace {

// When a segment's first command came; nullopt where it has none yet.
absl::StatusOr<std::optional<Timestamp>> FirstTime(SegmentReader& segment) {
  uint64_t offset = kPageSize;
  while (true) {
    const absl::StatusOr<std::optional<StoredBatch>> batch = segment.ReadBatch(offset);
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) return std::nullopt;
    // Past idle markers.
    if ((*batch)->header.command_count > 0) {
      const wire::RecordView first((*batch)->body.data());
      if (!wire::IsCommand(first.type())) return std::nullopt;
      return Timestamp(first.command_header().time_us());
    }
    offset = (*batch)->end_offset;
  }
}

// Whether everything before this segment may go.
absl::StatusOr<bool> BeginsEarlyEnough(FileSystem& files, const std::string& directory,
                                       uint64_t number, const Retention& retention) {
  const absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
      SegmentReader::Open(files, directory, number);
  if (!segment.ok()) return segment.status();
  if ((*segment)->header().first_sequence > retention.from_sequence) return false;
  const absl::StatusOr<std::optional<Timestamp>> time = FirstTime(**segment);
  if (!time.ok()) return time.status();
  return time->has_value() && **time <= retention.from_time;
}

}  // namespace

std::string ArchiveDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/archive");
}

absl::StatusOr<int> ArchiveSegments(FileSystem& files, const std::string& directory,
                                    const Retention& retention) {
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListSegments(files, directory);
  if (!numbers.ok()) return numbers.status();
  const std::string archive = ArchiveDirectory(directory);
  int moved = 0;
  for (size_t i = 0; i + 1 < numbers->size(); ++i) {
    const absl::StatusOr<bool> may_go =
        BeginsEarlyEnough(files, directory, (*numbers)[i + 1], retention);
    if (!may_go.ok()) return may_go.status();
    if (!*may_go) break;
    if (moved == 0) {
      absl::Status made = files.MakeDirectory(archive);
      if (made.ok()) made = files.SyncDirectory(directory);
      if (!made.ok()) return made;
    }
    const absl::Status renamed =
        files.Rename(SegmentPath(directory, (*numbers)[i]), SegmentPath(archive, (*numbers)[i]));
    if (!renamed.ok()) return renamed;
    ++moved;
  }
  if (moved == 0) return 0;
  // The name in the archive first.
  absl::Status synced = files.SyncDirectory(archive);
  if (synced.ok()) synced = files.SyncDirectory(directory);
  if (!synced.ok()) return synced;
  return moved;
}

}  // namespace warpbook::journal
