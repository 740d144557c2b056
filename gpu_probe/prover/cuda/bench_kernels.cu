// Loops that keep one kind of arithmetic unit busy and touch no memory: what a device computes at
// most through instructions that every program can use.
#include <cuda_runtime.h>

#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/cuda/launch.h"

namespace warpbook::probe {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocksEach = 4;  // of a multiprocessor
constexpr int kChains = 8;      // that do not wait for each other
constexpr int kTurns = 1024;

// Operations of a thread's instruction: two for each multiplication with its addition.
constexpr double OperationsOf(ArithmeticLoop loop) {
  switch (loop) {
    case ArithmeticLoop::kFp32:
      return 2;
    case ArithmeticLoop::kTf32:
      return 2.0 * 16 * 8 * 8 / 32;
    case ArithmeticLoop::kBf16:
      return 2.0 * 16 * 8 * 16 / 32;
    case ArithmeticLoop::kFp8:
      return 2.0 * 16 * 8 * 32 / 32;
  }
  return 0;
}

template <ArithmeticLoop loop>
__device__ void Step(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if __CUDA_ARCH__ >= 800
  if constexpr (loop == ArithmeticLoop::kTf32) {
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else if constexpr (loop == ArithmeticLoop::kBf16) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#endif
#if __CUDA_ARCH__ >= 890
  if constexpr (loop == ArithmeticLoop::kFp8) {
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
#endif
  if constexpr (loop == ArithmeticLoop::kFp32) {
    asm volatile("fma.rn.f32 %0, %1, %2, %0;"
                 : "+f"(sum[0])
                 : "f"(__uint_as_float(a[0])), "f"(__uint_as_float(b[0])));
  }
}

template <ArithmeticLoop loop>
__global__ void __launch_bounds__(kThreads) ArithmeticKernel(int repetitions, float* sink) {
  float sums[kChains][4] = {};
  // Small numbers in each of the formats.
  const uint32_t a[4] = {0x3c003c00 + threadIdx.x, 0x38003800, 0x3c003c00, 0x38003800};
  const uint32_t b[2] = {0x30003000, 0x34003400};
  for (int i = 0; i < repetitions * (kTurns / 4); ++i) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int chain = 0; chain < kChains; ++chain) Step<loop>(sums[chain], a, b);
    }
  }
  float sum = 0;
#pragma unroll
  for (int chain = 0; chain < kChains; ++chain) {
    sum += sums[chain][0] + sums[chain][1] + sums[chain][2] + sums[chain][3];
  }
  // Never so; the compiler does not know.
  if (sum == 1.2345f) *sink = sum;
}

}  // namespace

bool HasArithmetic(ArithmeticLoop loop, int capability) {
  if (loop == ArithmeticLoop::kFp32) return true;
  return capability >= (loop == ArithmeticLoop::kFp8 ? 89 : 80);
}

cudaError_t LaunchArithmetic(ArithmeticLoop loop, int multiprocessors, int repetitions, void* sink,
                             double* operations, cudaStream_t stream) {
  const int blocks = multiprocessors * kBlocksEach;
  *operations = OperationsOf(loop) * kThreads * blocks * kChains * kTurns * repetitions;
  auto* const kernel = loop == ArithmeticLoop::kFp32   ? ArithmeticKernel<ArithmeticLoop::kFp32>
                       : loop == ArithmeticLoop::kTf32 ? ArithmeticKernel<ArithmeticLoop::kTf32>
                       : loop == ArithmeticLoop::kBf16 ? ArithmeticKernel<ArithmeticLoop::kBf16>
                                                       : ArithmeticKernel<ArithmeticLoop::kFp8>;
  return Launch(kernel, {blocks, kThreads}, stream, repetitions, static_cast<float*>(sink));
}

}  // namespace warpbook::probe
