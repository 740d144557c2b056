// The prover on a GPU through CUDA: the same bits as the CPU's (cpu_prover.h). In a build without
// CUDA all of these answer Unimplemented; the other errors are those of cuda_status.h.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

// What multiplies int8 matrices.
enum class ProductKernel {
  kMma,       // ours, by mma.sync: sm_75 and later
  kCublasLt,  // NVIDIA's library, where the machine has it
  kWgmma,     // ours, by wgmma: sm_90 alone
};
std::string_view NameOf(ProductKernel kernel);

// Those that can run on a device, the one to take first.
absl::StatusOr<std::vector<ProductKernel>> ProductKernels(int device);

class CudaProver : public Prover {
 public:
  // What multiplies in the end.
  virtual ProductKernel kernel() const = 0;
};

// Takes the memory that the products need, and tries the kernel on them; one that cannot take the
// shape, or does not give the right numbers, is replaced by kMma. The memory of the memory proof is
// taken when it is filled, after that of the products was given back. Sizes that CheckSize
// refuses are refused.
absl::StatusOr<std::unique_ptr<CudaProver>> MakeCudaProver(const GpuChallenge& challenge,
                                                           int device, ProductKernel kernel);

}  // namespace warpbook::probe
