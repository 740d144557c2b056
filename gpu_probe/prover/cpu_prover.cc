#include "gpu_probe/prover/cpu_prover.h"

#include <utility>

#include "schema/base/check.h"

namespace warpbook::probe {

Seed CpuProver::SeedOf(int32_t round) const {
  return RoundSeed(challenge_, round,
                   round == 0 ? Sha256Digest{} : roots_[static_cast<size_t>(round) - 1]);
}

const std::vector<Sha256Digest>& CpuProver::Commit() {
  WARPBOOK_CHECK(roots_.empty());
  const ComputeSize& size = challenge_.size;
  Tile tile;
  for (int32_t round = 0; round < size.rounds; ++round) {
    const Seed seed = SeedOf(round);
    std::vector<Sha256Digest> leaves;
    for (int64_t row = 0; row < size.m / kTileSide; ++row) {
      for (int64_t column = 0; column < size.n / kTileSide; ++column) {
        ComputeTile(seed, {row, column}, size.k, tile);
        leaves.push_back(LeafHash(BytesOf(tile)));
      }
    }
    trees_.emplace_back(std::move(leaves));
    roots_.push_back(trees_.back().root());
  }
  return roots_;
}

std::vector<Opening> CpuProver::Open(std::span<const OpenedTile> tiles) const {
  std::vector<Opening> openings;
  for (const OpenedTile& tile : tiles) {
    Opening& opening = openings.emplace_back();
    opening.tile = tile;
    ComputeTile(SeedOf(tile.round), tile.place, challenge_.size.k, opening.entries);
    opening.path =
        trees_[static_cast<size_t>(tile.round)].Path(LeafOf(challenge_.size, tile.place));
  }
  return openings;
}

}  // namespace warpbook::probe
