// probe_bench: what it costs the verifier to check what a prover opens, on one core, by what takes
// the time: tiles of products and legs of walks; see --help. Medians over the rounds.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "gpu_probe/verifier/memory_proof.h"
#include "gpu_probe/verifier/merkle_tree.h"
#include "gpu_probe/verifier/tile_check.h"
#include "schema/base/check.h"
#include "tests/bench/statistics.h"

namespace warpbook::bench {
namespace {

using probe::kTileSide;

struct Options {
  int tiles = 128;
  int64_t k = 65'536;
  int legs = 128;
  int32_t passes = 113;  // an H100's
  int repeat = 5;
};

template <typename Work>
double SecondsOf(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Makes the lines of a tile as CheckTile does, a piece at a time.
void Regenerate(const probe::Seed& seed, int64_t place, int64_t k) {
  constexpr int64_t kPiece = 1'024;
  std::array<int8_t, kPiece> piece;
  for (int64_t first = 0; first < k; first += kPiece) {
    const auto length = static_cast<size_t>(std::min(kPiece, k - first));
    for (int64_t i = 0; i < kTileSide; ++i) {
      const auto line = static_cast<uint64_t>(place * kTileSide + i);
      probe::FillLine(seed, probe::Operand::kLeft, line, first, {piece.data(), length});
      probe::FillLine(seed, probe::Operand::kRight, line, first, {piece.data(), length});
    }
  }
}

void Measure(const Options& options) {
  const probe::Seed seed{1, 2, 3};
  std::array<uint8_t, sizeof(probe::CheckVectors)> secret;
  FillRandom(secret);
  const probe::CheckVectors vectors = probe::MakeCheckVectors(secret);
  std::vector<probe::Tile> tiles(static_cast<size_t>(options.tiles));
  for (int i = 0; i < options.tiles; ++i) {
    probe::ComputeTile(seed, {i, i}, options.k, tiles[static_cast<size_t>(i)]);
  }
  std::vector<double> regenerate, check, hash;
  for (int round = -1; round < options.repeat; ++round) {
    const double lines = SecondsOf([&] {
      for (int i = 0; i < options.tiles; ++i) Regenerate(seed, i, options.k);
    });
    const double all = SecondsOf([&] {
      for (int i = 0; i < options.tiles; ++i) {
        WARPBOOK_CHECK(
            probe::CheckTile(seed, {i, i}, options.k, tiles[static_cast<size_t>(i)], vectors));
      }
    });
    const double leaves = SecondsOf([&] {
      for (const probe::Tile& tile : tiles) probe::LeafHash(probe::BytesOf(tile));
    });
    if (round < 0) continue;
    regenerate.push_back(lines);
    check.push_back(all);
    hash.push_back(leaves);
  }
  const double lines = SpreadOf(regenerate).median;
  const Spread all = SpreadOf(check);
  const double leaves = SpreadOf(hash).median;
  std::printf(
      "%d tiles at K = %ld, one core: %.3f s (%.3f..%.3f) = regenerate %.3f + multiply %.3f + hash "
      "%.3f; %.2f GB/s of operands\n",
      options.tiles, options.k, all.median + leaves, all.min + leaves, all.max + leaves, lines,
      all.median - lines, leaves,
      2.0 * options.tiles * kTileSide * static_cast<double>(options.k) / lines / 1e9);
}

// Walks legs as VerifyMemory does, every block made anew.
void MeasureLegs(const Options& options) {
  const probe::MemorySize size = {.blocks = int64_t{1} << 26,
                                  .columns = 16,
                                  .passes = options.passes,
                                  .walks = 65'536,
                                  .legs = 2'000,
                                  .opened = options.legs};
  const probe::MemoryChallenge challenge = {.nonce = {1}, .size = size};
  const probe::Seed arena_seed = probe::ArenaSeed(challenge);
  const probe::GatherKeys keys = probe::MakeGatherKeys(challenge, {2});
  std::vector<uint8_t> block(static_cast<size_t>(size.block_bytes()));
  uint64_t state = 0;
  std::vector<double> seconds;
  for (int round = -1; round < options.repeat; ++round) {
    const double taken = SecondsOf([&] {
      for (int leg = 0; leg < options.legs; ++leg) {
        state ^= probe::WalkStart(keys, leg);
        for (int step = 0; step < probe::kStepsPerLeg; ++step) {
          probe::MakeArenaBlock(arena_seed, size, probe::BlockOf(size, state), block);
          state = probe::StepOf(keys, state, probe::StepNumber(size, leg, 0, step), block);
        }
      }
    });
    if (round >= 0) seconds.push_back(taken);
  }
  const Spread all = SpreadOf(seconds);
  std::printf(
      "%d legs of %d steps, blocks of %ld bytes in %d passes, one core: %.3f s (%.3f..%.3f)\n",
      options.legs, probe::kStepsPerLeg, size.block_bytes(), size.passes, all.median, all.min,
      all.max);
  WARPBOOK_CHECK(state != 0);
}

int Run(int argc, char** argv) {
  Options options;
  CLI::App app("What it costs to check what a prover opens, on one core.");
  app.add_option("--tiles", options.tiles, "Opened")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str();
  app.add_option("--passes", options.passes, "Over each block of the arena; more for slower memory")
      ->check(CLI::Range(1, probe::kPassesMax))
      ->capture_default_str();
  app.add_option("-k", options.k, "Entries of each line")
      ->check(CLI::Range(int64_t{1}, probe::kLineEntriesMax))
      ->capture_default_str();
  app.add_option("--legs", options.legs, "Opened, of walks")
      ->check(CLI::Range(1, probe::kOpenedLegsMax))
      ->capture_default_str();
  app.add_option("--repeat", options.repeat, "Rounds")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Measure(options);
  MeasureLegs(options);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::bench

int main(int argc, char** argv) { return warpbook::bench::Run(argc, argv); }
