// Starts a kernel, and gives it its dynamic shared memory. Where the device is emulated
// (WARPBOOK_EMULATED_DEVICE), the emulator has both in their stead.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace warpbook::probe {

struct LaunchSize {
  int64_t blocks = 0;
  int threads = 0;
  int shared_bytes = 0;
  int cluster = 1;  // blocks of a cluster, as the kernel declares them
};

constexpr int64_t BlocksFor(int64_t work, int threads) { return (work + threads - 1) / threads; }

#ifndef WARPBOOK_EMULATED_DEVICE

template <typename... Parameters, typename... Arguments>
cudaError_t Launch(void (*kernel)(Parameters...), const LaunchSize& size, cudaStream_t stream,
                   Arguments... arguments) {
  // More than what every kernel may have has to be asked for.
  constexpr int kSharedBytesUnasked = 48 << 10;
  if (size.shared_bytes > kSharedBytesUnasked) {
    const cudaError_t error = cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, size.shared_bytes);
    if (error != cudaSuccess) return error;
  }
  kernel<<<static_cast<unsigned>(size.blocks), static_cast<unsigned>(size.threads),
           static_cast<size_t>(size.shared_bytes), stream>>>(arguments...);
  return cudaGetLastError();
}

template <typename T>
__device__ T* DynamicShared() {
  extern __shared__ uint4 dynamic_shared[];
  return reinterpret_cast<T*>(dynamic_shared);
}

#endif

}  // namespace warpbook::probe
