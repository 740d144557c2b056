#include "tests/gpu_probe/cuda/emulator/emulated_runtime.h"

#include <cstdlib>
#include <cstring>

#include "gpu_probe/prover/cuda/cublas_lt.h"
#include "schema/base/check.h"
#include "tests/gpu_probe/cuda/emulator/emulated_device.h"

namespace warpbook::probe {
namespace {

int64_t free_bytes = int64_t{1} << 30;
int capability = 90;
emulator::Lt lt_kind = emulator::Lt::kNone;

// Computes nothing.
class FaultyLt : public LtProduct {
 public:
  absl::Status Prepare(const void*, const void*, void*, const ProductShape&,
                       cudaStream_t) override {
    switch (lt_kind) {
      case emulator::Lt::kRefuses:
        return absl::UnimplementedError("it takes no shape");
      case emulator::Lt::kNoMemory:
        return absl::ResourceExhaustedError("it has no memory");
      case emulator::Lt::kHardware:
        return absl::DataLossError("hardware error");
      default:
        return absl::OkStatus();
    }
  }
  absl::Status Run(const void*, const void*, void*, const ProductShape&, cudaStream_t) override {
    return absl::OkStatus();
  }
};

CUresult EncodeMap(CUtensorMap* map, CUtensorMapDataType type, cuuint32_t dimensions, void* operand,
                   const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box,
                   const cuuint32_t* steps, CUtensorMapInterleave, CUtensorMapSwizzle swizzle,
                   CUtensorMapL2promotion, CUtensorMapFloatOOBfill) {
  const bool is_valid = type == CU_TENSOR_MAP_DATA_TYPE_UINT8 && dimensions == 2 &&
                        swizzle == CU_TENSOR_MAP_SWIZZLE_128B && box[0] <= 128 && box[1] <= 256 &&
                        steps[0] == 1 && steps[1] == 1 && strides[0] % 16 == 0 &&
                        strides[0] == sizes[0] && reinterpret_cast<uintptr_t>(operand) % 16 == 0;
  if (!is_valid) return CUDA_ERROR_INVALID_VALUE;
  const emulator::Box made = {static_cast<const std::byte*>(operand),
                              static_cast<int64_t>(sizes[0]), static_cast<int64_t>(sizes[1]),
                              static_cast<int32_t>(box[0]), static_cast<int32_t>(box[1])};
  std::memcpy(map, &made, sizeof made);
  return CUDA_SUCCESS;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LtProduct>> LtProduct::Make(LtOperands) {
  if (lt_kind == emulator::Lt::kNone) return absl::NotFoundError("there is no emulated cuBLASLt");
  return std::make_unique<FaultyLt>();
}

void emulator::SetFreeBytes(int64_t bytes) { free_bytes = bytes; }
void emulator::SetCapability(int of_device) { capability = of_device; }
void emulator::SetLt(Lt lt) { lt_kind = lt; }

}  // namespace warpbook::probe

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "an error";
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13'000;
  return cudaSuccess;
}
cudaError_t cudaGetDriverEntryPointByVersion(const char*, void** function, unsigned,
                                             unsigned long long,
                                             cudaDriverEntryPointQueryResult* found) {
  *function = reinterpret_cast<void*>(&warpbook::probe::EncodeMap);
  *found = cudaDriverEntryPointSuccess;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) { return device == 0 ? cudaSuccess : cudaErrorInvalidDevice; }
cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrComputeCapabilityMajor   ? warpbook::probe::capability / 10
           : attribute == cudaDevAttrComputeCapabilityMinor ? warpbook::probe::capability % 10
                                                            : 4;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, const void*, int,
                                                                   size_t, unsigned) {
  *blocks = 2;
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = static_cast<size_t>(warpbook::probe::free_bytes);
  return cudaSuccess;
}
// Not zeros: a kernel that reads what it has not written is to be seen.
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xa5, bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) { return cudaMalloc(memory, bytes); }
cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                            cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                              size_t width, size_t height, cudaMemcpyKind, cudaStream_t) {
  for (size_t i = 0; i < height; ++i) {
    std::memcpy(static_cast<char*>(to) + i * to_pitch,
                static_cast<const char*>(from) + i * from_pitch, width);
  }
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  std::memset(memory, value, bytes);
  return cudaSuccess;
}

// Streams are done with everything at once.
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = static_cast<cudaStream_t>(std::malloc(1));
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::free(stream);
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
}
