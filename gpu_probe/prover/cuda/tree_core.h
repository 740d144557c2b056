// A Merkle tree as verifier/merkle_tree.h defines it, its levels one behind the other in one array:
// the leaves first, the root last. A node of a level follows from at most two of the level below.
#pragma once

#include <cstdint>

#include "gpu_probe/prover/cuda/sha256_core.h"

namespace warpbook::probe {

// Of the tiles that kernels hash and open; the same as the verifier's (device_convert.h).
inline constexpr int kDeviceTileSide = 64;

// First bytes of what is hashed.
inline constexpr uint32_t kLeafByte = 0;
inline constexpr uint32_t kNodeByte = 1;

WARPBOOK_HOST_DEVICE constexpr int64_t LevelAbove(int64_t nodes) { return nodes / 2 + nodes % 2; }

// How many nodes a tree has on all levels together.
WARPBOOK_HOST_DEVICE constexpr int64_t TreeNodes(int64_t leaves) {
  int64_t nodes = leaves;
  for (int64_t level = leaves; level > 1;) {
    level = LevelAbove(level);
    nodes += level;
  }
  return nodes;
}

// Node `i` of the level above one of `nodes`.
WARPBOOK_HOST_DEVICE constexpr DigestWords NodeAbove(const DigestWords* level, int64_t nodes,
                                                     int64_t i) {
  const DigestWords left = level[2 * i];
  if (2 * i + 1 == nodes) return left;
  const DigestWords right = level[2 * i + 1];
  return HashBlocks(kNodeByte, 1, [&left, &right](uint32_t, uint32_t(&words)[16]) {
    WARPBOOK_UNROLL
    for (int j = 0; j < 8; ++j) {
      words[j] = left.word[j];
      words[8 + j] = right.word[j];
    }
  });
}

// Calls `visit` with the number of each node on a leaf's path, its own sibling first.
template <typename Visit>
constexpr void VisitPath(int64_t leaves, int64_t leaf, const Visit& visit) {
  int64_t first = 0;
  for (int64_t nodes = leaves; nodes > 1; nodes = LevelAbove(nodes), leaf /= 2) {
    if ((leaf ^ 1) < nodes) visit(first + (leaf ^ 1));
    first += nodes;
  }
}

}  // namespace warpbook::probe
