// FileCommandLog: the command log as the files of one directory (schema/journal/README.md). What is
// durable there survives the end of the process and the loss of power. A second process is refused
// by the directory's lock while the first one lives. Its readers: TailReader.
#pragma once

#include <optional>
#include <string>

#include "schema/base/file.h"
#include "schema/journal/command_log.h"
#include "schema/journal/recovery.h"
#include "schema/journal/writer.h"

namespace warpbook::journal {

class FileCommandLog final : public CommandLog {
 public:
  // Makes the directory at Recover where it is not there.
  FileCommandLog(FileSystem& files, std::string directory, const Writer::Options& options);

  absl::StatusOr<LogEnd> Recover(const FindStart& find_start, const OnBatch& on_batch) override;
  absl::StatusOr<std::unique_ptr<LogAppender>> Begin() override;

 private:
  FileSystem& files_;
  const std::string directory_;
  const Writer::Options options_;
  std::optional<RecoveredJournal> recovered_;  // between Recover and Begin
};

}  // namespace warpbook::journal
