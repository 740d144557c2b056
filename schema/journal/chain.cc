#include "schema/journal/chain.h"

#include "absl/strings/str_cat.h"

namespace warpbook::journal {
std::string Chain::SegmentFault(const SegmentHeader& header, bool previous_is_whole) const {
  if (header.number != segment_ + 1) return "it is out of order";
  if (header.epoch < epoch_) {
    return absl::StrCat("it is out of order: its epoch ", header.epoch, " follows epoch ", epoch_);
  }
  if (header.first_sequence != next_sequence_) {
    return absl::StrCat("it begins at sequence ", header.first_sequence, ", not at ",
                        next_sequence_);
  }
  if (header.previous_batch_hash != batch_hash_) {
    return "its hash of the batch before it is another";
  }
  if (header.epoch == epoch_ && !previous_is_whole) {
    return "the segment before it was cut, yet its epoch is not higher";
  }
  return "";
}

std::string Chain::BatchFault(const StoredBatch& batch) const {
  const BatchHeader& header = batch.header;
  if (header.epoch != epoch_) {
    return absl::StrCat("its epoch is ", header.epoch, ", its segment's is ", epoch_);
  }
  if (header.first_sequence != next_sequence_) {
    return absl::StrCat("it begins at sequence ", header.first_sequence, ", not at ",
                        next_sequence_);
  }
  if (header.previous_batch_hash != batch_hash_) {
    return "its hash of the batch before it is another";
  }
  if (header.durable_sequence >= header.first_sequence) {
    return "it says that it was durable before it was written";
  }
  return batch.records_fault;
}

void Chain::Advance(const SegmentHeader& header) {
  segment_ = header.number;
  epoch_ = header.epoch;
}

void Chain::Advance(const StoredBatch& batch) {
  next_sequence_ += batch.header.command_count;
  batch_hash_ = batch.hash;
}

}  // namespace warpbook::journal
