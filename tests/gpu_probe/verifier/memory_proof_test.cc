// The memory proof between an honest prover and the verifier; and what its definitions promise.
#include "gpu_probe/verifier/memory_proof.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

constexpr MemorySize kSize = {
    .blocks = 48, .columns = 3, .passes = 4, .walks = 128, .legs = 5, .opened = 12};
const Seed kGatherSeed = {5};
const Seed kOpeningSeed = {6};
const Progress kSilent = [](std::string_view, int64_t, int64_t) {};

MemoryChallenge MakeChallenge(uint8_t nonce = 1, uint32_t gpu = 0, uint8_t root = 1) {
  return {.nonce = {nonce}, .gpu = gpu, .last_root = {root}, .size = kSize};
}

std::vector<uint8_t> Arena(const Seed& seed, const MemorySize& size) {
  const auto bytes = static_cast<size_t>(size.block_bytes());
  std::vector<uint8_t> arena(static_cast<size_t>(size.arena_bytes()));
  for (int64_t block = 0; block < size.blocks; ++block) {
    MakeArenaBlock(seed, size, block,
                   std::span(arena).subspan(static_cast<size_t>(block) * bytes, bytes));
  }
  return arena;
}

TEST_CASE("A pass makes of 64 bytes the keystream's core of themselves") {
  // The core of (constants, key, counter, nonce) is what ChaCha8 makes of them.
  std::array<uint8_t, 64> state{};
  constexpr uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  std::memcpy(state.data(), kConstants, sizeof kConstants);
  ChaChaKey key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i * 7);
  std::copy(key.begin(), key.end(), state.begin() + 16);
  state[48] = 3;
  std::array<uint8_t, 64> expected;
  ChaCha8(key, {}, 3, expected);
  ChaCha8Chain(state, 1);
  CHECK(state == expected);
  ChaCha8Chain(state, 0);
  CHECK(state == expected);
}

TEST_CASE("Every 64 bytes of a block go through all passes by themselves, one after the other") {
  for (const int32_t columns : {1, 7, 8, 9, 17}) {
    CAPTURE(columns);
    const auto bytes = static_cast<size_t>(columns) * kChaChaBlockBytes;
    std::vector<uint8_t> together(bytes);
    ChaCha8({1}, {}, 0, together);
    std::vector<uint8_t> alone = together;
    ChaCha8Chain(together, 5);
    for (size_t from = 0; from < bytes; from += kChaChaBlockBytes) {
      const std::span<uint8_t> part = std::span(alone).subspan(from, kChaChaBlockBytes);
      ChaCha8Chain(part, 2);
      ChaCha8Chain(part, 3);
    }
    CHECK(together == alone);
  }
}

TEST_CASE("Blocks differ by seed, number and passes") {
  const MemorySize size = kSize;
  std::set<std::vector<uint8_t>> blocks;
  const auto add = [&](const Seed& seed, const MemorySize& its_size, int64_t block) {
    std::vector<uint8_t> made(static_cast<size_t>(size.block_bytes()));
    MakeArenaBlock(seed, its_size, block, made);
    CHECK(blocks.insert(made).second);
  };
  for (int64_t block = 0; block < size.blocks; ++block) add({1}, size, block);
  add({2}, size, 0);
  MemorySize more = size;
  more.passes += 1;
  add({1}, more, 0);
}

struct Answer {
  Sha256Digest root;
  std::vector<LegOpening> openings;
};

Answer AnswerOf(const MemoryChallenge& challenge, const Seed& gather_seed = kGatherSeed,
                const Seed& opening_seed = kOpeningSeed) {
  // By the definitions alone, leg by leg.
  const MemorySize& size = challenge.size;
  const std::vector<uint8_t> arena = Arena(ArenaSeed(challenge), size);
  const GatherKeys keys = MakeGatherKeys(challenge, gather_seed);
  std::vector<WalkStates> states(static_cast<size_t>(size.leaves()));
  for (int32_t walk = 0; walk < size.walks; ++walk) {
    uint64_t state = WalkStart(keys, walk);
    for (int32_t leg = 0; leg < size.legs; ++leg) {
      for (int32_t step = 0; step < kStepsPerLeg; ++step) {
        state = StepOf(
            keys, state, StepNumber(size, walk, leg, step),
            std::span(arena).subspan(static_cast<size_t>(BlockOf(size, state) * size.block_bytes()),
                                     static_cast<size_t>(size.block_bytes())));
      }
      states[LeafOf(size, walk, leg)][static_cast<size_t>(walk % kWalksPerLeaf)] = state;
    }
  }
  std::vector<Sha256Digest> leaves;
  for (const WalkStates& leaf : states) leaves.push_back(LeafHash(BytesOf(leaf)));
  const MerkleTree tree(std::move(leaves));
  Answer answer{tree.root(), {}};
  for (const OpenedLeg& leg : LegsToOpen(size, opening_seed)) {
    const auto open = [&](int32_t which) {
      const uint64_t leaf = LeafOf(size, leg.walk, which);
      return StatesOpening{states[leaf], tree.Path(leaf)};
    };
    LegOpening& opening = answer.openings.emplace_back();
    opening.leg = leg;
    if (leg.leg > 0) opening.before = open(leg.leg - 1);
    opening.after = open(leg.leg);
  }
  return answer;
}

