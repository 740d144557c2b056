// Marks functions that run on both the GPU and the CPU, so that tests on the CPU hold the very code
// that the kernels run to the reference.
#pragma once

#ifdef __CUDACC__
#define WARPBOOK_HOST_DEVICE __host__ __device__
#else
#define WARPBOOK_HOST_DEVICE
#endif

// Before a loop whose indices are to be constants in a kernel: arrays are then kept in registers.
#ifdef __CUDA_ARCH__
#define WARPBOOK_UNROLL _Pragma("unroll")
#else
#define WARPBOOK_UNROLL
#endif
