#include "gpu_probe/verifier/compute_proof.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string_view>

#include "gpu_probe/verifier/chacha8.h"
#include "gpu_probe/verifier/merkle_tree.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

bool IsSide(int64_t side, int64_t max) {
  return side >= kTileSide && side % kTileSide == 0 && side <= max;
}

void Append(std::vector<std::byte>& bytes, const void* from, size_t size) {
  const auto* const begin = static_cast<const std::byte*>(from);
  bytes.insert(bytes.end(), begin, begin + size);
}

// Words of a keystream below a bound, each as likely as any other.
class Draw {
 public:
  explicit Draw(const Seed& seed) : seed_(seed) {}
  uint64_t Below(uint64_t bound) {
    const uint64_t biased = -bound % bound;  // so many words too many for the lowest numbers
    while (true) {
      const uint64_t word = Next();
      if (word >= biased) return word % bound;
    }
  }

 private:
  uint64_t Next() {
    if (next_ == words_.size()) {
      ChaCha8(seed_, {}, block_++, {reinterpret_cast<uint8_t*>(words_.data()), sizeof(words_)});
      next_ = 0;
    }
    return words_[next_++];
  }

  const Seed seed_;
  std::array<uint64_t, kChaChaBlockBytes / sizeof(uint64_t)> words_{};
  size_t next_ = words_.size();
  uint32_t block_ = 0;
};

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
  constexpr std::string_view kPurpose = "warpbook-probe round";
  std::vector<std::byte> bytes;
  Append(bytes, kPurpose.data(), kPurpose.size());
  Append(bytes, challenge.nonce.data(), challenge.nonce.size());
  Append(bytes, &challenge.gpu, sizeof challenge.gpu);
  Append(bytes, &round, sizeof round);
  Append(bytes, previous_root.data(), previous_root.size());
  return Sha256(bytes);
}

uint64_t LeafOf(const ComputeSize& size, TilePlace place) {
  return static_cast<uint64_t>(place.row * (size.n / kTileSide) + place.column);
}

std::vector<OpenedTile> TilesToOpen(const ComputeSize& size, const Seed& opening_seed) {
  WARPBOOK_CHECK(CheckSize(size).ok());
  Draw draw(opening_seed);
  std::set<int64_t> drawn;
  while (std::ssize(drawn) < size.opened) {
    drawn.insert(static_cast<int64_t>(draw.Below(static_cast<uint64_t>(size.tiles()))));
  }
  std::vector<OpenedTile> tiles;
  const int64_t columns = size.n / kTileSide;
  for (const int64_t number : drawn) {
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
