// SegmentReader: what stands at a place of one segment. It judges a batch by itself, by its
// checksums and its records; whether it continues the journal is Chain's to say. One thread owns a
// reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/crypto.h"
#include "schema/base/file.h"
#include "schema/journal/format.h"

namespace warpbook::journal {

// A batch whose checksums are right. `body` is valid until the reader's next call.
struct StoredBatch {
  BatchHeader header;
  std::span<const std::byte> body;
  Sha256Digest hash{};  // of header and body: the next batch's previous_batch_hash
  uint64_t end_offset = 0;
  std::string records_fault;  // what is wrong with its records; "" where nothing is
};

// What is left of a segment from an offset on.
struct SegmentRest {
  uint64_t nonzero_end = 0;                 // behind the last byte that is not 0; 0: all are
  std::optional<uint64_t> batch_at_offset;  // of the first whole batch in it
};

// The numbers of the segments in a folder, ascending: a journal's, without those in its archive.
absl::StatusOr<std::vector<uint64_t>> ListSegments(FileSystem& files, const std::string& directory);
// Those in the archive (schema/journal/archive.h) too.
absl::StatusOr<std::vector<uint64_t>> ListAllSegments(FileSystem& files,
                                                      const std::string& directory);

class SegmentReader {
 public:
  // Opens segment `number`, in the journal or in its archive, and checks its header. NotFound;
  // DataLoss names the file and its fault.
  static absl::StatusOr<std::unique_ptr<SegmentReader>> Open(FileSystem& files,
                                                             const std::string& directory,
                                                             uint64_t number);

  const SegmentHeader& header() const { return header_; }
  const std::string& path() const { return path_; }
  absl::StatusOr<uint64_t> Size() { return file_->Size(); }

  // The batch at the offset; nullopt where there is none: the end, zeros, or bytes that are not a
  // batch.
  absl::StatusOr<std::optional<StoredBatch>> ReadBatch(uint64_t offset);
  // The same in two steps, by way of the caller's buffer, into which the body points: the first
  // says how long the batch is.
  absl::StatusOr<std::optional<BatchHeader>> ReadHeader(uint64_t offset,
                                                        std::vector<std::byte>& buffer);
  absl::StatusOr<std::optional<StoredBatch>> ReadBody(const BatchHeader& header, uint64_t offset,
                                                      std::vector<std::byte>& buffer);

  // Looks at everything from the offset on.
  absl::StatusOr<SegmentRest> ReadRest(uint64_t offset);

 private:
  SegmentReader(std::string path, std::unique_ptr<File> file, const SegmentHeader& header)
      : path_(std::move(path)), file_(std::move(file)), header_(header) {}

  const std::string path_;
  const std::unique_ptr<File> file_;
  const SegmentHeader header_;
  std::vector<std::byte> buffer_;
};

}  // namespace warpbook::journal
