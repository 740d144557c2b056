#include "gpu_probe/prover/cpu_prover.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

// The product, or the largest number where that is larger.
int64_t Times(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

}  // namespace

absl::Status CheckForCpu(const Challenge& challenge) {
  const ComputeSize& compute = challenge.size.compute;
  const int64_t gpus = challenge.gpus;
  const int64_t ops =
      Times(2 * compute.m * compute.n, Times(compute.k, Times(int64_t{compute.rounds}, gpus)));
  const int64_t arena = Times(challenge.size.memory.arena_bytes(), gpus);
  const int64_t gathered = Times(challenge.size.memory.gathered_bytes(), gpus);
  if (ops <= kCpuOpsMax && arena <= kCpuArenaBytesMax && gathered <= kCpuGatheredBytesMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "too much for a CPU: ", ops, " int8 operations (the limit is ", kCpuOpsMax, "), an arena of ",
      arena, " bytes (", kCpuArenaBytesMax, "), ", gathered, " bytes read (", kCpuGatheredBytesMax,
      "); --cpu answers small profiles: serve-challenge --small"));
}

Seed CpuProver::SeedOfRound(int32_t round) const {
  return RoundSeed(challenge_.ForCompute(), round,
                   round == 0 ? Sha256Digest{} : roots_[static_cast<size_t>(round) - 1]);
}

void CpuProver::MakeTile(const OpenedTile& which, const Seed& seed, Tile& tile) const {
  ComputeTile(seed, which.place, challenge_.compute.k, tile);
}

std::span<const uint8_t> CpuProver::ReadBlock(int64_t block) {
  const auto bytes = static_cast<size_t>(challenge_.memory.block_bytes());
  return std::span(arena_).subspan(static_cast<size_t>(block) * bytes, bytes);
}

absl::StatusOr<std::vector<Sha256Digest>> CpuProver::CommitProducts(const Progress& progress) {
  WARPBOOK_CHECK(roots_.empty());
  const ComputeSize& size = challenge_.compute;
  Tile tile;
  for (int32_t round = 0; round < size.rounds; ++round) {
    const Seed seed = SeedOfRound(round);
    std::vector<Sha256Digest> leaves;
    for (int64_t row = 0; row < size.m / kTileSide; ++row) {
      for (int64_t column = 0; column < size.n / kTileSide; ++column) {
        MakeTile({round, {row, column}}, seed, tile);
        leaves.push_back(LeafHash(BytesOf(tile)));
      }
    }
    trees_.emplace_back(std::move(leaves));
    roots_.push_back(trees_.back().root());
    progress("rounds of products", round + 1, size.rounds);
  }
  return roots_;
}

absl::Status CpuProver::FillMemory(const Progress& progress) {
  WARPBOOK_CHECK(!roots_.empty());
  const MemorySize& size = challenge_.memory;
  const Seed seed = ArenaSeed(ForMemory());
  const auto bytes = static_cast<size_t>(size.block_bytes());
  arena_.resize(static_cast<size_t>(size.arena_bytes()));
  for (int64_t block = 0; block < size.blocks; ++block) {
    MakeArenaBlock(seed, size, block,
                   std::span(arena_).subspan(static_cast<size_t>(block) * bytes, bytes));
    if ((block + 1) % 64 == 0 || block + 1 == size.blocks) {
      progress("blocks filled", block + 1, size.blocks);
    }
  }
  return absl::OkStatus();
}

void CpuProver::WalkAll(const GatherKeys& keys, const Progress& progress) {
  const MemorySize& size = challenge_.memory;
  std::vector<uint64_t> at(static_cast<size_t>(size.walks));
  for (size_t walk = 0; walk < at.size(); ++walk) {
    at[walk] = WalkStart(keys, static_cast<int64_t>(walk));
  }
  states_.resize(static_cast<size_t>(size.leaves()));
  for (int32_t leg = 0; leg < size.legs; ++leg) {
    for (size_t walk = 0; walk < at.size(); ++walk) {
      for (int32_t step = 0; step < kStepsPerLeg; ++step) {
        at[walk] = StepOf(keys, at[walk], StepNumber(size, static_cast<int64_t>(walk), leg, step),
                          ReadBlock(BlockOf(size, at[walk])));
      }
      states_[LeafOf(size, static_cast<int32_t>(walk), leg)][walk % kWalksPerLeaf] = at[walk];
    }
    progress("legs walked", leg + 1, size.legs);
  }
}

absl::StatusOr<Sha256Digest> CpuProver::Gather(const Seed& gather_seed, const Progress& progress) {
  WalkAll(MakeGatherKeys(ForMemory(), gather_seed), progress);
  std::vector<Sha256Digest> leaves;
  for (const WalkStates& states : states_) leaves.push_back(LeafHash(BytesOf(states)));
  walks_.emplace(std::move(leaves));
  return walks_->root();
}

absl::StatusOr<std::vector<Opening>> CpuProver::OpenTiles(std::span<const OpenedTile> tiles) {
  std::vector<Opening> openings;
  for (const OpenedTile& tile : tiles) {
    Opening& opening = openings.emplace_back();
    opening.tile = tile;
    MakeTile(tile, SeedOfRound(tile.round), opening.entries);
    opening.path =
        trees_[static_cast<size_t>(tile.round)].Path(LeafOf(challenge_.compute, tile.place));
  }
  return openings;
}

absl::StatusOr<std::vector<LegOpening>> CpuProver::OpenLegs(std::span<const OpenedLeg> legs) {
  WARPBOOK_CHECK(walks_.has_value());
  const auto open = [this](int32_t walk, int32_t leg) {
    const uint64_t leaf = LeafOf(challenge_.memory, walk, leg);
    return StatesOpening{states_[leaf], walks_->Path(leaf)};
  };
  std::vector<LegOpening> openings;
  for (const OpenedLeg& leg : legs) {
    LegOpening& opening = openings.emplace_back();
    opening.leg = leg;
    if (leg.leg > 0) opening.before = open(leg.walk, leg.leg - 1);
    opening.after = open(leg.walk, leg.leg);
  }
  return openings;
}

}  // namespace warpbook::probe
