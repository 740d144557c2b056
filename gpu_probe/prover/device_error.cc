#include "gpu_probe/prover/device_error.h"

#include "absl/strings/str_cat.h"

namespace warpbook::probe {

absl::Status StatusOfDeviceError(int error, const std::string& text) {
  switch (error) {
    case 0:
      return absl::OkStatus();
    case kDeviceStubLibrary:
    case kDeviceNoDevice:
    case kDeviceInvalidDevice:
      return absl::NotFoundError(text);
    case kDeviceNoKernelImage:
      return absl::NotFoundError(absl::StrCat("this program has no code for the GPU: ", text));
    case kDeviceInsufficientDriver:
    case kDeviceUnsupportedPtx:
    case kDeviceCallNeedsNewerDriver:
      return absl::FailedPreconditionError(absl::StrCat("driver too old: ", text));
    case kDeviceSystemDriverMismatch:
    case kDeviceCompatNotSupported:
      return absl::FailedPreconditionError(
          absl::StrCat("the driver's library and kernel module differ: ", text));
    case kDeviceEccUncorrectable:
    case kDeviceNvlinkUncorrectable:
    case kDeviceContained:
    case kDeviceHardwareStack:
      return absl::DataLossError(absl::StrCat("hardware error: ", text));
    case kDeviceOutOfMemory:
      return absl::ResourceExhaustedError(text);
    case kDeviceSystemNotReady:
      return absl::UnavailableError(absl::StrCat(
          "the system is not ready, as where nvidia-fabricmanager does not run: ", text));
    case kDeviceUnavailable:
      return absl::UnavailableError(text);
    default:
      return absl::InternalError(text);
  }
}

}  // namespace warpbook::probe
