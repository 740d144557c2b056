#include "gpu_probe/verifier/memory_proof.h"

#include <algorithm>
#include <cstring>

#include "gpu_probe/verifier/draw.h"
#include "gpu_probe/verifier/merkle_tree.h"
#include "gpu_probe/verifier/proof_seed.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

constexpr ChaChaNonce kMultipliers = {0};
constexpr ChaChaNonce kStarts = {1};
// 2^64 over the golden ratio: neighbouring numbers are far apart.
constexpr uint64_t kStepFactor = 0x9e3779b97f4a7c15;

uint64_t Finish(uint64_t state) {
  state = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
  state = (state ^ state >> 27) * 0x94d049bb133111eb;
  return state ^ state >> 31;
}

bool IsCommittedTo(const MemorySize& size, const Sha256Digest& root, int32_t walk, int32_t leg,
                   const StatesOpening& opening) {
  return RootOfPath(LeafHash(BytesOf(opening.states)), LeafOf(size, walk, leg),
                    static_cast<uint64_t>(size.leaves()), opening.path) == root;
}

}  // namespace

absl::Status CheckSize(const MemorySize& size) {
  if (size.passes < 1 || size.passes > kPassesMax) {
    return absl::InvalidArgumentError("there are 1 to 4096 passes");
  }
  if (size.columns < 1 || size.columns > kColumnsMax) {
    return absl::InvalidArgumentError("a block has 1 to 64 columns");
  }
  if (size.blocks < 1 || size.blocks > kArenaBlocksMax) {
    return absl::InvalidArgumentError("an arena has 1 to 2^32 blocks");
  }
  if (size.walks < 1 || size.walks > kWalksMax || size.walks % kWalksPerLeaf != 0) {
    return absl::InvalidArgumentError("walks are a multiple of 64 up to 2^20");
  }
  if (size.legs < 1 || size.legs > kLegsMax) {
    return absl::InvalidArgumentError("a walk has 1 to 65536 legs");
  }
  if (size.opened < 1 || size.opened > kOpenedLegsMax || size.opened > size.all_legs()) {
    return absl::InvalidArgumentError("1 to 1024 legs are opened, and no more than there are");
  }
  return absl::OkStatus();
}

Seed ArenaSeed(const MemoryChallenge& challenge) {
  return ProofSeed("warpbook-probe memory", challenge.nonce, challenge.gpu,
                   std::as_bytes(std::span(challenge.last_root)));
}

void MakeArenaBlock(const Seed& arena_seed, const MemorySize& size, int64_t block,
                    std::span<uint8_t> out) {
  WARPBOOK_CHECK(block >= 0 && block < size.blocks && std::ssize(out) == size.block_bytes());
  ChaChaNonce nonce{};
  std::memcpy(nonce.data(), &block, sizeof block);
  ChaCha8(arena_seed, nonce, 0, out);
  ChaCha8Chain(out, size.passes);
}

GatherKeys MakeGatherKeys(const MemoryChallenge& challenge, const Seed& gather_seed) {
  std::array<uint8_t, sizeof challenge.last_root + sizeof gather_seed> rest;
  std::ranges::copy(gather_seed, std::ranges::copy(challenge.last_root, rest.begin()).out);
  GatherKeys keys;
  keys.seed = ProofSeed("warpbook-probe gather", challenge.nonce, challenge.gpu,
                        std::as_bytes(std::span(rest)));
  keys.multipliers.resize(static_cast<size_t>(challenge.size.block_bytes()) / sizeof(uint32_t));
  ChaCha8(keys.seed, kMultipliers, 0,
          {reinterpret_cast<uint8_t*>(keys.multipliers.data()), keys.multipliers.size() * 4});
  for (uint32_t& multiplier : keys.multipliers) multiplier |= 1;
  return keys;
}

