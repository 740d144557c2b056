// What the kernels compute, thread by thread, against the verifier's own code.
#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "gpu_probe/prover/cuda/device_convert.h"
#include "gpu_probe/prover/cuda/memory_core.h"
#include "gpu_probe/prover/cuda/tree_core.h"
#include "gpu_probe/verifier/memory_proof.h"
#include "gpu_probe/verifier/merkle_tree.h"
#include "gpu_probe/verifier/tile.h"
#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using simulation::Random;

std::vector<uint8_t> RandomBytes(Random& random, size_t count) {
  std::vector<uint8_t> bytes(count);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(256));
  return bytes;
}

Seed RandomSeed(Random& random) {
  Seed seed;
  for (uint8_t& byte : seed) byte = static_cast<uint8_t>(random.Below(256));
  return seed;
}

template <typename T>
bool SameBytes(const T& words, std::span<const uint8_t> bytes) {
  return sizeof words == bytes.size() && std::memcmp(&words, bytes.data(), bytes.size()) == 0;
}

TEST_CASE("A line's entries are the verifier's, chunk by chunk") {
  Random random(1);
  const Seed seed = RandomSeed(random);
  constexpr int64_t kDepth = 64 * 9;
  for (const Operand operand : {Operand::kLeft, Operand::kRight}) {
    for (const uint64_t line : {uint64_t{0}, uint64_t{131'071}, uint64_t{5} << 33}) {
      std::vector<int8_t> entries(kDepth);
      FillLine(seed, operand, line, 0, entries);
      for (uint32_t chunk = 0; chunk < kDepth / 64; ++chunk) {
        const ChaChaWords words =
            LineEntries(WordsOf(seed), static_cast<uint32_t>(operand), line, chunk);
        CHECK(std::memcmp(&words, entries.data() + chunk * 64, sizeof words) == 0);
      }
    }
  }
}

TEST_CASE("Every byte of keystream becomes the right entry, beside every other") {
  for (uint32_t byte = 0; byte < 256; ++byte) {
    const uint32_t expected = byte == 0 ? 0x81 : byte ^ 0x80;
    for (uint32_t beside = 0; beside < 256; ++beside) {
      const uint32_t other = beside == 0 ? 0x81 : beside ^ 0x80;
      CHECK(EntriesOf(byte | beside << 8 | byte << 16 | beside << 24) ==
            (expected | other << 8 | expected << 16 | other << 24));
    }
  }
}

TEST_CASE("Leaves are hashed as the verifier hashes them") {
  Random random(2);
  for (const size_t blocks : {size_t{1}, size_t{2}, size_t{8}, sizeof(Tile) / 64}) {
    const std::vector<uint8_t> leaf = RandomBytes(random, blocks * 64);
    const DigestWords digest =
        HashBlocks(kLeafByte, static_cast<uint32_t>(blocks), [&](uint32_t block, auto& words) {
          std::memcpy(words, leaf.data() + block * 64, sizeof words);
        });
    CHECK(SameBytes(digest, LeafHash(std::as_bytes(std::span(leaf)))));
  }
}

TEST_CASE("A tree made level by level is the verifier's, with its paths, for 1 to 130 leaves") {
  Random random(3);
  for (int64_t leaves = 1; leaves <= 130; ++leaves) {
    std::vector<Sha256Digest> hashes(static_cast<size_t>(leaves));
    for (Sha256Digest& hash : hashes) hash = RandomSeed(random);
    std::vector<DigestWords> nodes(static_cast<size_t>(TreeNodes(leaves)));
    std::memcpy(nodes.data(), hashes.data(), hashes.size() * sizeof(Sha256Digest));
    DigestWords* level = nodes.data();
    for (int64_t count = leaves; count > 1; count = LevelAbove(count)) {
      for (int64_t i = 0; i < LevelAbove(count); ++i) level[count + i] = NodeAbove(level, count, i);
      level += count;
    }
    const MerkleTree tree(hashes);
    CHECK(SameBytes(nodes.back(), tree.root()));
    for (size_t leaf = 0; leaf < hashes.size(); ++leaf) {
      const std::vector<Sha256Digest> expected = tree.Path(leaf);
      const std::vector<uint64_t> path = PathNodes(leaves, leaf);
      REQUIRE(path.size() == expected.size());
      for (size_t i = 0; i < path.size(); ++i) CHECK(SameBytes(nodes[path[i]], expected[i]));
    }
  }
}

TEST_CASE("The arena is the verifier's, chunk by chunk") {
  Random random(4);
  const Seed seed = RandomSeed(random);
  for (const auto& [blocks, columns, passes] :
       {std::array{8, 1, 3}, {24, 3, 1}, {160, 2, 5}, {7, 16, 40}}) {
    const MemorySize size = {.blocks = blocks, .columns = columns, .passes = passes};
    const ArenaShape shape = {static_cast<uint64_t>(blocks), static_cast<uint32_t>(columns),
                              static_cast<uint32_t>(passes)};
    std::vector<uint8_t> block(static_cast<size_t>(size.block_bytes()));
    for (int64_t i = 0; i < size.blocks; ++i) {
      MakeArenaBlock(seed, size, i, block);
      for (int32_t column = 0; column < columns; ++column) {
        const ChaChaWords chunk =
            ArenaChunk(WordsOf(seed), shape, static_cast<uint64_t>(i * columns + column));
        CHECK(std::memcmp(&chunk, block.data() + column * kChaChaBlockBytes, sizeof chunk) == 0);
      }
    }
  }
}

TEST_CASE("A walk begins and steps as the verifier's does, its lanes together") {
  Random random(5);
  for (const int32_t columns : {1, 2, 3, 8, 16, 17, 64}) {
    const MemorySize size = {.blocks = 3 << 20, .columns = columns, .passes = 4};
    MemoryChallenge challenge;
    challenge.size = size;
    const GatherKeys keys = MakeGatherKeys(challenge, RandomSeed(random));
    for (uint32_t walk : {0u, 7u, 8u, 1'000'003u}) {
      const ChaChaWords words = KeystreamBlock(WordsOf(keys.seed), walk / 8, 1, 0, 0);
      uint64_t state = words.word[walk % 8 * 2] | uint64_t{words.word[walk % 8 * 2 + 1]} << 32;
      CHECK(state == WalkStart(keys, walk));
      CHECK(static_cast<int64_t>(BlockToRead(static_cast<uint64_t>(size.blocks), state)) ==
            BlockOf(size, state));
      const std::vector<uint8_t> block =
          RandomBytes(random, static_cast<size_t>(size.block_bytes()));
      const uint64_t expected = StepOf(keys, state, walk + 5, block);
      const auto vectors = static_cast<uint32_t>(columns) * 4;
      const uint32_t lanes = LanesPerWalk(static_cast<uint32_t>(columns));
      CHECK((lanes >= 4 && lanes <= 32 && vectors <= lanes * 8));
      uint64_t sum = 0;
      for (uint32_t lane = 0; lane < lanes; ++lane) {
        for (uint32_t vector = lane; vector < vectors; vector += lanes) {
          uint32_t read[4], multipliers[4];
          std::memcpy(read, block.data() + vector * 16, sizeof read);
          std::memcpy(multipliers, keys.multipliers.data() + vector * 4, sizeof multipliers);
          sum += SumOf(state, read, multipliers);
        }
      }
      CHECK(FinishStep(state + sum, walk + 5) == expected);
    }
  }
}

}  // namespace
}  // namespace warpbook::probe
