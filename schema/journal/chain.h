// Chain: how far a journal has been read, and so what its next batch and its next segment must be.
// Everything that reads a journal goes through it.
#pragma once

#include <cstdint>
#include <string>

#include "schema/base/crypto.h"
#include "schema/journal/format.h"
#include "schema/journal/segment_reader.h"

namespace warpbook::journal {

class Chain {
 public:
  // Before the journal's first segment.
  Chain() = default;
  // At the start of a segment, on its word: for a reader that does not begin at the first one.
  explicit Chain(const SegmentHeader& header)
      : segment_(header.number),
        epoch_(header.epoch),
        next_sequence_(header.first_sequence),
        batch_hash_(header.previous_batch_hash) {}

  // What keeps the segment from being the next one; "" where it is. `previous_is_whole`: the
  // segment before it has the size that it was made with (true before the first).
  std::string SegmentFault(const SegmentHeader& header, bool previous_is_whole) const;
  // What keeps the batch from being the next one of this segment; "" where it is.
  std::string BatchFault(const StoredBatch& batch) const;

  // Step over what had no fault.
  void Advance(const SegmentHeader& header);
  void Advance(const StoredBatch& batch);

  uint64_t segment() const { return segment_; }
  uint64_t epoch() const { return epoch_; }
  uint64_t next_sequence() const { return next_sequence_; }
  const Sha256Digest& batch_hash() const { return batch_hash_; }

 private:
  uint64_t segment_ = 0;
  uint64_t epoch_ = 0;
  uint64_t next_sequence_ = 1;
  Sha256Digest batch_hash_{};  // of the last batch
};

}  // namespace warpbook::journal
