#include "schema/journal/file_command_log.h"

#include <utility>

#include "schema/base/check.h"

namespace warpbook::journal {

FileCommandLog::FileCommandLog(FileSystem& files, std::string directory,
                               const Writer::Options& options)
    : files_(files), directory_(std::move(directory)), options_(options) {}

absl::StatusOr<LogEnd> FileCommandLog::Recover(const FindStart& find_start,
                                               const OnBatch& on_batch) {
  absl::StatusOr<LockedJournal> locked = LockJournal(files_, directory_);
  if (!locked.ok()) return locked.status();
  const absl::StatusOr<uint64_t> start = find_start == nullptr ? 0 : find_start();
  if (!start.ok()) return start.status();
  absl::StatusOr<RecoveredJournal> recovered =
      RecoverJournal(files_, *std::move(locked), options_.rules_version, *start, on_batch);
  if (!recovered.ok()) return recovered.status();
  recovered_ = *std::move(recovered);
  return LogEnd{recovered_->scan.last_sequence, recovered_->scan.epoch + 1,
                recovered_->repair_note};
}

absl::StatusOr<std::unique_ptr<LogAppender>> FileCommandLog::Begin() {
  WARPBOOK_CHECK(recovered_.has_value());
  RecoveredJournal journal = *std::move(recovered_);
  recovered_.reset();
  return Writer::Open(files_, std::move(journal), options_);
}

}  // namespace warpbook::journal
