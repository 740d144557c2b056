// The product by wgmma on int8, for sm_90a alone (H100, H200). Two thread blocks, on two
// multiprocessors, make 256 x 256 entries together: each 128 rows, with the same columns of B, of
// which each loads one half for both. In each a warp group's thread loads stages of 128 entries of
// depth by TMA ahead of two warp groups, which multiply 64 x 256 each. The blocks stay for all of
// the product.
#include <cuda.h>
#include <cuda_runtime.h>

#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/cuda/launch.h"
#include "gpu_probe/prover/cuda/product_core.h"
#include "gpu_probe/prover/cuda/wgmma_instructions.h"

namespace warpbook::probe {
namespace {

constexpr int kBlocks = 2;     // that share columns: a cluster
constexpr int kConsumers = 2;  // warp groups of a block
constexpr int kGroupThreads = 128;
constexpr int kThreads = (1 + kConsumers) * kGroupThreads;
constexpr int kStages = 4;
constexpr int kBand = 8;  // rows of parts that are computed side by side
constexpr int kRows = kConsumers * kWgmmaRows;
constexpr int kLeftBytes = kRows * kWgmmaStepBytes;
constexpr int kRightBytes = kWgmmaColumns * kWgmmaStepBytes;
constexpr int kHalfBytes = kWgmmaRightBox * kWgmmaStepBytes;
constexpr int kSwizzleBytes = 1024;  // what the swizzle's addresses are multiples of
static_assert(kRows == kWgmmaLeftBox && kHalfBytes * kBlocks == kRightBytes);

// 65,536 registers of a multiprocessor, by the PTX ISA in multiples of 8 a thread.
constexpr int kProducerRegisters = 40, kConsumerRegisters = 232;
static_assert((kProducerRegisters + kConsumers * kConsumerRegisters) * kGroupThreads <= 65'536);

struct Stage {
  uint8_t left[kLeftBytes];
  uint8_t right[kRightBytes];
};
struct Shared {
  Stage stages[kStages];
  uint64_t full[kStages];   // its bytes have come
  uint64_t empty[kStages];  // every consumer of both blocks has read it
};
static_assert(sizeof(Stage) % kSwizzleBytes == 0);

// Stages in turn, and which time around it is.
struct Turn {
  int stage = 0;
  uint32_t parity = 0;
  __device__ void Next() {
    if (++stage == kStages) stage = 0, parity ^= 1;
  }
};

// What a cluster computes, part by part.
struct Parts {
  int rows, columns;
  int64_t count;
  int steps;
  __device__ explicit Parts(const ProductShape& shape)
      : rows(static_cast<int>((shape.rows + kBlocks * kRows - 1) / (kBlocks * kRows))),
        columns(static_cast<int>((shape.columns + kWgmmaColumns - 1) / kWgmmaColumns)),
        count(int64_t{rows} * columns),
        steps(static_cast<int>((shape.depth + kWgmmaStepBytes - 1) / kWgmmaStepBytes)) {}
  __device__ static int64_t First() { return blockIdx.x / kBlocks; }
  __device__ static int64_t Stride() { return gridDim.x / kBlocks; }
  __device__ Place At(int64_t part) const { return TileInOrder(part, rows, columns, kBand); }
};

// One thread. Boxes that lie over an operand's end are filled up with zeros, and count in full.
__device__ void Produce(const CUtensorMap& left, const CUtensorMap& right, Shared& shared,
                        const Parts& parts, uint32_t rank) {
  Turn turn;
  for (int64_t part = Parts::First(); part < parts.count; part += Parts::Stride()) {
    const Place place = parts.At(part);
    const int row = (place.row * kBlocks + static_cast<int>(rank)) * kRows;
    const int column = place.column * kWgmmaColumns + static_cast<int>(rank) * kWgmmaRightBox;
    for (int step = 0; step < parts.steps; ++step, turn.Next()) {
      Stage& stage = shared.stages[turn.stage];
      uint64_t* const full = &shared.full[turn.stage];
      Wait(&shared.empty[turn.stage], turn.parity ^ 1);
      ArriveAndExpect(full, sizeof(Stage));
      LoadBox(stage.left, &left, step * kWgmmaStepBytes, row, full);
      LoadBoxToAll<kBlocks>(stage.right + rank * kHalfBytes, &right, step * kWgmmaStepBytes, column,
                            full);
    }
  }
}

// A lane for each block of the cluster tells it that this warp has read the stage.
__device__ void Release(Shared& shared, int stage) {
  const uint32_t lane = threadIdx.x % 32;
  if (lane < kBlocks) ArriveAt(&shared.empty[stage], lane);
}

__device__ void StoreSums(const int (&sums)[kWgmmaSums], int32_t* result, const ProductShape& shape,
                          int64_t first_row, int64_t first_column) {
  const int thread = static_cast<int>(threadIdx.x % kGroupThreads);
#pragma unroll
  for (int i = 0; i < kWgmmaSums; i += 2) {
    const Place place = WgmmaResultPlace(thread, i);
    const int64_t row = first_row + place.row, column = first_column + place.column;
    if (row < shape.rows && column < shape.columns) {
      __stcs(reinterpret_cast<int2*>(result + row * shape.columns + column),
             make_int2(sums[i], sums[i + 1]));
    }
  }
}

// A warp group; each works on its own 64 rows of the block's.
__device__ void Consume(Shared& shared, const Parts& parts, uint32_t rank, int consumer,
                        int32_t* result, const ProductShape& shape) {
  Turn turn;
  int sums[kWgmmaSums];
  for (int64_t part = Parts::First(); part < parts.count; part += Parts::Stride()) {
    int before = 0;
    for (int step = 0; step < parts.steps; ++step, turn.Next()) {
      Stage& stage = shared.stages[turn.stage];
      const uint64_t left =
          WgmmaDescriptor(SharedAddress(stage.left + consumer * kWgmmaRows * kWgmmaStepBytes));
      const uint64_t right = WgmmaDescriptor(SharedAddress(stage.right));
      Wait(&shared.full[turn.stage], turn.parity);
      BeginMultiplying();
#pragma unroll
      for (int i = 0; i < kWgmmaStepBytes / kWgmmaDepth; ++i) {
        Multiply(sums, left + i * kWgmmaDescriptorStep, right + i * kWgmmaDescriptorStep,
                 step > 0 || i > 0);
      }
      CommitProducts();
      // While these run, the ones before are done.
      WaitForProducts<1>();
      if (step > 0) Release(shared, before);
      before = turn.stage;
    }
    WaitForProducts<0>();
    Release(shared, before);
    const Place place = parts.At(part);
    const int64_t row = (int64_t{place.row} * kBlocks + rank) * kRows + consumer * kWgmmaRows;
    StoreSums(sums, result, shape, row, int64_t{place.column} * kWgmmaColumns);
  }
}

__global__ void __cluster_dims__(kBlocks, 1, 1) __launch_bounds__(kThreads, 1)
    WgmmaProductKernel(const __grid_constant__ CUtensorMap left,
                       const __grid_constant__ CUtensorMap right, int32_t* result,
                       const __grid_constant__ ProductShape shape) {
  auto* const memory = DynamicShared<uint8_t>();
  const uint32_t misplaced = SharedAddress(memory) % kSwizzleBytes;
  Shared& shared =
      *reinterpret_cast<Shared*>(memory + (misplaced == 0 ? 0 : kSwizzleBytes - misplaced));
  const uint32_t rank = RankInCluster();
  const int group = static_cast<int>(threadIdx.x / kGroupThreads);
  if (threadIdx.x == 0) {
    constexpr uint32_t kConsumerWarps = kConsumers * kGroupThreads / 32;
    for (int i = 0; i < kStages; ++i) {
      InitBarrier(&shared.full[i], 1);
      InitBarrier(&shared.empty[i], kBlocks * kConsumerWarps);
    }
    ShowBarriersToCluster();
  }
  // Before anybody arrives at the other block's barriers; and none leaves while the other may.
  SyncCluster();
  const Parts parts(shape);
  if (group == 0) {
    GiveRegisters<kProducerRegisters>();
    if (threadIdx.x == 0) Produce(left, right, shared, parts, rank);
    __syncwarp();
  } else {
    TakeRegisters<kConsumerRegisters>();
    Consume(shared, parts, rank, group - 1, result, shape);
  }
  SyncCluster();
}

}  // namespace

cudaError_t LaunchWgmmaProduct(const CUtensorMap& left, const CUtensorMap& right, int32_t* result,
                               const ProductShape& shape, int multiprocessors,
                               cudaStream_t stream) {
  constexpr int kSharedBytes = static_cast<int>(sizeof(Shared)) + kSwizzleBytes;
  const int blocks = multiprocessors / kBlocks * kBlocks;
  return Launch(WgmmaProductKernel, {blocks, kThreads, kSharedBytes, kBlocks}, stream, left, right,
                result, shape);
}

}  // namespace warpbook::probe
