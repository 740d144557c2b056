// The compute proof (design: Compute proof): rounds of int8 products, each seeded by the root of
// the one before it, so that none can be computed ahead; the tiles of each committed to by a Merkle
// root; and, when the last root has stopped the clock, some tiles that a fresh seed names, opened
// and checked. A prover that skipped a share d of the tiles passes with a probability of (1 -
// d)^opened.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gpu_probe/verifier/operands.h"
#include "gpu_probe/verifier/tile.h"
#include "gpu_probe/verifier/tile_check.h"

namespace warpbook::probe {

// The product of a round, and how much is opened of all rounds together.
struct ComputeSize {
  int64_t m = 0, n = 0, k = 0;  // m and n are multiples of 64, k is one of 64 up to kLineEntriesMax
  int32_t rounds = 0;
  int32_t opened = 0;  // different tiles

  int64_t tiles_per_round() const { return (m / kTileSide) * (n / kTileSide); }
  int64_t tiles() const { return tiles_per_round() * rounds; }
  friend bool operator==(const ComputeSize&, const ComputeSize&) = default;
};
inline constexpr int64_t kSideMax = 131'072;
inline constexpr int32_t kRoundsMax = 4'096;
inline constexpr int32_t kOpenedMax = 1'024;
absl::Status CheckSize(const ComputeSize& size);

// What one GPU is asked to compute.
struct ComputeChallenge {
  Seed nonce{};      // fresh, the verifier's
  uint32_t gpu = 0;  // which of the provider's, from 0
  ComputeSize size;
};

// SHA-256("warpbook-probe round" || nonce || gpu || round || the root of the round before), numbers
// little-endian in 4 bytes; zeros stand for the root before the first round's.
Seed RoundSeed(const ComputeChallenge& challenge, int32_t round, const Sha256Digest& previous_root);

struct OpenedTile {
  int32_t round = 0;
  TilePlace place;
  friend bool operator==(const OpenedTile&, const OpenedTile&) = default;
};
// The leaf of a round's tree that a tile is: row by row.
uint64_t LeafOf(const ComputeSize& size, TilePlace place);
// The tiles that an opening seed names: `size.opened` different ones of all rounds, each set as
// likely as any other, from ChaCha8(seed, no nonce) in words of 8 bytes.
std::vector<OpenedTile> TilesToOpen(const ComputeSize& size, const Seed& opening_seed);

struct Opening {
  OpenedTile tile;
  Tile entries{};
  std::vector<Sha256Digest> path;
};

enum class ComputeFault : uint8_t {
  kNone,
  kRootsMissing,    // another number of roots than of rounds
  kOpenings,        // another number of openings, or of other tiles than were asked for
  kNotCommittedTo,  // a tile is not in its round's tree
  kWrongProduct,    // a tile is not the product that was asked for
};

// What is wrong first with a prover's answer; kNone: nothing. Takes untrusted roots and openings.
// `vectors` and `opening_seed` were drawn after the roots had come in.
ComputeFault VerifyCompute(const ComputeChallenge& challenge, std::span<const Sha256Digest> roots,
                           const Seed& opening_seed, std::span<const Opening> openings,
                           const CheckVectors& vectors);

// The largest share of its tiles, in millionths, that a prover can have skipped without being
// caught with a probability of at least 1 - 2^-doubt_bits.
int64_t SkippedShareMax(int32_t opened, int32_t doubt_bits);

}  // namespace warpbook::probe
