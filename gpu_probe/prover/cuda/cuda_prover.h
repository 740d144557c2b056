// The prover on a GPU through CUDA: the same bits as the CPU's (cpu_prover.h). In a build without
// CUDA all of these answer Unimplemented; the other errors are those of cuda_status.h.
#pragma once

#include <memory>
#include <span>
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

// Of a kernel that could run on the device and does not multiply, why.
struct PassedOver {
  ProductKernel kernel = ProductKernel::kMma;
  absl::Status why;
};

// The version of CUDA that this build needs a driver for, as in CUDART_VERSION (13'000: CUDA 13);
// 0 in a build without CUDA.
int CudaVersion();

// Those that can run on a device, the one to take first. NotFound where none can, or there is no
// such device.
absl::StatusOr<std::vector<ProductKernel>> ProductKernels(int device);
// Whether a device attains its class's int8 rate by cuBLASLt alone: sm_100 and later, for which
// there is no kernel of ours but the portable one.
absl::StatusOr<bool> NeedsCublasLt(int device);

class CudaProver : public Prover {
 public:
  // What multiplies in the end, and which kernels before it do not.
  virtual ProductKernel kernel() const = 0;
  virtual const std::vector<PassedOver>& passed_over() const = 0;
};

// Takes the memory that the products need, and tries the kernels on them in that order: one that
// cannot take the shape, or does not give the right numbers, is passed over. The memory of the
// memory proof is taken when it is filled, after that of the products was given back. Sizes that
// CheckSize refuses are refused. The challenge's nonce is that of Begin.
absl::StatusOr<std::unique_ptr<CudaProver>> MakeCudaProver(const GpuChallenge& challenge,
                                                           int device,
                                                           std::span<const ProductKernel> kernels);

}  // namespace warpbook::probe
