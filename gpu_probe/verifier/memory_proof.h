// The memory proof (design: Memory proof): an arena is filled in many passes over each block, one
// after the other, so that a block that is not kept costs them all again, alone or with others;
// then a fresh seed sends many walks through it. Each step reads a whole block at a place that the
// step before it gave, and hashes it under a key that it gave too, so that nothing but the blocks
// themselves can be kept in their stead; and it counts by its own number, so that walks which a
// prover makes meet part again. The states of the walks are committed to by a Merkle root, which
// stops the clock: bytes read over time is a floor of the bandwidth. Some legs of walks, which a
// later seed names, are walked again by the verifier, who makes the blocks anew; the arena itself
// needs no commitment, since all of it follows from the challenge.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "gpu_probe/verifier/chacha8.h"
#include "gpu_probe/verifier/operands.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {

inline constexpr int32_t kColumnsMax = 64;
inline constexpr int32_t kPassesMax = 4'096;
inline constexpr int64_t kArenaBlocksMax = int64_t{1} << 32;
// A wrong leg lets a prover go on from anywhere, with one walk more: long ones are few.
inline constexpr int32_t kStepsPerLeg = 128;
// States that stand in one leaf: those of neighbouring walks after the same leg.
inline constexpr int32_t kWalksPerLeaf = 64;
inline constexpr int32_t kWalksMax = 1 << 20;
inline constexpr int32_t kLegsMax = 1 << 16;
inline constexpr int32_t kOpenedLegsMax = 1'024;

struct MemorySize {
  int64_t blocks = 0;   // of the arena
  int32_t columns = 0;  // of 64 bytes in a block
  int32_t passes = 0;
  int32_t walks = 0;   // a multiple of kWalksPerLeaf
  int32_t legs = 0;    // of each walk
  int32_t opened = 0;  // different legs

  int64_t block_bytes() const { return columns * int64_t{kChaChaBlockBytes}; }
  int64_t arena_bytes() const { return blocks * block_bytes(); }
  int64_t all_legs() const { return int64_t{walks} * legs; }
  int64_t gathered_bytes() const { return all_legs() * kStepsPerLeg * block_bytes(); }
  int64_t leaves_per_leg() const { return walks / kWalksPerLeaf; }
  int64_t leaves() const { return leaves_per_leg() * legs; }
  friend bool operator==(const MemorySize&, const MemorySize&) = default;
};
absl::Status CheckSize(const MemorySize& size);

// What one GPU is asked to keep. `last_root` is that of its last round of the compute proof: the
// arena cannot be filled ahead.
struct MemoryChallenge {
  Seed nonce{};
  uint32_t gpu = 0;
  Sha256Digest last_root{};
  MemorySize size;
};

// ProofSeed("warpbook-probe memory", last_root).
Seed ArenaSeed(const MemoryChallenge& challenge);

// A block of the arena, block_bytes: block i begins as the keystream of ChaCha8(arena seed, nonce =
// i little-endian in 8 bytes and zeros) from block 0 on, and each pass makes of every 64 bytes
// their core (ChaCha8Chain).
void MakeArenaBlock(const Seed& arena_seed, const MemorySize& size, int64_t block,
                    std::span<uint8_t> out);

// What the gather's seed gives: ProofSeed("warpbook-probe gather", last_root || gather seed).
struct GatherKeys {
  Seed seed{};
  // For each word of a block, odd: the keystream of ChaCha8(seed, no nonce) in words of 4 bytes,
  // the lowest bit set.
  std::vector<uint32_t> multipliers;
};
GatherKeys MakeGatherKeys(const MemoryChallenge& challenge, const Seed& gather_seed);
// Where that walk begins: word `walk` of 8 bytes of the keystream of ChaCha8(seed, nonce 1).
uint64_t WalkStart(const GatherKeys& keys, int64_t walk);

// The block that a walk in that state reads: floor(state / 2^32) x N / 2^32.
int64_t BlockOf(const MemorySize& size, uint64_t state);
// The state after step `number` of all: Finish(state + number x 0x9e3779b97f4a7c15 + the sum over
// pairs of words 2p and 2p + 1 of the block of
//   (word(2p) ^ low(state) x multiplier(2p)) x (word(2p + 1) ^ high(state) x multiplier(2p + 1))
// modulo 2^64, the factors modulo 2^32). Finish is the end of SplitMix64.
uint64_t StepOf(const GatherKeys& keys, uint64_t state, uint64_t number,
                std::span<const uint8_t> block);
// (walk x legs + leg) x kStepsPerLeg + step.
inline uint64_t StepNumber(const MemorySize& size, int64_t walk, int32_t leg, int32_t step) {
  return static_cast<uint64_t>((walk * size.legs + leg) * kStepsPerLeg + step);
}

struct OpenedLeg {
  int32_t walk = 0, leg = 0;
  friend bool operator==(const OpenedLeg&, const OpenedLeg&) = default;
};
// Number leg x walks + walk of those that the seed names (draw.h).
std::vector<OpenedLeg> LegsToOpen(const MemorySize& size, const Seed& opening_seed);

// The states of 64 neighbouring walks after a leg: what a leaf is, little-endian.
using WalkStates = std::array<uint64_t, kWalksPerLeaf>;
inline std::span<const std::byte, sizeof(WalkStates)> BytesOf(const WalkStates& states) {
  return std::as_bytes(std::span<const uint64_t, kWalksPerLeaf>(states));
}
// Number leg x walks / 64 + walk / 64.
uint64_t LeafOf(const MemorySize& size, int32_t walk, int32_t leg);

struct StatesOpening {
  WalkStates states{};
  std::vector<Sha256Digest> path;
};
struct LegOpening {
  OpenedLeg leg;
  std::optional<StatesOpening> before;  // none before a walk's first leg
  StatesOpening after;
};

enum class MemoryFault : uint8_t {
  kNone,
  kOpenings,        // another number of legs, or others, than were asked for
  kNotCommittedTo,  // states are not in the tree
  kWrongWalk,       // a leg does not lead where it was said to
};

// What is wrong first with a prover's answer. Takes an untrusted root and openings. Each seed was
// drawn after what came before it: the gather's after the arena was said to be filled, the
// opening's after the root.
MemoryFault VerifyMemory(const MemoryChallenge& challenge, const Seed& gather_seed,
                         const Sha256Digest& root, const Seed& opening_seed,
                         std::span<const LegOpening> openings);

}  // namespace warpbook::probe
