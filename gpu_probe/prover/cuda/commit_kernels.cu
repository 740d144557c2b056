// Kernels of the compute proof around the product: operands, leaf hashes, trees, and single tiles.
#include <cuda_runtime.h>

#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/cuda/launch.h"
#include "gpu_probe/prover/cuda/tree_core.h"

namespace warpbook::probe {
namespace {

constexpr int kThreads = 256;

__device__ int64_t ThreadNumber() { return int64_t{blockIdx.x} * kThreads + threadIdx.x; }

__device__ uint4 VectorOf(const uint32_t* words) {
  return make_uint4(words[0], words[1], words[2], words[3]);
}

WARPBOOK_HOST_DEVICE void LoadWords(const void* from, uint32_t (&words)[16]) {
  const auto* vectors = static_cast<const uint4*>(from);
  WARPBOOK_UNROLL
  for (int i = 0; i < 4; ++i) {
    const uint4 vector = vectors[i];
    words[4 * i] = vector.x, words[4 * i + 1] = vector.y;
    words[4 * i + 2] = vector.z, words[4 * i + 3] = vector.w;
  }
}

// What HashBlocks reads: a tile of a product, of rows of so many columns, 64 bytes at a time; or
// bytes one behind the other.
struct TileLoad {
  const int32_t* first;
  int64_t columns;
  __host__ __device__ void operator()(uint32_t block, uint32_t (&words)[16]) const {
    LoadWords(first + block / 4 * columns + block % 4 * 16, words);
  }
};
struct BytesLoad {
  const uint8_t* first;
  __host__ __device__ void operator()(uint32_t block, uint32_t (&words)[16]) const {
    LoadWords(first + block * 64, words);
  }
};

// A thread for each 64 entries.
__global__ void __launch_bounds__(kThreads)
    FillOperandKernel(SeedWords seed, uint32_t operand, int64_t chunks, uint32_t line_chunks,
                      uint4* entries) {
  const int64_t chunk = ThreadNumber();
  if (chunk >= chunks) return;
  const ChaChaWords words = LineEntries(seed, operand, static_cast<uint64_t>(chunk / line_chunks),
                                        static_cast<uint32_t>(chunk % line_chunks));
#pragma unroll
  for (int i = 0; i < 4; ++i) entries[chunk * 4 + i] = VectorOf(words.word + 4 * i);
}

// A thread for each tile. Neighbours read neighbouring 256 bytes of a row, a quarter of them at a
// time; the rest comes from the first-level cache.
__global__ void __launch_bounds__(kThreads)
    HashTilesKernel(const int32_t* result, int64_t columns, int64_t tiles, DigestWords* leaves) {
  const int64_t tile = ThreadNumber();
  if (tile >= tiles) return;
  const int64_t tile_columns = columns / kDeviceTileSide;
  const int32_t* const first = result + tile / tile_columns * kDeviceTileSide * columns +
                               tile % tile_columns * kDeviceTileSide;
  leaves[tile] =
      HashBlocks(kLeafByte, kDeviceTileSide * kDeviceTileSide / 16, TileLoad{first, columns});
}

__global__ void __launch_bounds__(kThreads)
    HashLeavesKernel(const uint8_t* bytes, uint32_t blocks, int64_t leaves, DigestWords* hashes) {
  const int64_t leaf = ThreadNumber();
  if (leaf >= leaves) return;
  hashes[leaf] = HashBlocks(kLeafByte, blocks, BytesLoad{bytes + leaf * blocks * 64});
}

__global__ void __launch_bounds__(kThreads)
    TreeLevelKernel(const DigestWords* level, int64_t nodes, DigestWords* above) {
  const int64_t node = ThreadNumber();
  if (node < LevelAbove(nodes)) above[node] = NodeAbove(level, nodes, node);
}

__global__ void __launch_bounds__(kThreads)
    CollectKernel(const uint4* from, const uint64_t* rows, int64_t vectors, int row_vectors,
                  uint4* to) {
  const int64_t vector = ThreadNumber();
  if (vector >= vectors) return;
  to[vector] = from[rows[vector / row_vectors] * row_vectors + vector % row_vectors];
}

// A thread block for each tile, 128 entries of its 64 rows and 64 columns at a time: each thread
// makes half of one of these, and sums up 4 x 4 entries of the tile.
constexpr int kStepWords = 32;
constexpr int kLineWords = kStepWords + 1;  // so that neighbouring lines lie in different banks
__global__ void __launch_bounds__(kThreads)
    MakeTilesKernel(const TileToMake* tiles, uint32_t line_chunks, int32_t* entries) {
  __shared__ uint32_t lines[2][kDeviceTileSide][kLineWords];
  const TileToMake tile = tiles[blockIdx.x];
  const uint32_t operand = threadIdx.x / 128, line = threadIdx.x % 64, half = threadIdx.x / 64 % 2;
  const uint64_t line_number = (operand == 0 ? tile.row : tile.column) * kDeviceTileSide + line;
  const int rows = static_cast<int>(threadIdx.x / 16) * 4;
  const int columns = static_cast<int>(threadIdx.x % 16);  // and those 16, 32 and 48 further on
  int sums[4][4] = {};
  for (uint32_t chunk = 0; chunk < line_chunks; chunk += 2) {
    ChaChaWords words{};
    if (chunk + half < line_chunks) {
      words = LineEntries(tile.seed, operand, line_number, chunk + half);
    }
#pragma unroll
    for (int i = 0; i < 16; ++i) lines[operand][line][half * 16 + i] = words.word[i];
    __syncthreads();
#pragma unroll 4
    for (int word = 0; word < kStepWords; ++word) {
      int left[4], right[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        left[i] = static_cast<int>(lines[0][rows + i][word]);
        right[i] = static_cast<int>(lines[1][columns + 16 * i][word]);
      }
#pragma unroll
      for (int i = 0; i < 16; ++i) {
        sums[i / 4][i % 4] = __dp4a(left[i / 4], right[i % 4], sums[i / 4][i % 4]);
      }
    }
    __syncthreads();
  }
  int32_t* const out = entries + int64_t{blockIdx.x} * kDeviceTileSide * kDeviceTileSide;
#pragma unroll
  for (int i = 0; i < 16; ++i) {
    out[(rows + i / 4) * kDeviceTileSide + columns + 16 * (i % 4)] = sums[i / 4][i % 4];
  }
}

}  // namespace

cudaError_t LaunchFillOperand(const SeedWords& seed, uint32_t operand, int64_t lines, int64_t depth,
                              int8_t* entries, cudaStream_t stream) {
  const int64_t chunks = lines * (depth / 64);
  return Launch(FillOperandKernel, {BlocksFor(chunks, kThreads), kThreads}, stream, seed, operand,
                chunks, static_cast<uint32_t>(depth / 64), reinterpret_cast<uint4*>(entries));
}

cudaError_t LaunchHashTiles(const int32_t* result, int64_t rows, int64_t columns,
                            DigestWords* leaves, cudaStream_t stream) {
  const int64_t tiles = (rows / kDeviceTileSide) * (columns / kDeviceTileSide);
  return Launch(HashTilesKernel, {BlocksFor(tiles, kThreads), kThreads}, stream, result, columns,
                tiles, leaves);
}

cudaError_t LaunchHashLeaves(const void* bytes, int64_t leaf_bytes, int64_t leaves,
                             DigestWords* hashes, cudaStream_t stream) {
  return Launch(HashLeavesKernel, {BlocksFor(leaves, kThreads), kThreads}, stream,
                static_cast<const uint8_t*>(bytes), static_cast<uint32_t>(leaf_bytes / 64), leaves,
                hashes);
}

cudaError_t LaunchTree(DigestWords* nodes, int64_t leaves, cudaStream_t stream) {
  DigestWords* level = nodes;
  for (int64_t count = leaves; count > 1; count = LevelAbove(count)) {
    DigestWords* const above = level + count;
    const cudaError_t error =
        Launch(TreeLevelKernel, {BlocksFor(LevelAbove(count), kThreads), kThreads}, stream, level,
               count, above);
    if (error != cudaSuccess) return error;
    level = above;
  }
  return cudaSuccess;
}

cudaError_t LaunchCollect(const void* from, const uint64_t* rows, int64_t count, int row_vectors,
                          void* to, cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  const int64_t vectors = count * row_vectors;
  return Launch(CollectKernel, {BlocksFor(vectors, kThreads), kThreads}, stream,
                static_cast<const uint4*>(from), rows, vectors, row_vectors,
                static_cast<uint4*>(to));
}

cudaError_t LaunchMakeTiles(const TileToMake* tiles, int64_t count, int64_t depth, int32_t* entries,
                            cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  return Launch(MakeTilesKernel, {count, kThreads}, stream, tiles,
                static_cast<uint32_t>(depth / 64), entries);
}

}  // namespace warpbook::probe
