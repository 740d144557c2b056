// A tile of the product C = A x B of a round of the compute proof: 64 x 64 entries, and the
// reference that computes it. Every correct device gives the same bits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gpu_probe/verifier/operands.h"

namespace warpbook::probe {

inline constexpr int64_t kTileSide = 64;
inline constexpr size_t kTileEntries = kTileSide * kTileSide;

// By rows. What is committed to, hashed and sent are their bytes, little-endian.
using Tile = std::array<int32_t, kTileEntries>;
inline std::span<const std::byte, sizeof(Tile)> BytesOf(const Tile& tile) {
  return std::as_bytes(std::span<const int32_t, kTileEntries>(tile));
}

// Which one: rows 64 x row to 64 x row + 63 of A with the columns of B likewise.
struct TilePlace {
  int64_t row = 0, column = 0;
  friend bool operator==(const TilePlace&, const TilePlace&) = default;
};

// The tile of a product over k entries, 1 <= k <= kLineEntriesMax, entry by entry.
void ComputeTile(const Seed& seed, TilePlace place, int64_t k, Tile& tile);

}  // namespace warpbook::probe
