#include "schema/types/state_stream.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "absl/strings/str_cat.h"

namespace warpbook {

struct StateWriter::Hash {
  XXH3_state_t state;
};

StateWriter::StateWriter(StateSink sink)
    : sink_(sink), piece_(new std::byte[kPieceSize]), hash_(std::make_unique<Hash>()) {
  XXH3_64bits_reset(&hash_->state);
}

StateWriter::~StateWriter() = default;

void StateWriter::HandOver() {
  XXH3_64bits_update(&hash_->state, piece_.get(), used_);
  sink_(std::span(piece_.get(), used_));
  length_ += used_;
  used_ = 0;
}

void StateWriter::Finish() { HandOver(); }

uint64_t StateWriter::hash() const { return XXH3_64bits_digest(&hash_->state); }

bool StateReader::Fail(std::string_view fault) {
  if (!ok()) return false;
  fault_ = absl::StrCat("at byte ", at_, " of the state, ",
                        absl::string_view(what_.data(), what_.size()));
  if (number_ != 0) absl::StrAppend(&fault_, " ", number_);
  absl::StrAppend(&fault_, ": ", absl::string_view(fault.data(), fault.size()));
  return false;
}

}  // namespace warpbook
