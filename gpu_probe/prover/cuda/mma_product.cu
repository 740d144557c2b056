// The product by mma.sync on int8, which every device since sm_75 has. A thread block makes 128 x
// 128 entries, each of its four warps 64 x 64 of them; operands come through shared memory in three
// stages.
#include <cuda_runtime.h>

#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/cuda/launch.h"
#include "gpu_probe/prover/cuda/mma_instructions.h"
#include "gpu_probe/prover/cuda/product_core.h"

namespace warpbook::probe {
namespace {

constexpr int kSide = 128;     // of a thread block's part
constexpr int kWarpSide = 64;  // of a warp's
constexpr int kThreads = 128;
constexpr int kStages = 3;
constexpr int kBand = 16;  // rows of parts that are computed side by side
constexpr int kOperandBytes = kSide * kMmaStepBytes;
constexpr int kRowChunks = kMmaStepBytes / kChunkBytes;
constexpr int kRowFragments = kWarpSide / 16, kColumnFragments = kWarpSide / 8;

// 64 entries of 128 lines. Beyond the last line it reads that one again.
__device__ void CopyOperand(const int8_t* operand, int64_t first_line, int64_t lines, int64_t depth,
                            int64_t at, uint8_t* to) {
#pragma unroll
  for (int i = 0; i < kSide * kRowChunks / kThreads; ++i) {
    const int chunk = static_cast<int>(threadIdx.x) + i * kThreads;
    const int row = chunk / kRowChunks;
    const int64_t line = min(first_line + row, lines - 1);
    CopyChunk(to + MmaTileOffset(row, chunk % kRowChunks),
              operand + line * depth + at + chunk % kRowChunks * kChunkBytes);
  }
}

__device__ void MultiplyStage(uint32_t left_stage, uint32_t right_stage, int warp_row,
                              int warp_column, int (&sums)[kRowFragments][kColumnFragments][4]) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const Place left_place = LeftFragmentPlace(lane);
  const Place right_place = RightFragmentPlace(lane);
#pragma unroll
  for (int half = 0; half < kRowChunks; half += 2) {
    uint32_t left[kRowFragments][4];
    uint32_t right[kColumnFragments / 2][4];
#pragma unroll
    for (int i = 0; i < kRowFragments; ++i) {
      LoadFragments(left_stage + static_cast<uint32_t>(MmaTileOffset(
                                     warp_row + i * 16 + left_place.row, half + left_place.column)),
                    left[i]);
    }
#pragma unroll
    for (int j = 0; j < kColumnFragments / 2; ++j) {
      LoadFragments(
          right_stage + static_cast<uint32_t>(MmaTileOffset(warp_column + j * 16 + right_place.row,
                                                            half + right_place.column)),
          right[j]);
    }
#pragma unroll
    for (int i = 0; i < kRowFragments; ++i) {
#pragma unroll
      for (int j = 0; j < kColumnFragments; ++j) {
        MultiplyFragments(sums[i][j], left[i], right[j / 2][j % 2 * 2],
                          right[j / 2][j % 2 * 2 + 1]);
      }
    }
  }
}

__global__ void __launch_bounds__(kThreads, 2)
    MmaProductKernel(const int8_t* left, const int8_t* right, int32_t* result, ProductShape shape) {
  alignas(128) __shared__ uint8_t stages[kStages][2][kOperandBytes];
  const Place part = TileInOrder(blockIdx.x, static_cast<int>((shape.rows + kSide - 1) / kSide),
                                 static_cast<int>((shape.columns + kSide - 1) / kSide), kBand);
  const int64_t first_row = int64_t{part.row} * kSide, first_column = int64_t{part.column} * kSide;
  const int warp = static_cast<int>(threadIdx.x / 32);
  const int warp_row = warp / 2 * kWarpSide, warp_column = warp % 2 * kWarpSide;
  const int steps = static_cast<int>(shape.depth / kMmaStepBytes);
  const auto copy = [&](int step) {
    if (step < steps) {
      const int64_t at = int64_t{step} * kMmaStepBytes;
      uint8_t(&stage)[2][kOperandBytes] = stages[step % kStages];
      CopyOperand(left, first_row, shape.rows, shape.depth, at, stage[0]);
      CopyOperand(right, first_column, shape.columns, shape.depth, at, stage[1]);
    }
    CommitCopies();
  };
  int sums[kRowFragments][kColumnFragments][4] = {};
  for (int step = 0; step < kStages - 1; ++step) copy(step);
  for (int step = 0; step < steps; ++step) {
    WaitForCopies<kStages - 2>();
    // Everybody's copies for this step are there, and nobody reads the stage any more that the next
    // copies go to.
    __syncthreads();
    copy(step + kStages - 1);
    const uint8_t(&stage)[2][kOperandBytes] = stages[step % kStages];
    MultiplyStage(SharedAddress(stage[0]), SharedAddress(stage[1]), warp_row, warp_column, sums);
  }
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (int i = 0; i < kRowFragments; ++i) {
#pragma unroll
    for (int j = 0; j < kColumnFragments; ++j) {
#pragma unroll
      for (int pair = 0; pair < 4; pair += 2) {
        const Place place = MmaResultPlace(lane, pair);
        const int64_t row = first_row + warp_row + i * 16 + place.row;
        const int64_t column = first_column + warp_column + j * 8 + place.column;
        if (row >= shape.rows || column >= shape.columns) continue;
        __stcs(reinterpret_cast<int2*>(result + row * shape.columns + column),
               make_int2(sums[i][j][pair], sums[i][j][pair + 1]));
      }
    }
  }
}

}  // namespace

cudaError_t LaunchMmaProduct(const int8_t* left, const int8_t* right, int32_t* result,
                             const ProductShape& shape, cudaStream_t stream) {
  const int64_t parts = ((shape.rows + kSide - 1) / kSide) * ((shape.columns + kSide - 1) / kSide);
  return Launch(MmaProductKernel, {parts, kThreads}, stream, left, right, result, shape);
}

}  // namespace warpbook::probe