MemoryFault Check(const MemoryChallenge& challenge, const Answer& answer) {
  return VerifyMemory(challenge, kGatherSeed, answer.root, kOpeningSeed, answer.openings);
}

TEST_CASE("An honest walk is accepted, and no other challenge's, GPU's, product's or seed's") {
  const MemoryChallenge challenge = MakeChallenge();
  CHECK(Check(challenge, AnswerOf(challenge)) == MemoryFault::kNone);
  CHECK(Check(challenge, AnswerOf(MakeChallenge(2))) == MemoryFault::kWrongWalk);
  CHECK(Check(challenge, AnswerOf(MakeChallenge(1, 1))) == MemoryFault::kWrongWalk);
  CHECK(Check(challenge, AnswerOf(MakeChallenge(1, 0, 2))) == MemoryFault::kWrongWalk);
  CHECK(Check(challenge, AnswerOf(challenge, Seed{4})) == MemoryFault::kWrongWalk);
  CHECK(Check(challenge, AnswerOf(challenge, kGatherSeed, Seed{7})) == MemoryFault::kOpenings);
}

TEST_CASE("The CPU's prover walks as the definitions say") {
  const GpuChallenge challenge = {.nonce = {1},
                                  .gpu = 3,
                                  .compute = {.m = 64, .n = 64, .k = 64, .rounds = 2, .opened = 1},
                                  .memory = kSize};
  CpuProver prover(challenge);
  const Sha256Digest last_root = prover.CommitProducts(kSilent).value().back();
  REQUIRE(prover.FillMemory(kSilent).ok());
  const Answer expected = AnswerOf(challenge.ForMemory(last_root));
  CHECK(prover.Gather(kGatherSeed, kSilent).value() == expected.root);
  const auto openings = prover.OpenLegs(LegsToOpen(kSize, kOpeningSeed)).value();
  REQUIRE(openings.size() == expected.openings.size());
  for (size_t i = 0; i < openings.size(); ++i) {
    CHECK(openings[i].leg == expected.openings[i].leg);
    CHECK(openings[i].after.states == expected.openings[i].after.states);
    CHECK(openings[i].after.path == expected.openings[i].after.path);
    CHECK(openings[i].before.has_value() == expected.openings[i].before.has_value());
  }
}

TEST_CASE("Every part of a walk's opening is looked at") {
  const MemoryChallenge challenge = MakeChallenge();
  const Answer answer = AnswerOf(challenge);
  const auto first = std::ranges::find_if(
      answer.openings, [](const LegOpening& opening) { return !opening.before.has_value(); });
  const auto later = std::ranges::find_if(
      answer.openings, [](const LegOpening& opening) { return opening.before.has_value(); });
  REQUIRE(first != answer.openings.end());
  REQUIRE(later != answer.openings.end());
  const auto at = [&](auto which) { return static_cast<size_t>(which - answer.openings.begin()); };
  const auto check = [&](auto change) {
    Answer changed = answer;
    change(changed);
    return Check(challenge, changed);
  };
  CHECK(check([](Answer&) {}) == MemoryFault::kNone);
  CHECK(check([](Answer& a) { a.openings.pop_back(); }) == MemoryFault::kOpenings);
  CHECK(check([](Answer& a) { std::swap(a.openings[0].leg, a.openings[1].leg); }) ==
        MemoryFault::kOpenings);
  CHECK(check([](Answer& a) { a.root[3] ^= 1; }) == MemoryFault::kNotCommittedTo);
  CHECK(check([&](Answer& a) { a.openings[at(later)].before.reset(); }) == MemoryFault::kOpenings);
  // A walk's start is the verifier's, not a prover's.
  CHECK(check([&](Answer& a) { a.openings[at(first)].before = a.openings[at(first)].after; }) ==
        MemoryFault::kOpenings);
  for (size_t i = 0; i < answer.openings.size(); ++i) {
    CHECK(check([&](Answer& a) { a.openings[i].after.states[i] ^= 1; }) ==
          MemoryFault::kNotCommittedTo);
    CHECK(check([&](Answer& a) { a.openings[i].after.path[0][9] ^= 4; }) ==
          MemoryFault::kNotCommittedTo);
    CHECK(check([&](Answer& a) { a.openings[i].after.path.pop_back(); }) ==
          MemoryFault::kNotCommittedTo);
    if (!answer.openings[i].before) continue;
    CHECK(check([&](Answer& a) { a.openings[i].before->states[5] ^= 1; }) ==
          MemoryFault::kNotCommittedTo);
    // The states of other walks, honestly in the tree.
    CHECK(check([&](Answer& a) { a.openings[i].before = a.openings[i].after; }) ==
          MemoryFault::kNotCommittedTo);
  }
}

