#include "gpu_probe/verifier/tile_check.h"

#include <doctest/doctest.h>

#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using simulation::Random;

CheckVectors RandomVectors(Random& random) {
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  for (uint8_t& byte : secret) byte = static_cast<uint8_t>(random.Below(256));
  return MakeCheckVectors(secret);
}

CheckVectors ConstantVectors(uint8_t byte) {
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  secret.fill(byte);
  return MakeCheckVectors(secret);
}

TEST_CASE("Entries go from -127 to 127, each as often as another but for -127, which comes twice") {
  std::vector<int64_t> counts(256);
  std::vector<int8_t> line(kLineEntriesMax);
  for (uint64_t i = 0; i < 64; ++i) {
    FillLine({9}, Operand::kLeft, i, 0, line);
    for (const int8_t entry : line) ++counts[static_cast<size_t>(entry + 128)];
  }
  const double expected = 64.0 * kLineEntriesMax / 256;
  CHECK(counts[0] == 0);
  CHECK(counts[1] == doctest::Approx(2 * expected).epsilon(0.03));
  for (size_t i = 2; i < 256; ++i) CHECK(counts[i] == doctest::Approx(expected).epsilon(0.04));
}

TEST_CASE("A right tile passes and a wrong entry does not, in either way of checking") {
  Random random(2);
  for (const int64_t k : {1, 15, 16, 17, 64, 1'000, 1'024, 1'025, 2'100, 20'000}) {
    CAPTURE(k);
    const Seed seed{static_cast<uint8_t>(random.Below(256)), 1};
    const TilePlace place{random.Between(0, 2'000), random.Between(0, 2'000)};
    Tile tile;
    ComputeTile(seed, place, k, tile);
    for (const TileCheckWay way : {TileCheckWay::kFastest, TileCheckWay::kPlain}) {
      const CheckVectors vectors = RandomVectors(random);
      CHECK(CheckTile(seed, place, k, tile, vectors, way));
      for (int i = 0; i < 20; ++i) {
        Tile wrong = tile;
        wrong[random.Below(kTileEntries)] ^= 1 << random.Below(32);
        CHECK_FALSE(CheckTile(seed, place, k, wrong, vectors, way));
      }
      CHECK_FALSE(CheckTile(seed, {place.column + 1, place.row}, k, tile, vectors, way));
      CHECK_FALSE(CheckTile({2}, place, k, tile, vectors, way));
    }
  }
}

TEST_CASE("The longest lines and the largest numbers overflow nothing") {
  Tile tile;
  ComputeTile({3}, {1, 2}, kLineEntriesMax, tile);
  for (const int byte : {0x00, 0x7f, 0x80, 0xff}) {
    CAPTURE(byte);
    for (const TileCheckWay way : {TileCheckWay::kFastest, TileCheckWay::kPlain}) {
      CHECK(CheckTile({3}, {1, 2}, kLineEntriesMax, tile,
                      ConstantVectors(static_cast<uint8_t>(byte)), way));
    }
  }
}

TEST_CASE("Entries that were exchanged within a row are found") {
  Random random(4);
  Tile tile;
  ComputeTile({5}, {0, 0}, 256, tile);
  const CheckVectors vectors = RandomVectors(random);
  for (int i = 0; i < 100; ++i) {
    Tile wrong = tile;
    const auto row = static_cast<size_t>(random.Between(0, kTileSide - 1));
    const auto a = row * kTileSide + random.Below(kTileSide);
    const auto b = row * kTileSide + random.Below(kTileSide);
    if (wrong[a] == wrong[b]) continue;
    std::swap(wrong[a], wrong[b]);
    CHECK_FALSE(CheckTile({5}, {0, 0}, 256, wrong, vectors));
  }
}

}  // namespace
}  // namespace warpbook::probe
