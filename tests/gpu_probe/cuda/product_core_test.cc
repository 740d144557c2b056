// The product kernels' index arithmetic, run as the instructions run that they call: these are
// emulated here from the PTX ISA's words.
#include "gpu_probe/prover/cuda/product_core.h"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "tests/simulation/random.h"

namespace warpbook::probe {
namespace {

using simulation::Random;

constexpr int kLanes = 32;

// By rows of `depth` entries.
struct Matrix {
  int depth;
  std::vector<int8_t> entries;
  int at(int line, int entry) const {
    return entries[static_cast<size_t>(line) * static_cast<size_t>(depth) +
                   static_cast<size_t>(entry)];
  }
};

Matrix RandomMatrix(Random& random, int lines, int depth) {
  Matrix matrix{depth, {}};
  for (int i = 0; i < lines * depth; ++i) {
    matrix.entries.push_back(static_cast<int8_t>(random.Between(-127, 127)));
  }
  return matrix;
}

int Product(const Matrix& left, int row, const Matrix& right, int column, int first, int count) {
  int sum = 0;
  for (int i = first; i < first + count; ++i) sum += left.at(row, i) * right.at(column, i);
  return sum;
}

// A stage of shared memory, written as CopyOperand does.
std::vector<int8_t> StageOf(const Matrix& operand, int lines) {
  std::vector<int8_t> stage(static_cast<size_t>(lines * kMmaStepBytes));
  for (int row = 0; row < lines; ++row) {
    for (int chunk = 0; chunk < kMmaStepBytes / kChunkBytes; ++chunk) {
      std::memcpy(&stage[static_cast<size_t>(MmaTileOffset(row, chunk))],
                  &operand.entries[static_cast<size_t>(row * operand.depth + chunk * kChunkBytes)],
                  kChunkBytes);
    }
  }
  return stage;
}

// Four registers, of four entries each, for every lane.
using Fragment = std::array<std::array<std::array<int8_t, 4>, 4>, kLanes>;

// "ldmatrix": the addresses of lanes 8i to 8i + 7 are those of the rows of matrix i, 16 bytes each;
// lane l gets bytes 4 (l % 4) and on of row l / 4.
Fragment LoadMatrices(std::span<const int8_t> stage, const std::array<int, kLanes>& addresses) {
  Fragment fragment{};
  for (size_t lane = 0; lane < kLanes; ++lane) {
    for (size_t matrix = 0; matrix < 4; ++matrix) {
      const auto row = static_cast<size_t>(addresses[matrix * 8 + lane / 4]);
      for (size_t i = 0; i < 4; ++i) fragment[lane][matrix][i] = stage[row + lane % 4 * 4 + i];
    }
  }
  return fragment;
}

using Registers = std::array<int8_t, 4>;

// "mma.m16n8k32": a register of A holds row lane / 4 (+ 8 for the second and the fourth), entries
// 4 (lane % 4) and on (+ 16 for the third and the fourth); one of B column lane / 4, entries
// likewise (+ 16 for the second).
int MmaEntry(const Fragment& left, const std::array<std::array<Registers, 2>, kLanes>& right,
             int row, int column) {
  int sum = 0;
  for (int k = 0; k < 32; ++k) {
    const auto left_lane = static_cast<size_t>(row % 8 * 4 + k % 16 / 4);
    const auto left_register = static_cast<size_t>(row / 8 + k / 16 * 2);
    const auto right_lane = static_cast<size_t>(column * 4 + k % 16 / 4);
    const auto i = static_cast<size_t>(k % 4);
    sum += left[left_lane][left_register][i] * right[right_lane][static_cast<size_t>(k / 16)][i];
  }
  return sum;
}

// "mma.m8n8k16": row lane / 4 of A, column lane / 4 of B, entries 4 (lane % 4) and on.
int SmallMmaEntry(const Fragment& left, size_t left_register,
                  const std::array<std::array<Registers, 2>, kLanes>& right, size_t right_register,
                  int row, int column) {
  int sum = 0;
  for (int k = 0; k < 16; ++k) {
    const auto i = static_cast<size_t>(k % 4);
    sum += left[static_cast<size_t>(row * 4 + k / 4)][left_register][i] *
           right[static_cast<size_t>(column * 4 + k / 4)][right_register][i];
  }
  return sum;
}

TEST_CASE("A stage's chunks lie in different places and fill it") {
  std::set<int> offsets;
  for (int row = 0; row < 128; ++row) {
    for (int chunk = 0; chunk < 4; ++chunk) offsets.insert(MmaTileOffset(row, chunk));
  }
  CHECK(offsets.size() == 512);
  CHECK(*offsets.begin() == 0);
  CHECK(*offsets.rbegin() == 511 * kChunkBytes);
  for (const int offset : offsets) CHECK(offset % kChunkBytes == 0);
}

TEST_CASE("Eight rows that are read at once lie in different banks") {
  for (int first = 0; first < 128; first += 8) {
    for (int chunk = 0; chunk < 4; ++chunk) {
      std::set<int> banks;
      for (int row = first; row < first + 8; ++row) {
        banks.insert(MmaTileOffset(row, chunk) / kChunkBytes % 8);
      }
      CHECK(banks.size() == 8);
    }
  }
}

TEST_CASE("A warp's fragments give the product, by either instruction") {
  Random random(3);
  const Matrix left = RandomMatrix(random, 128, kMmaStepBytes);
  const Matrix right = RandomMatrix(random, 128, kMmaStepBytes);
  const std::vector<int8_t> left_stage = StageOf(left, 128), right_stage = StageOf(right, 128);
  for (int half = 0; half < 4; half += 2) {
    for (const auto& [first_row, first_column] : {std::pair{0, 0}, {16, 112}, {96, 48}}) {
      std::array<int, kLanes> left_addresses{}, right_addresses{};
      for (int lane = 0; lane < kLanes; ++lane) {
        const Place a = LeftFragmentPlace(lane), b = RightFragmentPlace(lane);
        left_addresses[static_cast<size_t>(lane)] =
            MmaTileOffset(first_row + a.row, half + a.column);
        right_addresses[static_cast<size_t>(lane)] =
            MmaTileOffset(first_column + b.row, half + b.column);
      }
      const Fragment a = LoadMatrices(left_stage, left_addresses);
      const Fragment b = LoadMatrices(right_stage, right_addresses);
      // Columns 0 to 7 take the first two registers, 8 to 15 the others, as Multiply is called.
      for (size_t side = 0; side < 2; ++side) {
        std::array<std::array<Registers, 2>, kLanes> columns{};
        for (size_t lane = 0; lane < kLanes; ++lane) {
          columns[lane] = {b[lane][side * 2], b[lane][side * 2 + 1]};
        }
        for (int lane = 0; lane < kLanes; ++lane) {
          for (int i = 0; i < 4; ++i) {
            const Place place = MmaResultPlace(lane, i);
            const int expected =
                Product(left, first_row + place.row, right,
                        first_column + static_cast<int>(side) * 8 + place.column, half * 16, 32);
            CHECK(MmaEntry(a, columns, place.row, place.column) == expected);
            // As sm_75 does it: the upper rows by registers 0 and 2, the lower ones by 1 and 3.
            const size_t lower = i < 2 ? 0 : 1;
            CHECK(SmallMmaEntry(a, lower, columns, 0, place.row % 8, place.column) +
                      SmallMmaEntry(a, lower + 2, columns, 1, place.row % 8, place.column) ==
                  expected);
          }
        }
      }
    }
  }
}

TEST_CASE("Each entry of an instruction's product is one register of one thread") {
  std::set<std::pair<int, int>> small, large;
  for (int lane = 0; lane < kLanes; ++lane) {
    for (int i = 0; i < 4; ++i) {
      const Place place = MmaResultPlace(lane, i);
      small.insert({place.row, place.column});
    }
  }
  CHECK(small.size() == 16 * 8);
  for (int thread = 0; thread < 128; ++thread) {
    for (int i = 0; i < kWgmmaRows * kWgmmaColumns / 128; ++i) {
      const Place place = WgmmaResultPlace(thread, i);
      CHECK(place.row < kWgmmaRows);
      CHECK(place.column < kWgmmaColumns);
      large.insert({place.row, place.column});
      // Stored by pairs.
      if (i % 2 == 0) CHECK(WgmmaResultPlace(thread, i + 1).column == place.column + 1);
    }
  }
  CHECK(large.size() == kWgmmaRows * kWgmmaColumns);
}

TEST_CASE("wgmma's descriptor finds what the TMA has put down") {
  // The TMA writes the chunk of a box at its place, but for address bits 4 to 6 xor bits 7 to 9.
  const auto swizzled = [](uint32_t address) { return address ^ (address >> 7 & 7) << 4; };
  for (const uint32_t box : {0u, 1024u * 16, 1024u * 176}) {
    for (uint32_t step = 0; step < 4; ++step) {
      const uint64_t descriptor = WgmmaDescriptor(box) + step * kWgmmaDescriptorStep;
      // Bits 0 to 13: the address; 32 to 45: how far eight rows are apart, both by 16 bytes; 62 and
      // 63: the swizzle, where 1 is that of 128 bytes; 49 to 51: an offset, for boxes that are not
      // aligned.
      const auto start = static_cast<uint32_t>(descriptor & 0x3fff) * 16;
      const auto stride = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) * 16;
      CHECK((descriptor >> 62) == 1);
      CHECK((descriptor >> 49 & 7) == 0);
      for (uint32_t row = 0; row < 256; ++row) {
        for (uint32_t chunk = 0; chunk < 2; ++chunk) {
          const uint32_t read =
              swizzled(start + row / 8 * stride + row % 8 * 128 + chunk * kChunkBytes);
          const uint32_t written =
              swizzled(box + row * kWgmmaStepBytes + step * kWgmmaDepth + chunk * kChunkBytes);
          CHECK(read == written);
        }
      }
    }
  }
}

TEST_CASE("Tiles come each once, whatever their number") {
  for (const auto& [rows, columns, band] :
       {std::array{1, 1, 8}, {8, 8, 8}, {9, 5, 8}, {17, 3, 16}, {3, 40, 8}, {64, 33, 8}}) {
    std::set<std::pair<int, int>> places;
    for (int index = 0; index < rows * columns; ++index) {
      const Place place = TileInOrder(index, rows, columns, band);
      CHECK((place.row >= 0 && place.row < rows && place.column >= 0 && place.column < columns));
      places.insert({place.row, place.column});
    }
    CHECK(std::ssize(places) == rows * columns);
  }
}

}  // namespace
}  // namespace warpbook::probe
