// Between the verifier's types and those that kernels take: the same bytes.
#pragma once

#include <bit>
#include <cstring>
#include <vector>

#include "gpu_probe/prover/cuda/chacha8_core.h"
#include "gpu_probe/prover/cuda/sha256_core.h"
#include "gpu_probe/prover/cuda/tree_core.h"
#include "gpu_probe/verifier/operands.h"
#include "gpu_probe/verifier/tile.h"

namespace warpbook::probe {

static_assert(std::endian::native == std::endian::little);
static_assert(kDeviceTileSide == kTileSide);
static_assert(sizeof(DigestWords) == sizeof(Sha256Digest) && sizeof(SeedWords) == sizeof(Seed));

inline SeedWords WordsOf(const Seed& seed) {
  SeedWords words;
  std::memcpy(&words, seed.data(), sizeof words);
  return words;
}

// The numbers of the nodes on a leaf's path, in the array of tree_core.h.
inline std::vector<uint64_t> PathNodes(int64_t leaves, uint64_t leaf) {
  std::vector<uint64_t> nodes;
  VisitPath(leaves, static_cast<int64_t>(leaf),
            [&nodes](int64_t node) { nodes.push_back(static_cast<uint64_t>(node)); });
  return nodes;
}

}  // namespace warpbook::probe
