// What the proofs' definitions give for the parameters of its command line, for oracle_test.py:
//   gpu_probe_figures NONCE_HEX GPU M N K ROUNDS OPENED
//                     BLOCKS COLUMNS PASSES WALKS LEGS OPENED GATHER_SEED_HEX OPENING_SEED_HEX
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/escaping.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

Seed SeedOf(const char* hex) {
  const std::string bytes = absl::HexStringToBytes(hex);
  Seed seed{};
  WARPBOOK_CHECK(bytes.size() == seed.size());
  std::copy(bytes.begin(), bytes.end(), seed.begin());
  return seed;
}

std::string Hex(const Sha256Digest& digest) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

std::string Hex(const WalkStates& states) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(states.data()), sizeof states});
}

void PrintPath(const std::vector<Sha256Digest>& path) {
  for (const Sha256Digest& sibling : path) std::printf("path %s\n", Hex(sibling).c_str());
}

void PrintTiles(CpuProver& prover, const ComputeSize& size, const Seed& opening_seed) {
  const std::vector<Opening> openings = prover.OpenTiles(TilesToOpen(size, opening_seed)).value();
  for (const Opening& opening : openings) {
    std::printf("tile %d %ld %ld %d %d %s\n", opening.tile.round, opening.tile.place.row,
                opening.tile.place.column, opening.entries.front(), opening.entries.back(),
                Hex(LeafHash(BytesOf(opening.entries))).c_str());
    PrintPath(opening.path);
  }
}

void PrintLegs(CpuProver& prover, const MemorySize& size, const Seed& opening_seed) {
  const std::vector<LegOpening> openings = prover.OpenLegs(LegsToOpen(size, opening_seed)).value();
  for (const LegOpening& opening : openings) {
    std::printf("leg %d %d\n", opening.leg.walk, opening.leg.leg);
    if (opening.before) {
      std::printf("states %s\n", Hex(opening.before->states).c_str());
      PrintPath(opening.before->path);
    }
    std::printf("states %s\n", Hex(opening.after.states).c_str());
    PrintPath(opening.after.path);
  }
}

int Run(char** argv) {
  const auto number = [argv](int i) { return std::atol(argv[i]); };
  const auto small = [argv](int i) { return std::atoi(argv[i]); };
  const GpuChallenge challenge = {
      .nonce = SeedOf(argv[1]),
      .gpu = static_cast<uint32_t>(small(2)),
      .compute = {number(3), number(4), number(5), small(6), small(7)},
      .memory = {number(8), small(9), small(10), small(11), small(12), small(13)}};
  WARPBOOK_CHECK(CheckSize(challenge.compute).ok() && CheckSize(challenge.memory).ok());
  const Seed gather_seed = SeedOf(argv[14]);
  const Seed opening_seed = SeedOf(argv[15]);
  const Progress silent = [](std::string_view, int64_t, int64_t) {};
  CpuProver prover(challenge);
  const std::vector<Sha256Digest> roots = prover.CommitProducts(silent).value();
  for (const Sha256Digest& root : roots) std::printf("root %s\n", Hex(root).c_str());
  WARPBOOK_CHECK(prover.FillMemory(silent).ok());
  std::printf("gather %s\n", Hex(prover.Gather(gather_seed, silent).value()).c_str());
  PrintTiles(prover, challenge.compute, opening_seed);
  PrintLegs(prover, challenge.memory, opening_seed);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::probe

int main(int argc, char** argv) { return argc == 16 ? warpbook::probe::Run(argv) : EXIT_FAILURE; }
