// The instructions of sm_90a that the product by wgmma uses, as the PTX ISA has them. Where the
// device is emulated (WARPBOOK_EMULATED_DEVICE), the emulator has them in their stead.
#pragma once

#include <cuda.h>

#include <cstdint>

#include "gpu_probe/prover/cuda/mma_instructions.h"
#include "gpu_probe/prover/cuda/product_core.h"

#ifndef WARPBOOK_EMULATED_DEVICE

namespace warpbook::probe {

__device__ inline uint32_t RankInCluster() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

__device__ inline void SyncCluster() {
  asm volatile("barrier.cluster.arrive.release;" ::: "memory");
  asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
}

__device__ inline void InitBarrier(uint64_t* barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(SharedAddress(barrier)),
               "r"(arrivals)
               : "memory");
}

__device__ inline void ShowBarriersToCluster() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}

__device__ inline void Wait(uint64_t* barrier, uint32_t parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n"
      "}" ::"r"(SharedAddress(barrier)),
      "r"(parity)
      : "memory");
}

__device__ inline void ArriveAndExpect(uint64_t* barrier, uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(SharedAddress(barrier)),
      "r"(bytes)
      : "memory");
}

// At the same barrier of that block of the cluster.
__device__ inline void ArriveAt(uint64_t* barrier, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n"
      "}" ::"r"(SharedAddress(barrier)),
      "r"(rank)
      : "memory");
}

// A box of an operand, from that entry of that line on, to this block.
__device__ inline void LoadBox(uint8_t* to, const CUtensorMap* map, int entry, int line,
                               uint64_t* barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, "
      "%3}], [%4];" ::"r"(SharedAddress(to)),
      "l"(map), "r"(entry), "r"(line), "r"(SharedAddress(barrier))
      : "memory");
}

// The same to both blocks of the cluster, and to the barriers of both.
template <int blocks>
__device__ void LoadBoxToAll(uint8_t* to, const CUtensorMap* map, int entry, int line,
                             uint64_t* barrier) {
  constexpr uint16_t kAll = (1 << blocks) - 1;
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(SharedAddress(to)),
      "l"(map), "r"(entry), "r"(line), "r"(SharedAddress(barrier)), "h"(kAll)
      : "memory");
}

__device__ inline void BeginMultiplying() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ inline void CommitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int pending>
__device__ void WaitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

// Sums + A x B, or the product alone.
#define WARPBOOK_SUM(i) "+r"(sums[i])
#define WARPBOOK_EIGHT(i)                                                         \
  WARPBOOK_SUM(i), WARPBOOK_SUM(i + 1), WARPBOOK_SUM(i + 2), WARPBOOK_SUM(i + 3), \
      WARPBOOK_SUM(i + 4), WARPBOOK_SUM(i + 5), WARPBOOK_SUM(i + 6), WARPBOOK_SUM(i + 7)
__device__ inline void Multiply(int (&sums)[kWgmmaSums], uint64_t left, uint64_t right, bool add) {
  asm volatile(
      "{\n"
      ".reg .pred add;\n"
      "setp.ne.b32 add, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k32.s32.s8.s8 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, "
      "%127}, "
      "%128, %129, add;\n"
      "}"
      : WARPBOOK_EIGHT(0), WARPBOOK_EIGHT(8), WARPBOOK_EIGHT(16), WARPBOOK_EIGHT(24),
        WARPBOOK_EIGHT(32), WARPBOOK_EIGHT(40), WARPBOOK_EIGHT(48), WARPBOOK_EIGHT(56),
        WARPBOOK_EIGHT(64), WARPBOOK_EIGHT(72), WARPBOOK_EIGHT(80), WARPBOOK_EIGHT(88),
        WARPBOOK_EIGHT(96), WARPBOOK_EIGHT(104), WARPBOOK_EIGHT(112), WARPBOOK_EIGHT(120)
      : "l"(left), "l"(right), "r"(static_cast<int>(add)));
}
#undef WARPBOOK_EIGHT
#undef WARPBOOK_SUM

// Registers handed from one warp group to others, in numbers for each thread.
template <int registers>
__device__ void GiveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(registers));
}
template <int registers>
__device__ void TakeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(registers));
}

}  // namespace warpbook::probe

#endif
