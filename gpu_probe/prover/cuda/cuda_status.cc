#include "gpu_probe/prover/cuda/cuda_status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/device_error.h"

namespace warpbook::probe {

namespace {

constexpr bool Same(cudaError_t error, DeviceError known) {
  return static_cast<int>(error) == static_cast<int>(known);
}
static_assert(Same(cudaErrorMemoryAllocation, kDeviceOutOfMemory));
static_assert(Same(cudaErrorStubLibrary, kDeviceStubLibrary));
static_assert(Same(cudaErrorInsufficientDriver, kDeviceInsufficientDriver));
static_assert(Same(cudaErrorCallRequiresNewerDriver, kDeviceCallNeedsNewerDriver));
static_assert(Same(cudaErrorDevicesUnavailable, kDeviceUnavailable));
static_assert(Same(cudaErrorNoDevice, kDeviceNoDevice));
static_assert(Same(cudaErrorInvalidDevice, kDeviceInvalidDevice));
static_assert(Same(cudaErrorNoKernelImageForDevice, kDeviceNoKernelImage));
static_assert(Same(cudaErrorECCUncorrectable, kDeviceEccUncorrectable));
static_assert(Same(cudaErrorNvlinkUncorrectable, kDeviceNvlinkUncorrectable));
static_assert(Same(cudaErrorUnsupportedPtxVersion, kDeviceUnsupportedPtx));
static_assert(Same(cudaErrorContained, kDeviceContained));
static_assert(Same(cudaErrorHardwareStackError, kDeviceHardwareStack));
static_assert(Same(cudaErrorSystemNotReady, kDeviceSystemNotReady));
static_assert(Same(cudaErrorSystemDriverMismatch, kDeviceSystemDriverMismatch));
static_assert(Same(cudaErrorCompatNotSupportedOnDevice, kDeviceCompatNotSupported));

}  // namespace

absl::Status StatusOf(cudaError_t error, std::string_view what, int driver_version) {
  if (error == cudaErrorInsufficientDriver && driver_version == 0) {
    return absl::NotFoundError(absl::StrCat(std::string(what), ": no NVIDIA driver"));
  }
  return StatusOfDeviceError(error,
                             absl::StrCat(std::string(what), ": ", cudaGetErrorString(error)));
}

absl::Status CudaStatus(cudaError_t error, std::string_view what) {
  if (error == cudaSuccess) return absl::OkStatus();
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess) version = 0;
  // What is not sticky is not to be reported again by the next call.
  cudaGetLastError();
  return StatusOf(error, what, version);
}

absl::Status UseDevice(int device) { return CudaStatus(cudaSetDevice(device), "using the GPU"); }

}  // namespace warpbook::probe
