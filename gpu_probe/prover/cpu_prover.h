// The reference prover: answers a compute challenge on the CPU, tile by tile. Slow, and what every
// kernel has to agree with.
#pragma once

#include <span>
#include <vector>

#include "gpu_probe/verifier/compute_proof.h"
#include "gpu_probe/verifier/merkle_tree.h"

namespace warpbook::probe {

class CpuProver {
 public:
  explicit CpuProver(const ComputeChallenge& challenge) : challenge_(challenge) {}

  // All rounds, one after the other; their roots, by which the clock is stopped.
  const std::vector<Sha256Digest>& Commit();
  // After Commit: the tiles that the verifier asks for, computed again.
  std::vector<Opening> Open(std::span<const OpenedTile> tiles) const;

 private:
  Seed SeedOf(int32_t round) const;

  const ComputeChallenge challenge_;
  std::vector<Sha256Digest> roots_;
  std::vector<MerkleTree> trees_;  // by round
};

}  // namespace warpbook::probe
