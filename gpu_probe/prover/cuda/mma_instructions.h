// The instructions that the product by mma.sync uses, as the PTX ISA has them. Where the device is
// emulated (WARPBOOK_EMULATED_DEVICE), the emulator has them in their stead.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#ifndef WARPBOOK_EMULATED_DEVICE

namespace warpbook::probe {

__device__ inline uint32_t SharedAddress(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

// 16 bytes into shared memory: at once, or, before sm_80, when the thread gets there.
__device__ inline void CopyChunk(uint8_t* to, const int8_t* from) {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(SharedAddress(to)), "l"(from)
               : "memory");
#else
  *reinterpret_cast<uint4*>(to) = __ldg(reinterpret_cast<const uint4*>(from));
#endif
}

__device__ inline void CommitCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;");
#endif
}

template <int pending>
__device__ void WaitForCopies() {
#if __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
#endif
}

__device__ inline void LoadFragments(uint32_t address, uint32_t (&words)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
               : "r"(address)
               : "memory");
}

#if __CUDA_ARCH__ < 800
__device__ inline void MultiplySmall(int& sum0, int& sum1, uint32_t left, uint32_t right) {
  asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
               : "+r"(sum0), "+r"(sum1)
               : "r"(left), "r"(right));
}
#endif

// 16 x 8 entries, over 32.
__device__ inline void MultiplyFragments(int (&sum)[4], const uint32_t (&left)[4], uint32_t right0,
                                         uint32_t right1) {
#if __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, "
      "%9}, "
      "{%0, %1, %2, %3};"
      : "+r"(sum[0]), "+r"(sum[1]), "+r"(sum[2]), "+r"(sum[3])
      : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right0), "r"(right1));
#else
  // The upper and the lower eight rows, each over 16 and 16.
  MultiplySmall(sum[0], sum[1], left[0], right0);
  MultiplySmall(sum[2], sum[3], left[1], right0);
  MultiplySmall(sum[0], sum[1], left[2], right1);
  MultiplySmall(sum[2], sum[3], left[3], right1);
#endif
}

}  // namespace warpbook::probe

#endif
