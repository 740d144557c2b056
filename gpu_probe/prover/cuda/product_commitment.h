// The compute proof on a device: the rounds, their trees, and the tiles that are opened. A product
// is hashed and forgotten, by bands of rows if it does not fit as a whole; a tile that is opened is
// made again. One thread at a time, whose device it is.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/prover/cuda/device_memory.h"
#include "gpu_probe/prover/cuda/product_runner.h"
#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

class ProductCommitment {
 public:
  // By the sizes alone: takes the memory, and computes a round of which the first tiles and the
  // last are looked at. The first of the kernels whose are right multiplies; where none is, the
  // first one's error.
  static absl::StatusOr<std::unique_ptr<ProductCommitment>> Make(
      const ComputeChallenge& challenge, int device, std::span<const ProductKernel> kernels);

  // What multiplies, and why those before it in the list do not.
  ProductKernel kernel() const { return kernel_; }
  const std::vector<PassedOver>& passed_over() const { return passed_over_; }

  // The challenge is there. Before Commit.
  void Begin(const Seed& nonce) { challenge_.nonce = nonce; }

  absl::StatusOr<std::vector<Sha256Digest>> Commit(const Progress& progress);
  // After Commit.
  absl::StatusOr<std::vector<Opening>> Open(std::span<const OpenedTile> tiles);
  // Gives back all that opening does not need. After Commit.
  absl::Status ReleaseDeviceMemory();

 private:
  explicit ProductCommitment(const ComputeChallenge& challenge) : challenge_(challenge) {}

  absl::Status TakeMemory();
  absl::Status TryKernel();
  absl::StatusOr<bool> IsRight(const Seed& seed, TilePlace place);
  absl::Status FillOperands(const Seed& seed);
  absl::Status ComputeRound(const Seed& seed, DigestWords* tree);
  absl::Status HashBand(const ProductShape& band, int64_t row, DigestWords* tree);
  absl::Status HashTree(DigestWords* tree);
  absl::Status KeepTree(int32_t round);
  absl::Status MakeTiles(std::span<const OpenedTile> which, std::span<const Seed> seeds,
                         std::span<Opening> openings);
  Seed SeedOfRound(int32_t round) const;
  DigestWords* TreeOf(int32_t round) const { return device_trees_[round % 2].As<DigestWords>(); }

  ComputeChallenge challenge_;
  ProductKernel kernel_ = ProductKernel::kMma;
  std::vector<PassedOver> passed_over_;
  std::unique_ptr<ProductRunner> runner_;
  DeviceStream stream_, copies_;
  int64_t band_rows_ = 0;  // of the product, computed at a time
  DeviceBuffer left_, right_, result_;
  DeviceBuffer device_trees_[2];  // of this round and the one before
  DeviceBuffer opened_, opened_entries_;
  std::vector<Sha256Digest> roots_;
  std::vector<std::vector<Sha256Digest>> trees_;  // by round, all nodes (tree_core.h)
};

}  // namespace warpbook::probe
