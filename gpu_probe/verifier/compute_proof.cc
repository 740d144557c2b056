#include "gpu_probe/verifier/compute_proof.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "gpu_probe/verifier/draw.h"
#include "gpu_probe/verifier/merkle_tree.h"
#include "gpu_probe/verifier/proof_seed.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

bool IsSide(int64_t side, int64_t max) {
  return side >= kTileSide && side % kTileSide == 0 && side <= max;
}

}  // namespace

absl::Status CheckSize(const ComputeSize& size) {
  if (!IsSide(size.m, kSideMax) || !IsSide(size.n, kSideMax) || !IsSide(size.k, kLineEntriesMax)) {
    return absl::InvalidArgumentError("m, n and k are multiples of 64 up to 131072");
  }
  if (size.rounds < 1 || size.rounds > kRoundsMax) {
    return absl::InvalidArgumentError("there are 1 to 4096 rounds");
  }
  if (size.opened < 1 || size.opened > kOpenedMax || size.opened > size.tiles()) {
    return absl::InvalidArgumentError("1 to 1024 tiles are opened, and no more than there are");
  }
  return absl::OkStatus();
}

Seed RoundSeed(const ComputeChallenge& challenge, int32_t round,
               const Sha256Digest& previous_root) {
  std::array<std::byte, sizeof round + sizeof previous_root> rest;
  std::memcpy(rest.data(), &round, sizeof round);
  std::memcpy(rest.data() + sizeof round, previous_root.data(), previous_root.size());
  return ProofSeed("warpbook-probe round", challenge.nonce, challenge.gpu, rest);
}

uint64_t LeafOf(const ComputeSize& size, TilePlace place) {
  return static_cast<uint64_t>(place.row * (size.n / kTileSide) + place.column);
}

std::vector<OpenedTile> TilesToOpen(const ComputeSize& size, const Seed& opening_seed) {
  WARPBOOK_CHECK(CheckSize(size).ok());
  std::vector<OpenedTile> tiles;
  const int64_t columns = size.n / kTileSide;
  for (const uint64_t drawn :
       Draw(opening_seed)
           .Different(static_cast<size_t>(size.opened), static_cast<uint64_t>(size.tiles()))) {
    const auto number = static_cast<int64_t>(drawn);
    const int64_t leaf = number % size.tiles_per_round();
    tiles.push_back(
        {static_cast<int32_t>(number / size.tiles_per_round()), {leaf / columns, leaf % columns}});
  }
  return tiles;
}

ComputeFault VerifyCompute(const ComputeChallenge& challenge, std::span<const Sha256Digest> roots,
                           const Seed& opening_seed, std::span<const Opening> openings,
                           const CheckVectors& vectors) {
  const ComputeSize& size = challenge.size;
  if (std::ssize(roots) != size.rounds) return ComputeFault::kRootsMissing;
  const std::vector<OpenedTile> asked = TilesToOpen(size, opening_seed);
  if (!std::ranges::equal(openings, asked, {}, &Opening::tile)) return ComputeFault::kOpenings;
  // Hashes before products, for all of them: what costs little comes first.
  for (const Opening& opening : openings) {
    const auto root =
        RootOfPath(LeafHash(BytesOf(opening.entries)), LeafOf(size, opening.tile.place),
                   static_cast<uint64_t>(size.tiles_per_round()), opening.path);
    if (root != roots[static_cast<size_t>(opening.tile.round)]) {
      return ComputeFault::kNotCommittedTo;
    }
  }
  for (const Opening& opening : openings) {
    const auto round = static_cast<size_t>(opening.tile.round);
    const Seed seed =
        RoundSeed(challenge, opening.tile.round, round == 0 ? Sha256Digest{} : roots[round - 1]);
    if (!CheckTile(seed, opening.tile.place, size.k, opening.entries, vectors)) {
      return ComputeFault::kWrongProduct;
    }
  }
  return ComputeFault::kNone;
}

int64_t SkippedShareMax(int32_t opened, int32_t doubt_bits) {
  WARPBOOK_CHECK(opened >= 1 && doubt_bits >= 1);
  // (1 - d)^opened = 2^-doubt_bits.
  const double share = 1 - std::exp2(-static_cast<double>(doubt_bits) / opened);
  return static_cast<int64_t>(std::ceil(share * 1e6));
}

}  // namespace warpbook::probe
