#include "gpu_probe/prover/cuda/cuda_status.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

bool IsDriverTooOld(cudaError_t error) {
  return error == cudaErrorInsufficientDriver || error == cudaErrorUnsupportedPtxVersion ||
         error == cudaErrorCallRequiresNewerDriver;
}

bool IsOfHardware(cudaError_t error) {
  switch (error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorContained:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorIllegalAddress:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case cudaErrorLaunchTimeout:
    case cudaErrorTensorMemoryLeak:
    case cudaErrorUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status StatusOf(cudaError_t error, std::string_view what, int driver_version) {
  if (error == cudaSuccess) return absl::OkStatus();
  const std::string text = absl::StrCat(std::string(what), ": ", cudaGetErrorString(error));
  if (error == cudaErrorInsufficientDriver && driver_version == 0) {
    return absl::NotFoundError(absl::StrCat(std::string(what), ": no NVIDIA driver"));
  }
  if (IsDriverTooOld(error)) {
    return absl::FailedPreconditionError(absl::StrCat("driver too old: ", text));
  }
  if (IsOfHardware(error)) return absl::DataLossError(absl::StrCat("hardware error: ", text));
  switch (error) {
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
      return absl::NotFoundError(text);
    case cudaErrorMemoryAllocation:
      return absl::ResourceExhaustedError(text);
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorSystemNotReady:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorCompatNotSupportedOnDevice:
      return absl::FailedPreconditionError(text);
    case cudaErrorDevicesUnavailable:
      return absl::UnavailableError(text);
    default:
      return absl::InternalError(text);
  }
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
