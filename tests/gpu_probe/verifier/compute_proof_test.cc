// The compute proof between an honest prover and the verifier; and the known ways to cheat.
#include "gpu_probe/verifier/compute_proof.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <set>

#include "gpu_probe/prover/cpu_prover.h"
#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using simulation::Random;

constexpr ComputeSize kSmall = {.m = 192, .n = 128, .k = 128, .rounds = 3, .opened = 6};

ComputeChallenge MakeChallenge(uint8_t nonce = 1, uint32_t gpu = 0) {
  return {.nonce = {nonce, 7}, .gpu = gpu, .size = kSmall};
}

CheckVectors MakeVectors() {
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  FillRandom(secret);
  return MakeCheckVectors(secret);
}

const Seed kOpeningSeed = {42};

struct Answer {
  std::vector<Sha256Digest> roots;
  std::vector<Opening> openings;
};

Answer AnswerOf(const ComputeChallenge& challenge, const Seed& opening_seed = kOpeningSeed) {
  CpuProver prover({challenge.nonce, challenge.gpu, challenge.size, {}});
  Answer answer;
  answer.roots = prover.CommitProducts([](auto...) {}).value();
  answer.openings = prover.OpenTiles(TilesToOpen(challenge.size, opening_seed)).value();
  return answer;
}

ComputeFault Verify(const ComputeChallenge& challenge, const Answer& answer) {
  return VerifyCompute(challenge, answer.roots, kOpeningSeed, answer.openings, MakeVectors());
}

// A prover whose tiles are made by `make` in place of the product.
using MakeTile = std::function<void(int32_t round, const Seed&, TilePlace, Tile&)>;
Answer CheatingAnswer(const ComputeChallenge& challenge, const MakeTile& make) {
  const ComputeSize& size = challenge.size;
  Answer answer;
  std::vector<MerkleTree> trees;
  std::vector<std::vector<Tile>> tiles;
  for (int32_t round = 0; round < size.rounds; ++round) {
    const Seed seed =
        RoundSeed(challenge, round, round == 0 ? Sha256Digest{} : answer.roots.back());
    std::vector<Sha256Digest> leaves;
    tiles.emplace_back();
    for (int64_t i = 0; i < size.tiles_per_round(); ++i) {
      const int64_t columns = size.n / kTileSide;
      Tile& tile = tiles.back().emplace_back();
      make(round, seed, {i / columns, i % columns}, tile);
      leaves.push_back(LeafHash(BytesOf(tile)));
    }
    trees.emplace_back(std::move(leaves));
    answer.roots.push_back(trees.back().root());
  }
  for (const OpenedTile& opened : TilesToOpen(size, kOpeningSeed)) {
    const auto round = static_cast<size_t>(opened.round);
    const uint64_t leaf = LeafOf(size, opened.place);
    answer.openings.push_back({opened, tiles[round][leaf], trees[round].Path(leaf)});
  }
  return answer;
}

TEST_CASE("An honest answer is accepted, and no other challenge's") {
  const ComputeChallenge challenge = MakeChallenge();
  const Answer answer = AnswerOf(challenge);
  CHECK(Verify(challenge, answer) == ComputeFault::kNone);
  // Stale: of an older nonce. Shared: of another GPU of the same provider.
  CHECK(Verify(challenge, AnswerOf(MakeChallenge(2))) == ComputeFault::kWrongProduct);
  CHECK(Verify(challenge, AnswerOf(MakeChallenge(1, 1))) == ComputeFault::kWrongProduct);
}

TEST_CASE("Every part of an answer is looked at") {
  const ComputeChallenge challenge = MakeChallenge();
  const Answer answer = AnswerOf(challenge);
  Answer changed = answer;
  changed.roots.pop_back();
  CHECK(Verify(challenge, changed) == ComputeFault::kRootsMissing);
  changed = answer;
  changed.openings.pop_back();
  CHECK(Verify(challenge, changed) == ComputeFault::kOpenings);
  changed = answer;
  std::swap(changed.openings[0], changed.openings[1]);
  CHECK(Verify(challenge, changed) == ComputeFault::kOpenings);
  changed = answer;
  changed.openings[1] = changed.openings[0];
  CHECK(Verify(challenge, changed) == ComputeFault::kOpenings);
  // Only the tiles that another seed opens.
  CHECK(Verify(challenge, {answer.roots, AnswerOf(challenge, {43}).openings}) ==
        ComputeFault::kOpenings);
  for (size_t i = 0; i < answer.openings.size(); ++i) {
    changed = answer;
    changed.openings[i].entries[i * 100] += 1;
    CHECK(Verify(challenge, changed) == ComputeFault::kNotCommittedTo);
    changed = answer;
    changed.openings[i].path.back()[31] ^= 0x80;
    CHECK(Verify(challenge, changed) == ComputeFault::kNotCommittedTo);
  }
  changed = answer;
  for (Sha256Digest& root : changed.roots) root[5] ^= 1;
  CHECK(Verify(challenge, changed) == ComputeFault::kNotCommittedTo);
}

