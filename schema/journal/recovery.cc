#include "schema/journal/recovery.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "schema/journal/format.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {
namespace {

std::string ParentOf(const std::string& directory) {
  const size_t slash = directory.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : directory.substr(0, slash);
}

absl::Status MakeSyncedDirectory(FileSystem& files, const std::string& directory) {
  const absl::Status made = files.MakeDirectory(directory);
  if (!made.ok()) return made;
  return files.SyncDirectory(ParentOf(directory));
}

// Copies the bytes behind the last batch to a file of their own, synced.
absl::Status KeepTornTail(FileSystem& files, const std::string& directory, const JournalScan& scan,
                          std::string& note) {
  const std::string torn_directory = absl::StrCat(directory, "/torn");
  const absl::Status made = MakeSyncedDirectory(files, torn_directory);
  if (!made.ok()) return made;
  const std::string path = SegmentPath(directory, scan.segment);
  absl::StatusOr<std::unique_ptr<File>> segment = files.Open(path, FileSystem::Mode::kRead);
  if (!segment.ok()) return segment.status();
  std::string bytes(scan.torn_end - scan.end_offset, '\0');
  const absl::StatusOr<size_t> count =
      ReadFully(**segment, scan.end_offset, std::as_writable_bytes(std::span(bytes)));
  if (!count.ok()) return count.status();
  const std::string name = absl::StrCat(SegmentName(scan.segment), ".", scan.end_offset);
  const absl::Status kept = ReplaceFile(files, torn_directory, name, bytes);
  if (!kept.ok()) return kept;
  note = absl::StrCat("cut a torn write of ", bytes.size(), " bytes from ", path, " at offset ",
                      scan.end_offset, ", behind sequence ", scan.last_sequence, "; a copy is in ",
                      torn_directory, "/", name);
  return absl::OkStatus();
}

absl::Status CutBehindLastBatch(FileSystem& files, const std::string& directory,
                                const JournalScan& scan) {
  absl::StatusOr<std::unique_ptr<File>> segment =
      files.Open(SegmentPath(directory, scan.segment), FileSystem::Mode::kReadWrite);
  if (!segment.ok()) return segment.status();
  const absl::Status cut = (*segment)->Truncate(scan.end_offset);
  if (!cut.ok()) return cut;
  return (*segment)->SyncData();
}

absl::Status WriteAgain(FileSystem& files, const std::string& directory, const StoredPlace& place) {
  const absl::StatusOr<std::unique_ptr<SegmentReader>> reader =
      SegmentReader::Open(files, directory, place.segment);
  if (!reader.ok()) return reader.status();
  const absl::StatusOr<std::optional<StoredBatch>> batch = (*reader)->ReadBatch(place.offset);
  if (!batch.ok()) return batch.status();
  const std::string path = SegmentPath(directory, place.segment);
  if (!batch->has_value() || (*batch)->hash != place.hash) {
    return absl::DataLossError(
        absl::StrCat(path, ", offset ", place.offset, ": the batch changed while it was read"));
  }
  const StoredBatch& stored = **batch;
  std::vector<std::byte> bytes(stored.end_offset - place.offset);
  const auto header = std::as_bytes(std::span(&stored.header, 1));
  std::copy(header.begin(), header.end(), bytes.begin());
  std::copy(stored.body.begin(), stored.body.end(), bytes.begin() + sizeof(BatchHeader));
  absl::StatusOr<std::unique_ptr<File>> segment = files.Open(path, FileSystem::Mode::kReadWrite);
  if (!segment.ok()) return segment.status();
  const absl::Status written = WriteFully(**segment, place.offset, bytes);
  if (!written.ok()) return written;
  return (*segment)->SyncData();
}

absl::Status Repair(FileSystem& files, const std::string& directory, const JournalScan& scan,
                    std::string& note) {
  if (scan.segment == 0) return absl::OkStatus();
  if (scan.torn_end > 0) {
    const absl::Status kept = KeepTornTail(files, directory, scan, note);
    if (!kept.ok()) return kept;
  }
  // The zeros that were made ahead go as well: the writer goes on in a segment of its own epoch.
  // Also where the file ends there already: a recovery that was interrupted may have left it so in
  // the page cache only.
  const absl::Status cut = CutBehindLastBatch(files, directory, scan);
  if (!cut.ok()) return cut;
  for (const StoredPlace& place : scan.unproven) {
    const absl::Status written = WriteAgain(files, directory, place);
    if (!written.ok()) return written;
  }
  return files.SyncDirectory(directory);
}

}  // namespace

absl::StatusOr<LockedJournal> LockJournal(FileSystem& files, const std::string& directory) {
  LockedJournal journal;
  journal.directory = directory;
  while (journal.directory.size() > 1 && journal.directory.back() == '/') {
    journal.directory.pop_back();
  }
  const absl::Status made = MakeSyncedDirectory(files, journal.directory);
  if (!made.ok()) return made;
  absl::StatusOr<std::unique_ptr<DirectoryLock>> lock = files.Lock(journal.directory);
  if (!lock.ok()) return lock.status();
  journal.lock = *std::move(lock);
  return journal;
}

absl::StatusOr<RecoveredJournal> RecoverJournal(FileSystem& files, LockedJournal journal,
                                                uint32_t rules_version, uint64_t after_sequence,
                                                const OnBatch& on_batch) {
  RecoveredJournal recovered;
  recovered.directory = std::move(journal.directory);
  recovered.lock = std::move(journal.lock);
  absl::StatusOr<JournalScan> scan =
      ScanJournal(files, recovered.directory, rules_version, after_sequence, on_batch);
  if (!scan.ok()) return scan.status();
  recovered.scan = *std::move(scan);
  const absl::Status repaired =
      Repair(files, recovered.directory, recovered.scan, recovered.repair_note);
  if (!repaired.ok()) return repaired;
  absl::StatusOr<std::unique_ptr<Watermark>> watermark =
      Watermark::Create(files, recovered.directory, recovered.scan.last_sequence);
  if (!watermark.ok()) return watermark.status();
  recovered.watermark = *std::move(watermark);
  return recovered;
}

absl::StatusOr<RecoveredJournal> RecoverJournal(FileSystem& files, const std::string& directory,
                                                uint32_t rules_version, const OnBatch& on_batch) {
  absl::StatusOr<LockedJournal> journal = LockJournal(files, directory);
  if (!journal.ok()) return journal.status();
  return RecoverJournal(files, *std::move(journal), rules_version, 0, on_batch);
}

}  // namespace warpbook::journal
