// Products by cuBLASLt, where the machine has that library: it is loaded when first used, and
// nothing is linked to it. In the order of kernels.h: A by rows, B by columns, C by rows.
#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/prover/cuda/kernels.h"

namespace warpbook::probe {

// By their operands. int8 gives int32, tf32 gives fp32, bf16 and fp8 (E4M3) give bf16.
enum class LtOperands { kInt8, kTf32, kBf16, kFp8 };

class LtProduct {
 public:
  // On the calling thread's device. NotFound without the library; Unimplemented in a build without
  // its header.
  static absl::StatusOr<std::unique_ptr<LtProduct>> Make(LtOperands operands);
  virtual ~LtProduct() = default;

  // Tries the algorithms that the library proposes for the shape, with what happens to be in
  // memory, and keeps the fastest. Unimplemented where it has none.
  virtual absl::Status Prepare(const void* left, const void* right, void* result,
                               const ProductShape& shape, cudaStream_t stream) = 0;
  // For another shape than was prepared: by the algorithm that the library proposes first.
  virtual absl::Status Run(const void* left, const void* right, void* result,
                           const ProductShape& shape, cudaStream_t stream) = 0;
};

}  // namespace warpbook::probe
