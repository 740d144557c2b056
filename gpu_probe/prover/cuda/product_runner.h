// The product kernels behind one interface, on the calling thread's device.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"
#include "gpu_probe/prover/cuda/kernels.h"

namespace warpbook::probe {

class ProductRunner {
 public:
  virtual ~ProductRunner() = default;
  // Before products of that shape, with their memory, whose content may be lost: whatever takes
  // time once. Unimplemented where the kernel cannot take the shape.
  virtual absl::Status Prepare(const int8_t* left, const int8_t* right, int32_t* result,
                               const ProductShape& shape, cudaStream_t stream) = 0;
  // Starts C = A x B. Rows, columns and depth are multiples of 64.
  virtual absl::Status Run(const int8_t* left, const int8_t* right, int32_t* result,
                           const ProductShape& shape, cudaStream_t stream) = 0;
};

// What of a device the kernels depend on.
struct DeviceTraits {
  int capability = 0;  // 10 x major + minor
  int multiprocessors = 0;
};
absl::StatusOr<DeviceTraits> TraitsOf(int device);

absl::StatusOr<std::unique_ptr<ProductRunner>> MakeProductRunner(ProductKernel kernel, int device);

}  // namespace warpbook::probe
