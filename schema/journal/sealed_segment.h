// SealedSegment: a segment that another one follows. Nothing is written to it any more, and its
// successor's header tells the sequence and the hash that it ends with: they prove what it holds.
// One thread owns it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/base/file.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {

class SealedSegment {
 public:
  // In the journal or in its archive; null where the segment has no successor. NotFound; DataLoss
  // names the file and its fault.
  static absl::StatusOr<std::unique_ptr<SealedSegment>> Open(FileSystem& files,
                                                             const std::string& directory,
                                                             uint64_t number);

  const SegmentHeader& header() const { return segment_->header(); }
  const SegmentHeader& successor() const { return successor_; }
  bool has_commands() const { return header().first_sequence < successor_.first_sequence; }

  // The batch at an offset that is known to have one. Valid until the next call; DataLoss.
  absl::StatusOr<StoredBatch> ReadBatch(uint64_t offset);
  // Gives every batch with its offset, in order. DataLoss where they do not lead from header to
  // successor; CancelledError where `stop` (may be null) came first.
  absl::Status ReadAll(const std::atomic<bool>* stop,
                       absl::FunctionRef<absl::Status(uint64_t, const StoredBatch&)> on_batch);

 private:
  SealedSegment(std::unique_ptr<SegmentReader> segment, const SegmentHeader& successor)
      : segment_(std::move(segment)), successor_(successor) {}
  absl::Status Damaged(uint64_t offset, const std::string& fault) const;

  const std::unique_ptr<SegmentReader> segment_;
  const SegmentHeader successor_;
};

}  // namespace warpbook::journal
