// TailReader: reads a journal from any process, batch by batch in order, while another one writes
// it. It needs no lock and never shows what is not durable: it reads no further than the watermark
// (schema/journal/watermark.h). Format: schema/journal/README.md. One thread owns a reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"

namespace warpbook::journal {

// One durable batch; `records` (schema/wire/record.h, validated) is valid until the next call of
// Next().
struct BatchView {
  uint64_t epoch = 0;
  uint64_t first_sequence = 0;
  uint32_t command_count = 0;
  uint32_t event_count = 0;
  std::span<const std::byte> records;
  uint32_t rules_version = 0;  // that of its segment: who executes its commands again looks at it
};

class TailReader {
 public:
  // Opens the journal in `directory`; the first batch given is the one that holds command
  // `from_sequence` (or begins there). A journal that is not there yet is NotFound; a sequence
  // further away than the next one, or before the first segment, is OutOfRange.
  static absl::StatusOr<std::unique_ptr<TailReader>> Open(const std::string& directory,
                                                          uint64_t from_sequence);
  static absl::StatusOr<std::unique_ptr<TailReader>> Open(FileSystem& files,
                                                          const std::string& directory,
                                                          uint64_t from_sequence);
  virtual ~TailReader() = default;

  // The next durable batch with commands; nullopt where there is none yet. DataLoss, with file and
  // offset, where the journal is damaged below the watermark.
  virtual absl::StatusOr<std::optional<BatchView>> Next() = 0;
};

// A reader of the journal tells how far it has durably gone (settlement, after each commit):
// recovery refuses to cut the journal below any cursor, and retention keeps what is above. Written
// whole to `directory`/cursors/`name`, synced and renamed.
absl::Status WriteCursor(const std::string& directory, const std::string& name, uint64_t sequence);

}  // namespace warpbook::journal
