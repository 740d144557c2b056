// Errors of the CUDA runtime as absl::Status, as gpu_probe/prover/device_error.h has them.
#pragma once

#include <cuda_runtime_api.h>

#include <string_view>

#include "absl/status/status.h"

namespace warpbook::probe {

// `what` was being done. `driver_version` as cudaDriverGetVersion gives it: 0 is no driver.
absl::Status StatusOf(cudaError_t error, std::string_view what, int driver_version);
// Of the driver that is there.
absl::Status CudaStatus(cudaError_t error, std::string_view what);

// Makes a device the calling thread's.
absl::Status UseDevice(int device);

}  // namespace warpbook::probe

#define WARPBOOK_RETURN_IF_ERROR(expression)                                \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)
