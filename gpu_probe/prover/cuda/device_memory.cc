#include "gpu_probe/prover/cuda/device_memory.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cuda/cuda_status.h"

namespace warpbook::probe {

absl::StatusOr<DeviceBuffer> DeviceBuffer::Allocate(int64_t bytes, std::string_view what) {
  void* memory = nullptr;
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(cudaMalloc(&memory, static_cast<size_t>(bytes)),
                 absl::StrCat("allocating ", bytes >> 20, " MiB for ", std::string(what))));
  DeviceBuffer buffer;
  buffer.memory_.reset(memory);
  return buffer;
}

absl::StatusOr<DeviceStream> DeviceStream::Create() {
  cudaStream_t created = nullptr;
  WARPBOOK_RETURN_IF_ERROR(
      CudaStatus(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking), "creating a stream"));
  DeviceStream stream;
  stream.stream_.reset(created);
  return stream;
}

absl::Status DeviceStream::Wait(std::string_view what) const {
  return CudaStatus(cudaStreamSynchronize(get()), what);
}

absl::StatusOr<int64_t> FreeDeviceBytes() {
  size_t free = 0, total = 0;
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaMemGetInfo(&free, &total), "asking for the free memory"));
  return static_cast<int64_t>(free);
}

absl::Status CheckDeviceBytes(int64_t needed, int64_t free, std::string_view what) {
  if (needed + kDeviceReserveBytes <= free) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      std::string(what), " needs ", (needed + kDeviceReserveBytes + (1 << 20) - 1) >> 20,
      " MiB of the GPU's memory, of which ", free >> 20, " MiB are free"));
}

absl::Status Upload(const void* from, int64_t bytes, const DeviceBuffer& to,
                    const DeviceStream& stream) {
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(cudaMemcpyAsync(to.data(), from, static_cast<size_t>(bytes),
                                                      cudaMemcpyHostToDevice, stream.get()),
                                      "copying to the GPU"));
  return stream.Wait("copying to the GPU");
}

absl::Status Download(const void* from, int64_t bytes, void* to, const DeviceStream& stream) {
  WARPBOOK_RETURN_IF_ERROR(CudaStatus(
      cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream.get()),
      "copying from the GPU"));
  return stream.Wait("copying from the GPU");
}

}  // namespace warpbook::probe
