// Where the product kernels keep what: index arithmetic of shared memory, of the fragments of the
// PTX ISA's mma and wgmma instructions, and the order of the tiles.
#pragma once

#include <cstdint>

#include "gpu_probe/prover/cuda/host_device.h"

namespace warpbook::probe {

struct Place {
  int row, column;
};

// ---- mma.sync.m16n8k32 ------------------------------------------------------------------------
// Tiles in shared memory: rows of 64 bytes, in chunks of 16. ldmatrix reads eight rows' chunks at
// once, which have to lie in eight different chunks of the 128 bytes that the banks are wide.
inline constexpr int kMmaStepBytes = 64;
inline constexpr int kChunkBytes = 16;
WARPBOOK_HOST_DEVICE constexpr int MmaTileOffset(int row, int chunk) {
  return row * kMmaStepBytes + (chunk ^ (row >> 1 & 3)) * kChunkBytes;
}

// Which row and chunk a lane names to ldmatrix.x4, so that its four registers are the fragment of
// 16 rows of A and 32 entries; and, for B, those of 16 columns: two for the first eight, two for
// the others.
WARPBOOK_HOST_DEVICE constexpr Place LeftFragmentPlace(int lane) { return {lane % 16, lane / 16}; }
WARPBOOK_HOST_DEVICE constexpr Place RightFragmentPlace(int lane) {
  return {lane / 16 * 8 + lane % 8, lane / 8 % 2};
}

// The entry of the 16 x 8 product that a lane's register is.
WARPBOOK_HOST_DEVICE constexpr Place MmaResultPlace(int lane, int index) {
  return {lane / 4 + index / 2 * 8, lane % 4 * 2 + index % 2};
}

// ---- wgmma.m64n256k32 -------------------------------------------------------------------------
// Tiles in shared memory: rows of 128 bytes, whose chunks of 16 the TMA's 128-byte swizzle permutes
// within eight rows.
inline constexpr int kWgmmaStepBytes = 128;
inline constexpr int kWgmmaRows = 64;
inline constexpr int kWgmmaColumns = 256;
inline constexpr int kWgmmaDepth = 32;
// Registers of each of 128 threads.
inline constexpr int kWgmmaSums = kWgmmaRows * kWgmmaColumns / 128;

// The matrix descriptor (PTX ISA, "Matrix descriptor format") of K-major rows under the 128-byte
// swizzle: eight rows of 128 bytes follow each other by 1,024 bytes; the leading offset is not
// used. `address`, in shared memory, is that of a multiple of eight rows at a multiple of 1,024
// bytes, and further on by 32 bytes for each 32 entries.
WARPBOOK_HOST_DEVICE constexpr uint64_t WgmmaDescriptor(uint32_t address) {
  constexpr uint64_t kLeadingOffset = 1;
  constexpr uint64_t kStrideOffset = 8 * kWgmmaStepBytes / 16;
  constexpr uint64_t kSwizzle128 = 1;
  return (address & 0x3ffff) >> 4 | kLeadingOffset << 16 | kStrideOffset << 32 | kSwizzle128 << 62;
}
// What to add to a descriptor for the next 32 entries.
inline constexpr uint64_t kWgmmaDescriptorStep = kWgmmaDepth / 16;

// The entry of the 64 x 256 product that a register of a thread of the warp group is.
WARPBOOK_HOST_DEVICE constexpr Place WgmmaResultPlace(int thread, int index) {
  const Place place = MmaResultPlace(thread % 32, index % 4);
  return {thread / 32 * 16 + place.row, index / 4 * 8 + place.column};
}

// ---- The order of the tiles -------------------------------------------------------------------
// Tile `index` of rows x columns: `band` rows of tiles at a time, column by column, so that tiles
// computed at the same time share operands in the L2 cache.
WARPBOOK_HOST_DEVICE constexpr Place TileInOrder(int64_t index, int rows, int columns, int band) {
  const int64_t band_tiles = int64_t{band} * columns;
  const int first = static_cast<int>(index / band_tiles) * band;
  const int height = rows - first < band ? rows - first : band;
  const int within = static_cast<int>(index % band_tiles);
  return {first + within % height, within / height};
}

}  // namespace warpbook::probe
