// A GPU played on the CPU, so that the kernels' own sources are run and tested where there is none.
// Each thread of a block is a fiber; those of a block, or of the blocks of a cluster, take turns on
// one thread of the CPU. The instructions are played by the PTX ISA's words, and what is
// asynchronous happens as late as it may, or, for the TMA, as early: a kernel that does not wait
// reads what was there before, or what is there too soon. It is slow, and says nothing about speed.
//
// Read before a kernel's source, which is then compiled as C++.
#pragma once

#define WARPBOOK_EMULATED_DEVICE

#include <cuda.h>
#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

#include "gpu_probe/prover/cuda/launch.h"
#include "gpu_probe/prover/cuda/product_core.h"

#undef __shared__
#undef __launch_bounds__
#undef __cluster_dims__
#undef __grid_constant__
// Blocks that have static shared memory run one after the other.
#define __shared__ static
#define __launch_bounds__(...)
#define __cluster_dims__(...)
#define __grid_constant__

namespace warpbook::probe::emulator {

struct Index {
  unsigned x = 0;
};
struct Thread {
  Index thread, block, grid;
  uint32_t rank = 0;            // of its block in the cluster
  std::byte* shared = nullptr;  // its block's dynamic shared memory
};
const Thread& Current();

void SyncBlock();
void SyncWarp();
void SyncCluster();

// What every lane of the warp gave, after all have.
using WarpWords = std::array<std::array<uint64_t, 3>, 32>;
const WarpWords& Exchange(const std::array<uint64_t, 3>& words);

// Runs all blocks to their end, clusters one after the other.
void Run(const LaunchSize& size, const std::function<void()>& kernel);

// The pointer behind a shared address.
std::byte* PointerOf(uint32_t address);

// ---- What is asynchronous ----------------------------------------------------------------------
void CopyLater(std::byte* to, const void* from);  // 16 bytes, by this thread
void CloseCopies();
void FinishCopies(int pending);

struct Box {
  const std::byte* operand;
  int64_t depth, lines;
  int32_t box_depth, box_lines;
};
static_assert(sizeof(Box) <= sizeof(CUtensorMap));
// To the same place of the shared memory of those blocks of the cluster, by bits of their ranks.
void LoadBoxLater(std::byte* to, const CUtensorMap* map, int entry, int line, uint64_t* barrier,
                  uint32_t ranks);

void MultiplyLater(int* sums, uint64_t left, uint64_t right, bool add);
void CloseProducts();
void FinishProducts(int pending);

void InitBarrier(uint64_t* barrier, uint32_t arrivals);
void WaitAt(uint64_t* barrier, uint32_t parity);
void Expect(uint64_t* barrier, uint32_t bytes);
void Arrive(uint64_t* barrier, uint32_t rank);

}  // namespace warpbook::probe::emulator

// ---- The kernels' language
// -----------------------------------------------------------------------
#define threadIdx (::warpbook::probe::emulator::Current().thread)
#define blockIdx (::warpbook::probe::emulator::Current().block)
#define gridDim (::warpbook::probe::emulator::Current().grid)

inline void __syncthreads() { warpbook::probe::emulator::SyncBlock(); }
inline void __syncwarp() { warpbook::probe::emulator::SyncWarp(); }
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  const unsigned lane = threadIdx.x % 32;
  return static_cast<T>(
      warpbook::probe::emulator::Exchange({value, 0, 0})[lane ^ static_cast<unsigned>(mask)][0]);
}
template <typename T>
T __ldcs(const T* from) {
  return *from;
}
template <typename T>
void __stcs(T* to, T value) {
  *to = value;
}
inline int __dp4a(int a, int b, int sum) {
  const auto left = std::bit_cast<std::array<int8_t, 4>>(a);
  const auto right = std::bit_cast<std::array<int8_t, 4>>(b);
  for (size_t i = 0; i < 4; ++i) sum += left[i] * right[i];
  return sum;
}

namespace warpbook::probe {

using std::min;

template <typename T>
T* DynamicShared() {
  return reinterpret_cast<T*>(emulator::Current().shared);
}

template <typename... Parameters, typename... Arguments>
cudaError_t Launch(void (*kernel)(Parameters...), const LaunchSize& size, cudaStream_t,
                   Arguments... arguments) {
  emulator::Run(size, [&] { kernel(arguments...); });
  return cudaSuccess;
}

// ---- mma_instructions.h
// --------------------------------------------------------------------------
inline uint32_t SharedAddress(const void* pointer) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(pointer));
}
inline void CopyChunk(uint8_t* to, const int8_t* from) {
  emulator::CopyLater(reinterpret_cast<std::byte*>(to), from);
}
inline void CommitCopies() { emulator::CloseCopies(); }
template <int pending>
void WaitForCopies() {
  emulator::FinishCopies(pending);
}
void LoadFragments(uint32_t address, uint32_t (&words)[4]);
void MultiplyFragments(int (&sum)[4], const uint32_t (&left)[4], uint32_t right0, uint32_t right1);

// ---- wgmma_instructions.h
// ------------------------------------------------------------------------
inline uint32_t RankInCluster() { return emulator::Current().rank; }
inline void SyncCluster() { emulator::SyncCluster(); }
inline void InitBarrier(uint64_t* barrier, uint32_t arrivals) {
  emulator::InitBarrier(barrier, arrivals);
}
inline void ShowBarriersToCluster() {}
inline void Wait(uint64_t* barrier, uint32_t parity) { emulator::WaitAt(barrier, parity); }
inline void ArriveAndExpect(uint64_t* barrier, uint32_t bytes) {
  emulator::Expect(barrier, bytes);
  emulator::Arrive(barrier, RankInCluster());
}
inline void ArriveAt(uint64_t* barrier, uint32_t rank) { emulator::Arrive(barrier, rank); }
inline void LoadBox(uint8_t* to, const CUtensorMap* map, int entry, int line, uint64_t* barrier) {
  emulator::LoadBoxLater(reinterpret_cast<std::byte*>(to), map, entry, line, barrier,
                         1u << RankInCluster());
}
template <int blocks>
void LoadBoxToAll(uint8_t* to, const CUtensorMap* map, int entry, int line, uint64_t* barrier) {
  emulator::LoadBoxLater(reinterpret_cast<std::byte*>(to), map, entry, line, barrier,
                         (1u << blocks) - 1);
}
inline void BeginMultiplying() {}
inline void CommitProducts() { emulator::CloseProducts(); }
template <int pending>
void WaitForProducts() {
  emulator::FinishProducts(pending);
}
inline void Multiply(int (&sums)[kWgmmaSums], uint64_t left, uint64_t right, bool add) {
  emulator::MultiplyLater(sums, left, right, add);
}
template <int registers>
void GiveRegisters() {}
template <int registers>
void TakeRegisters() {}

}  // namespace warpbook::probe