uint64_t WalkStart(const GatherKeys& keys, int64_t walk) {
  constexpr int64_t kPerBlock = kChaChaBlockBytes / sizeof(uint64_t);
  std::array<uint64_t, kPerBlock> words;
  ChaCha8(keys.seed, kStarts, static_cast<uint32_t>(walk / kPerBlock),
          {reinterpret_cast<uint8_t*>(words.data()), sizeof words});
  return words[static_cast<size_t>(walk % kPerBlock)];
}

int64_t BlockOf(const MemorySize& size, uint64_t state) {
  // Below 2^64, as blocks are at most 2^32.
  return static_cast<int64_t>((state >> 32) * static_cast<uint64_t>(size.blocks) >> 32);
}

uint64_t StepOf(const GatherKeys& keys, uint64_t state, uint64_t number,
                std::span<const uint8_t> block) {
  const auto low = static_cast<uint32_t>(state);
  const auto high = static_cast<uint32_t>(state >> 32);
  uint64_t sum = number * kStepFactor;
  for (size_t i = 0; i < keys.multipliers.size(); i += 2) {
    uint32_t words[2];
    std::memcpy(words, block.data() + i * sizeof(uint32_t), sizeof words);
    sum += uint64_t{words[0] ^ low * keys.multipliers[i]} *
           (words[1] ^ high * keys.multipliers[i + 1]);
  }
  return Finish(state + sum);
}

std::vector<OpenedLeg> LegsToOpen(const MemorySize& size, const Seed& opening_seed) {
  WARPBOOK_CHECK(CheckSize(size).ok());
  std::vector<OpenedLeg> legs;
  for (const uint64_t drawn :
       Draw(opening_seed)
           .Different(static_cast<size_t>(size.opened), static_cast<uint64_t>(size.all_legs()))) {
    const auto number = static_cast<int64_t>(drawn);
    legs.push_back({.walk = static_cast<int32_t>(number % size.walks),
                    .leg = static_cast<int32_t>(number / size.walks)});
  }
  return legs;
}

uint64_t LeafOf(const MemorySize& size, int32_t walk, int32_t leg) {
  return static_cast<uint64_t>(leg * size.leaves_per_leg() + walk / kWalksPerLeaf);
}

MemoryFault VerifyMemory(const MemoryChallenge& challenge, const Seed& gather_seed,
                         const Sha256Digest& root, const Seed& opening_seed,
                         std::span<const LegOpening> openings) {
  const MemorySize& size = challenge.size;
  const std::vector<OpenedLeg> asked = LegsToOpen(size, opening_seed);
  if (!std::ranges::equal(openings, asked, {}, &LegOpening::leg)) return MemoryFault::kOpenings;
  for (const LegOpening& opening : openings) {
    if (opening.before.has_value() != (opening.leg.leg > 0)) return MemoryFault::kOpenings;
    const auto [walk, leg] = opening.leg;
    if (!IsCommittedTo(size, root, walk, leg, opening.after) ||
        (opening.before && !IsCommittedTo(size, root, walk, leg - 1, *opening.before))) {
      return MemoryFault::kNotCommittedTo;
    }
  }
  const Seed arena_seed = ArenaSeed(challenge);
  const GatherKeys keys = MakeGatherKeys(challenge, gather_seed);
  std::vector<uint8_t> block(static_cast<size_t>(size.block_bytes()));
  for (const LegOpening& opening : openings) {
    const auto place = static_cast<size_t>(opening.leg.walk % kWalksPerLeaf);
    uint64_t state =
        opening.before ? opening.before->states[place] : WalkStart(keys, opening.leg.walk);
    for (int32_t step = 0; step < kStepsPerLeg; ++step) {
      MakeArenaBlock(arena_seed, size, BlockOf(size, state), block);
      state = StepOf(keys, state, StepNumber(size, opening.leg.walk, opening.leg.leg, step), block);
    }
    if (state != opening.after.states[place]) return MemoryFault::kWrongWalk;
  }
  return MemoryFault::kNone;
}

}  // namespace warpbook::probe
