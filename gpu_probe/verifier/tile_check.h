// Whether a tile is the product that it claims to be, for a hundredth of what the product costs
// (Freivalds): with secret numbers r, one for each of its columns, A_I (B_J r) = C_IJ r modulo
// 2^64. A tile with any wrong entry passes for at most one r in 2^31, and for two vectors, drawn
// each for itself, one in 2^62. Whoever made the tile must not know them.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "gpu_probe/verifier/tile.h"

namespace warpbook::probe {

// A number is high x 65,536 + low: 2^31 different ones, all of which fit two int16.
struct CheckNumber {
  int16_t low = 0;   // any
  int16_t high = 0;  // 0 to 32,767
  int64_t value() const { return int64_t{high} * 65'536 + low; }
};
using CheckVector = std::array<CheckNumber, kTileSide>;
using CheckVectors = std::array<CheckVector, 2>;

// From 512 secret bytes.
CheckVectors MakeCheckVectors(std::span<const uint8_t, sizeof(CheckVectors)> secret);

enum class TileCheckWay {
  kFastest,  // that this processor has
  kPlain,    // so that tests can compare
};

// Of a product over k entries, as ComputeTile's.
bool CheckTile(const Seed& seed, TilePlace place, int64_t k, const Tile& tile,
               const CheckVectors& vectors, TileCheckWay way = TileCheckWay::kFastest);

}  // namespace warpbook::probe
