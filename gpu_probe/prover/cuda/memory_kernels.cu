// Kernels of the memory proof: the arena and the walks through it.
#include <cuda_runtime.h>

#include <algorithm>

#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/cuda/launch.h"

namespace warpbook::probe {
namespace {

constexpr int kThreads = 256;
constexpr int kVectors = 4;  // of 16 bytes in a chunk

__device__ void StoreChunk(const ChaChaWords& words, uint4* to) {
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    to[i] = make_uint4(words.word[4 * i], words.word[4 * i + 1], words.word[4 * i + 2],
                       words.word[4 * i + 3]);
  }
}

// A thread for each chunk.
__global__ void __launch_bounds__(kThreads)
    FillArenaKernel(SeedWords seed, ArenaShape shape, uint64_t first, uint64_t end, uint4* arena) {
  const uint64_t index = first + uint64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (index >= end) return;
  StoreChunk(ArenaChunk(seed, shape, index), arena + index * kVectors);
}

__global__ void __launch_bounds__(kThreads)
    WalkStartsKernel(SeedWords seed, int64_t walks, uint64_t* states) {
  const int64_t group = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (group * 8 >= walks) return;
  const ChaChaWords words = KeystreamBlock(seed, static_cast<uint32_t>(group), 1, 0, 0);
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    if (group * 8 + i < walks) {
      states[group * 8 + i] = words.word[2 * i] | uint64_t{words.word[2 * i + 1]} << 32;
    }
  }
}

// `lanes` neighbouring threads of a warp for each walk, each of which reads the same `loads`
// vectors of every block.
template <int loads>
__global__ void __launch_bounds__(kThreads)
    WalksKernel(WalkPlan plan, uint32_t lanes, const uint4* __restrict__ arena,
                const uint4* __restrict__ multipliers, const uint64_t* from, uint64_t* to) {
  const uint32_t vectors = plan.shape.columns * kVectors;
  const uint32_t lane = threadIdx.x % lanes;
  const int64_t walks_at_once = int64_t{gridDim.x} * kThreads / lanes;
  uint32_t factors[loads][4] = {};
#pragma unroll
  for (int i = 0; i < loads; ++i) {
    const uint32_t vector = lane + static_cast<uint32_t>(i) * lanes;
    if (vector >= vectors) continue;
    const uint4 loaded = multipliers[vector];
    factors[i][0] = loaded.x, factors[i][1] = loaded.y;
    factors[i][2] = loaded.z, factors[i][3] = loaded.w;
  }
  const int64_t first = (int64_t{blockIdx.x} * kThreads + threadIdx.x) / lanes;
  // All lanes of a warp stay to the end, for the sums.
  const int64_t rounds = (plan.walks + walks_at_once - 1) / walks_at_once;
  for (int64_t round = 0; round < rounds; ++round) {
    const int64_t walk = first + round * walks_at_once;
    const bool is_walk = walk < plan.walks;
    uint64_t state = is_walk ? from[walk] : 0;
    for (int64_t leg = 0; leg < plan.legs; ++leg) {
      for (int step = 0; step < plan.steps_per_leg; ++step) {
        const uint4* const block = arena + BlockToRead(plan.shape.blocks, state) * vectors;
        uint4 loaded[loads];
#pragma unroll
        for (int i = 0; i < loads; ++i) {
          const uint32_t vector = lane + static_cast<uint32_t>(i) * lanes;
          loaded[i] = is_walk && vector < vectors ? __ldcs(block + vector) : uint4{};
        }
        uint64_t sum = 0;
#pragma unroll
        for (int i = 0; i < loads; ++i) {
          const uint32_t words[4] = {loaded[i].x, loaded[i].y, loaded[i].z, loaded[i].w};
          const uint64_t added = SumOf(state, words, factors[i]);
          if (lane + static_cast<uint32_t>(i) * lanes < vectors) sum += added;
        }
        for (uint32_t distance = lanes / 2; distance > 0; distance /= 2) {
          sum += __shfl_xor_sync(0xffffffff, sum, static_cast<int>(distance));
        }
        state = FinishStep(
            state + sum,
            static_cast<uint64_t>(
                (walk * plan.all_legs + plan.first_leg + leg) * plan.steps_per_leg + step));
      }
      if (is_walk && lane == 0) to[leg * plan.walks + walk] = state;
    }
  }
}

template <int loads>
cudaError_t StartWalks(const WalkPlan& plan, uint32_t lanes, const uint4* arena,
                       const uint4* multipliers, const uint64_t* from, uint64_t* to,
                       cudaStream_t stream) {
  int device = 0, multiprocessors = 0, blocks_each = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  }
  if (error == cudaSuccess) {
    error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_each, WalksKernel<loads>,
                                                          kThreads, 0);
  }
  if (error != cudaSuccess) return error;
  // As many blocks as run at the same time.
  const int64_t wanted = BlocksFor(plan.walks * lanes, kThreads);
  const int64_t blocks = std::min(wanted, int64_t{multiprocessors} * std::max(blocks_each, 1));
  return Launch(WalksKernel<loads>, {blocks, kThreads}, stream, plan, lanes, arena, multipliers,
                from, to);
}

}  // namespace

cudaError_t LaunchFillArena(const SeedWords& seed, const ArenaShape& shape, uint64_t first,
                            uint64_t count, void* arena, cudaStream_t stream) {
  return Launch(FillArenaKernel, {BlocksFor(static_cast<int64_t>(count), kThreads), kThreads},
                stream, seed, shape, first, first + count, static_cast<uint4*>(arena));
}

cudaError_t LaunchWalkStarts(const SeedWords& seed, int64_t walks, uint64_t* states,
                             cudaStream_t stream) {
  return Launch(WalkStartsKernel, {BlocksFor((walks + 7) / 8, kThreads), kThreads}, stream, seed,
                walks, states);
}

cudaError_t LaunchWalks(const WalkPlan& plan, const void* arena, const uint32_t* multipliers,
                        const uint64_t* from, uint64_t* to, cudaStream_t stream) {
  const uint32_t lanes = LanesPerWalk(plan.shape.columns);
  const uint32_t loads = (plan.shape.columns * kVectors + lanes - 1) / lanes;
  const auto start = loads <= 1 ? StartWalks<1> : loads <= 2 ? StartWalks<2> : StartWalks<8>;
  return start(plan, lanes, static_cast<const uint4*>(arena),
               reinterpret_cast<const uint4*>(multipliers), from, to, stream);
}

}  // namespace warpbook::probe
