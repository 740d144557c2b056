// TailReader: reads a journal from any process, batch by batch in order, while another one writes
// it: the files' LogReader. It needs no lock and never shows what is not durable: it reads no
// further than the watermark (schema/journal/watermark.h). Format: schema/journal/README.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/command_log.h"

namespace warpbook::journal {

class TailReader : public LogReader {
 public:
  // Opens the journal in `directory`; the first batch given is the one that holds command
  // `from_sequence` (or begins there). A journal that is not there yet is NotFound; a sequence
  // further away than the next one, or before the first segment, is OutOfRange.
  static absl::StatusOr<std::unique_ptr<TailReader>> Open(const std::string& directory,
                                                          uint64_t from_sequence);
  static absl::StatusOr<std::unique_ptr<TailReader>> Open(FileSystem& files,
                                                          const std::string& directory,
                                                          uint64_t from_sequence);
};

// A reader of the journal tells how far it has durably gone (settlement, after each commit):
// recovery refuses to cut the journal below any cursor, and retention keeps what is above. Written
// whole to `directory`/cursors/`name`, synced and renamed.
absl::Status WriteCursor(const std::string& directory, const std::string& name, uint64_t sequence);

}  // namespace warpbook::journal
