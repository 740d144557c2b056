// One GPU's answers to a challenge, in the order in which the verifier asks for them. The CPU's
// (cpu_prover.h) is the reference; every kernel gives the same bits. One thread at a time.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/verifier/compute_proof.h"
#include "gpu_probe/verifier/memory_proof.h"

namespace warpbook::probe {

// What is being done, and how far it is.
using Progress = std::function<void(std::string_view what, int64_t done, int64_t of)>;

// What one GPU is asked, of both proofs. The nonce is zeros until there is a challenge
// (Prover::Begin).
struct GpuChallenge {
  Seed nonce{};
  uint32_t gpu = 0;  // which of the provider's, from 0
  ComputeSize compute;
  MemorySize memory;

  ComputeChallenge ForCompute() const { return {nonce, gpu, compute}; }
  MemoryChallenge ForMemory(const Sha256Digest& last_root) const {
    return {nonce, gpu, last_root, memory};
  }
};

class Prover {
 public:
  virtual ~Prover() = default;

  // A prover is made by the sizes alone, and whatever takes time once is done then. Now there is a
  // challenge: its nonce. Once, before all others.
  virtual void Begin(const Seed& nonce) = 0;
  // All rounds of products, one after the other; their roots.
  virtual absl::StatusOr<std::vector<Sha256Digest>> CommitProducts(const Progress& progress) = 0;
  // After CommitProducts.
  virtual absl::Status FillMemory(const Progress& progress) = 0;
  // After FillMemory: the root over the states of all walks.
  virtual absl::StatusOr<Sha256Digest> Gather(const Seed& gather_seed,
                                              const Progress& progress) = 0;
  // After CommitProducts: the tiles that the verifier asks for, computed again if need be.
  virtual absl::StatusOr<std::vector<Opening>> OpenTiles(std::span<const OpenedTile> tiles) = 0;
  // After Gather.
  virtual absl::StatusOr<std::vector<LegOpening>> OpenLegs(std::span<const OpenedLeg> legs) = 0;
};

}  // namespace warpbook::probe
