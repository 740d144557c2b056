// The reference prover: answers a challenge on the CPU, tile by tile and group by group. Slow, and
// what every kernel has to agree with. Its steps can be replaced, as those do who test the
// verifier.
#pragma once

#include <optional>

#include "gpu_probe/prover/prover.h"
#include "gpu_probe/verifier/challenge.h"
#include "gpu_probe/verifier/merkle_tree.h"

namespace warpbook::probe {

// What the CPU's prover takes on: beyond that it would take hours, or all of the machine's memory.
// Of all GPUs that it stands for together.
inline constexpr int64_t kCpuOpsMax = 50'000'000'000;
inline constexpr int64_t kCpuArenaBytesMax = int64_t{1} << 30;
inline constexpr int64_t kCpuGatheredBytesMax = int64_t{4} << 30;
absl::Status CheckForCpu(const Challenge& challenge);

class CpuProver : public Prover {
 public:
  explicit CpuProver(const GpuChallenge& challenge) : challenge_(challenge) {}

  void Begin(const Seed& nonce) override { challenge_.nonce = nonce; }
  absl::StatusOr<std::vector<Sha256Digest>> CommitProducts(const Progress& progress) override;
  absl::Status FillMemory(const Progress& progress) override;
  absl::StatusOr<Sha256Digest> Gather(const Seed& gather_seed, const Progress& progress) override;
  absl::StatusOr<std::vector<Opening>> OpenTiles(std::span<const OpenedTile> tiles) override;
  absl::StatusOr<std::vector<LegOpening>> OpenLegs(std::span<const OpenedLeg> legs) override;

 protected:
  const GpuChallenge& challenge() const { return challenge_; }
  virtual Seed SeedOfRound(int32_t round) const;
  virtual void MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const;
  virtual std::span<const uint8_t> ReadBlock(int64_t block);
  MemoryChallenge ForMemory() const { return challenge_.ForMemory(roots_.back()); }

 private:
  void WalkAll(const GatherKeys& keys, const Progress& progress);

  GpuChallenge challenge_;
  std::vector<Sha256Digest> roots_;  // by round
  std::vector<MerkleTree> trees_;
  std::vector<uint8_t> arena_;      // block by block
  std::vector<WalkStates> states_;  // by leaf
  std::optional<MerkleTree> walks_;
};

}  // namespace warpbook::probe