TEST_CASE("What a step reads decides on all of the next: each bit of a block counts") {
  const MemoryChallenge challenge = MakeChallenge();
  const GatherKeys keys = MakeGatherKeys(challenge, kGatherSeed);
  std::vector<uint8_t> block(static_cast<size_t>(kSize.block_bytes()));
  MakeArenaBlock(ArenaSeed(challenge), kSize, 11, block);
  const uint64_t state = WalkStart(keys, 17);
  const uint64_t next = StepOf(keys, state, 9, block);
  CHECK(StepOf(keys, state, 10, block) != next);
  for (size_t bit = 0; bit < block.size() * 8; ++bit) {
    block[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    CHECK(StepOf(keys, state, 9, block) != next);
    block[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
  }
  CHECK(StepOf(keys, state ^ 1, 9, block) != next);
  CHECK(StepOf(keys, state ^ uint64_t{1} << 63, 9, block) != next);
}

TEST_CASE("Walks go everywhere in the arena, and stay in it") {
  CHECK(BlockOf(kSize, 0) == 0);
  CHECK(BlockOf(kSize, ~uint64_t{0}) == kSize.blocks - 1);
  MemorySize huge = kSize;
  huge.blocks = kArenaBlocksMax;
  CHECK(BlockOf(huge, ~uint64_t{0}) == kArenaBlocksMax - 1);
  const GatherKeys keys = MakeGatherKeys(MakeChallenge(), kGatherSeed);
  std::set<int64_t> begun;
  std::set<uint64_t> starts;
  for (int64_t walk = 0; walk < 1'000; ++walk) {
    starts.insert(WalkStart(keys, walk));
    begun.insert(BlockOf(kSize, WalkStart(keys, walk)));
  }
  CHECK(starts.size() == 1'000);
  CHECK(std::ssize(begun) == kSize.blocks);
}

TEST_CASE("Sizes that make no memory proof are refused") {
  const auto check = [](auto change) {
    MemorySize size = kSize;
    change(size);
    return CheckSize(size).ok();
  };
  CHECK(check([](MemorySize&) {}));
  CHECK_FALSE(check([](MemorySize& size) { size.blocks = 0; }));
  CHECK_FALSE(check([](MemorySize& size) { size.blocks = -16; }));
  CHECK_FALSE(check([](MemorySize& size) { size.blocks = 2 * kArenaBlocksMax; }));
  CHECK_FALSE(check([](MemorySize& size) { size.columns = 0; }));
  CHECK_FALSE(check([](MemorySize& size) { size.columns = 65; }));
  CHECK_FALSE(check([](MemorySize& size) { size.passes = 0; }));
  CHECK_FALSE(check([](MemorySize& size) { size.passes = kPassesMax + 1; }));
  CHECK_FALSE(check([](MemorySize& size) { size.walks = 32; }));
  CHECK_FALSE(check([](MemorySize& size) { size.walks = 2 * kWalksMax; }));
  CHECK_FALSE(check([](MemorySize& size) { size.legs = 0; }));
  CHECK_FALSE(check([](MemorySize& size) { size.opened = 0; }));
  CHECK_FALSE(check([](MemorySize& size) { size.opened = 1'025; }));
}

}  // namespace
}  // namespace warpbook::probe
