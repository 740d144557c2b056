// Follower: a state beside the engine's that is a function of the journal too, such as what a
// gateway answers from. It is part of each snapshot, so that a start needs no older batches.
#pragma once

#include <cstddef>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/service/engine_port.h"

namespace warpbook::engine {

class Follower {
 public:
  virtual ~Follower() = default;
  // The next batch, without a gap.
  virtual absl::Status Apply(const DurableBatch& batch) = 0;
  // Hands its bytes to `sink` in order, in pieces.
  virtual void Write(absl::FunctionRef<void(std::span<const std::byte>)> sink) const = 0;
  // Into one that has applied nothing. DataLoss, in one sentence, where the bytes are not what
  // Write gave; FailedPrecondition where they are of another format.
  virtual absl::Status Read(std::span<const std::byte> bytes) = 0;
};

}  // namespace warpbook::engine
