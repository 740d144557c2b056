// What the proof's definitions give for the parameters of its command line, for oracle_test.py:
//   gpu_probe_figures NONCE_HEX GPU M N K ROUNDS OPENED OPENING_SEED_HEX
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

int Run(char** argv) {
  ComputeChallenge challenge;
  challenge.nonce = SeedOf(argv[1]);
  challenge.gpu = static_cast<uint32_t>(std::atoi(argv[2]));
  challenge.size = {std::atol(argv[3]), std::atol(argv[4]), std::atol(argv[5]), std::atoi(argv[6]),
                    std::atoi(argv[7])};
  WARPBOOK_CHECK(CheckSize(challenge.size).ok());
  CpuProver prover({challenge.nonce, challenge.gpu, challenge.size, {}});
  for (const Sha256Digest& root : prover.CommitProducts([](auto...) {}).value()) {
    std::printf("root %s\n", Hex(root).c_str());
  }
  for (const Opening& opening :
       prover.OpenTiles(TilesToOpen(challenge.size, SeedOf(argv[8]))).value()) {
    std::printf("tile %d %ld %ld %d %d %s\n", opening.tile.round, opening.tile.place.row,
                opening.tile.place.column, opening.entries.front(), opening.entries.back(),
                Hex(LeafHash(BytesOf(opening.entries))).c_str());
    for (const Sha256Digest& sibling : opening.path) std::printf("path %s\n", Hex(sibling).c_str());
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace warpbook::probe

int main(int argc, char** argv) { return argc == 9 ? warpbook::probe::Run(argv) : EXIT_FAILURE; }
