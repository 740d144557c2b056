#include "schema/journal/sealed_segment.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "schema/journal/chain.h"

namespace warpbook::journal {

absl::StatusOr<std::unique_ptr<SealedSegment>> SealedSegment::Open(FileSystem& files,
                                                                   const std::string& directory,
                                                                   uint64_t number) {
  absl::StatusOr<std::unique_ptr<SegmentReader>> segment =
      SegmentReader::Open(files, directory, number);
  if (!segment.ok()) return segment.status();
  const absl::StatusOr<std::unique_ptr<SegmentReader>> successor =
      SegmentReader::Open(files, directory, number + 1);
  if (absl::IsNotFound(successor.status())) return nullptr;
  if (!successor.ok()) return successor.status();
  return std::unique_ptr<SealedSegment>(
      new SealedSegment(*std::move(segment), (*successor)->header()));
}

absl::StatusOr<StoredBatch> SealedSegment::ReadBatch(uint64_t offset) {
  const absl::StatusOr<std::optional<StoredBatch>> batch = segment_->ReadBatch(offset);
  if (!batch.ok()) return batch.status();
  if (!batch->has_value()) return Damaged(offset, "there is no batch");
  if (!(*batch)->records_fault.empty()) return Damaged(offset, (*batch)->records_fault);
  if ((*batch)->header.epoch != header().epoch) return Damaged(offset, "it is of another epoch");
  return **batch;
}

absl::Status SealedSegment::ReadAll(
    const std::atomic<bool>* stop,
    absl::FunctionRef<absl::Status(uint64_t, const StoredBatch&)> on_batch) {
  Chain chain(header());
  uint64_t offset = kPageSize;
  while (true) {
    if (stop != nullptr && stop->load()) return absl::CancelledError("it was stopped");
    const absl::StatusOr<std::optional<StoredBatch>> batch = segment_->ReadBatch(offset);
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) break;
    const std::string fault = chain.BatchFault(**batch);
    if (!fault.empty()) return Damaged(offset, fault);
    const absl::Status taken = on_batch(offset, **batch);
    if (!taken.ok()) return taken;
    chain.Advance(**batch);
    offset = (*batch)->end_offset;
  }
  const absl::StatusOr<uint64_t> size = segment_->Size();
  if (!size.ok()) return size.status();
  const std::string fault = chain.SegmentFault(successor_, *size == header().segment_size);
  if (fault.empty()) return absl::OkStatus();
  return Damaged(offset, absl::StrCat("its batches end, and of the next segment: ", fault));
}

absl::Status SealedSegment::Damaged(uint64_t offset, const std::string& fault) const {
  return absl::DataLossError(absl::StrCat(segment_->path(), ", offset ", offset, ": ", fault));
}

}  // namespace warpbook::journal