TEST_CASE("Entries of a lower precision are refused") {
  const Answer answer =
      CheatingAnswer(MakeChallenge(), [](int32_t, const Seed& seed, TilePlace place, Tile& tile) {
        ComputeTile(seed, place, kSmall.k, tile);
        // As a product in float16 would round them.
        for (int32_t& entry : tile) entry = entry / 32 * 32;
      });
  CHECK(Verify(MakeChallenge(), answer) == ComputeFault::kWrongProduct);
}

TEST_CASE("Rounds that were not chained are refused") {
  // All computed at once, on the first round's seed.
  Seed first;
  const Answer answer = CheatingAnswer(
      MakeChallenge(), [&first](int32_t round, const Seed& seed, TilePlace place, Tile& tile) {
        if (round == 0) first = seed;
        ComputeTile(first, place, kSmall.k, tile);
      });
  CHECK(Verify(MakeChallenge(), answer) == ComputeFault::kWrongProduct);
}

TEST_CASE("Whoever skips a share of the tiles is caught as often as the formula says") {
  Random random(7);
  const ComputeChallenge challenge = MakeChallenge();
  const int64_t tiles = kSmall.tiles();
  // Of 18 tiles 6 are opened. So many are skipped: the openings miss them all.
  for (const int64_t skipped : {1, 2, 4}) {
    CAPTURE(skipped);
    double expected = 1;
    for (int64_t i = 0; i < skipped; ++i) {
      expected *= static_cast<double>(tiles - kSmall.opened - i) / static_cast<double>(tiles - i);
    }
    constexpr int kTries = 20'000;
    int survived = 0;
    for (int i = 0; i < kTries; ++i) {
      Seed seed{};
      for (size_t j = 0; j < 8; ++j) seed[j] = static_cast<uint8_t>(random.Below(256));
      const auto opened = TilesToOpen(kSmall, seed);
      survived += std::ranges::none_of(opened, [&](const OpenedTile& tile) {
        return tile.round * kSmall.tiles_per_round() +
                   static_cast<int64_t>(LeafOf(kSmall, tile.place)) <
               skipped;
      });
    }
    const double sigma = std::sqrt(kTries * expected * (1 - expected));
    CHECK(std::abs(survived - kTries * expected) < 4 * sigma);
  }
  // And the verifier sees exactly the skipped tiles that are opened.
  for (const int64_t skipped : {1, 9}) {
    const auto is_skipped = [skipped](int32_t round, TilePlace place) {
      return round * kSmall.tiles_per_round() + static_cast<int64_t>(LeafOf(kSmall, place)) <
             skipped;
    };
    const Answer answer = CheatingAnswer(
        challenge, [&](int32_t round, const Seed& seed, TilePlace place, Tile& tile) {
          ComputeTile(seed, place, kSmall.k, tile);
          if (is_skipped(round, place)) tile.fill(0);
        });
    const bool opened = std::ranges::any_of(answer.openings, [&](const Opening& opening) {
      return is_skipped(opening.tile.round, opening.tile.place);
    });
    CHECK(opened == (skipped == 9));
    CHECK(Verify(challenge, answer) ==
          (opened ? ComputeFault::kWrongProduct : ComputeFault::kNone));
  }
}

TEST_CASE("What may have been skipped is bounded by the number of openings") {
  // 128 openings: 1 - 2^(-20 / 128) = 10.26455%.
  CHECK(SkippedShareMax(128, 20) == 102'646);
  CHECK(SkippedShareMax(1, 1) == 500'000);
  CHECK(SkippedShareMax(1'024, 20) < SkippedShareMax(128, 20));
}

TEST_CASE(
    "Openings are different tiles of all rounds, in order, and all of them where so many are "
    "asked") {
  ComputeSize size = kSmall;
  for (int i = 0; i < 200; ++i) {
    const auto tiles = TilesToOpen(size, {static_cast<uint8_t>(i)});
    REQUIRE(std::ssize(tiles) == size.opened);
    std::set<std::pair<int32_t, uint64_t>> different;
    for (const OpenedTile& tile : tiles) {
      CHECK(tile.round >= 0);
      CHECK(tile.round < size.rounds);
      CHECK(tile.place.row < size.m / kTileSide);
      CHECK(tile.place.column < size.n / kTileSide);
      different.insert({tile.round, LeafOf(size, tile.place)});
    }
    CHECK(std::ssize(different) == size.opened);
  }
  size.opened = static_cast<int32_t>(size.tiles());
  CHECK(std::ssize(TilesToOpen(size, {})) == size.tiles());
}

TEST_CASE("Sizes that make no proof are refused with a reason") {
  const auto check = [](auto change) {
    ComputeSize size = kSmall;
    change(size);
    return CheckSize(size).ok();
  };
  CHECK(check([](ComputeSize&) {}));
  CHECK_FALSE(check([](ComputeSize& size) { size.m = 0; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.n = 100; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.k = kLineEntriesMax + 64; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.rounds = 0; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.rounds = kRoundsMax + 1; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.opened = 0; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.opened = 19; }));
  CHECK_FALSE(check([](ComputeSize& size) { size.m = -64; }));
}

}  // namespace
}  // namespace warpbook::probe
