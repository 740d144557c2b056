#include "schema/journal/stat.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "schema/journal/archive.h"
#include "schema/journal/format.h"
#include "schema/journal/segment_reader.h"
#include "schema/journal/snapshot_names.h"
#include "schema/journal/watermark.h"

namespace warpbook::journal {
namespace {

absl::StatusOr<uint64_t> SizeOf(FileSystem& files, const std::string& path) {
  absl::StatusOr<std::unique_ptr<File>> file = files.Open(path, FileSystem::Mode::kRead);
  if (!file.ok()) return file.status();
  return (*file)->Size();
}

absl::StatusOr<SegmentStat> StatSegment(FileSystem& files, const std::string& directory,
                                        uint64_t number) {
  SegmentStat stat;
  stat.number = number;
  absl::StatusOr<uint64_t> size = SizeOf(files, SegmentPath(directory, number));
  if (absl::IsNotFound(size.status())) {
    stat.archived = true;
    size = SizeOf(files, SegmentPath(ArchiveDirectory(directory), number));
  }
  if (!size.ok()) return size.status();
  stat.bytes = *size;
  const absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
      SegmentReader::Open(files, directory, number);
  if (absl::IsDataLoss(segment.status())) {
    stat.fault = std::string(segment.status().message());
    return stat;
  }
  if (!segment.ok()) return segment.status();
  stat.epoch = (*segment)->header().epoch;
  stat.first_sequence = (*segment)->header().first_sequence;
  stat.rules_version = (*segment)->header().rules_version;
  return stat;
}

}  // namespace

absl::StatusOr<JournalStat> StatJournal(FileSystem& files, const std::string& directory) {
  const absl::StatusOr<std::vector<uint64_t>> numbers = ListAllSegments(files, directory);
  if (!numbers.ok()) return numbers.status();
  JournalStat stat;
  for (const uint64_t number : *numbers) {
    const absl::StatusOr<SegmentStat> segment = StatSegment(files, directory, number);
    if (!segment.ok()) return segment.status();
    stat.segments.push_back(*segment);
  }
  const absl::StatusOr<std::vector<uint64_t>> snapshots = ListSnapshots(files, directory);
  if (!snapshots.ok()) return snapshots.status();
  for (const uint64_t sequence : *snapshots) {
    const absl::StatusOr<uint64_t> size = SizeOf(files, SnapshotPath(directory, sequence));
    if (!size.ok()) return size.status();
    stat.snapshots.push_back({sequence, *size});
  }
  const absl::StatusOr<std::vector<Cursor>> cursors = ReadCursors(files, directory);
  if (!cursors.ok()) return cursors.status();
  stat.cursors = *cursors;
  const absl::StatusOr<std::unique_ptr<Watermark>> watermark = Watermark::Open(files, directory);
  if (watermark.ok()) stat.durable_sequence = (*watermark)->Load();
  const std::string torn_directory = absl::StrCat(directory, "/torn");
  if (absl::StatusOr<std::vector<std::string>> torn = files.List(torn_directory); torn.ok()) {
    stat.torn = *std::move(torn);
  }
  const absl::StatusOr<uint64_t> free = files.FreeBytes(directory);
  if (!free.ok()) return free.status();
  stat.free_bytes = *free;
  return stat;
}

}  // namespace warpbook::journal
