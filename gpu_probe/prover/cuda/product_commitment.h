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
  // Takes the memory, and tries the kernel on the first tiles and the last.
  static absl::StatusOr<std::unique_ptr<ProductCommitment>> Make(const ComputeChallenge& challenge,
                                                                 int device, ProductKernel kernel);

  // What multiplies in the end.
  ProductKernel kernel() const { return kernel_; }

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
  absl::Status KeepTree(int32_t round);
  absl::Status MakeTiles(std::span<const OpenedTile> which, std::span<const Seed> seeds,
                         std::span<Opening> openings);
  Seed SeedOfRound(int32_t round) const;
  DigestWords* TreeOf(int32_t round) const { return device_trees_[round % 2].As<DigestWords>(); }

  const ComputeChallenge challenge_;
  ProductKernel kernel_ = ProductKernel::kMma;
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
