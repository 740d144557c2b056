// What a build without CUDA has in place of cuda_prover.cc and cuda_bench.cc.
#include "gpu_probe/prover/cuda/cuda_bench.h"
#include "gpu_probe/prover/cuda/cuda_prover.h"

namespace warpbook::probe {
namespace {

absl::Status NoCuda() { return absl::UnimplementedError("this build has no CUDA"); }

}  // namespace

int CudaVersion() { return 0; }
absl::StatusOr<std::vector<ProductKernel>> ProductKernels(int) { return NoCuda(); }
absl::StatusOr<bool> NeedsCublasLt(int) { return NoCuda(); }

absl::StatusOr<std::unique_ptr<CudaProver>> MakeCudaProver(const GpuChallenge&, int,
                                                           std::span<const ProductKernel>) {
  return NoCuda();
}

absl::StatusOr<std::vector<BenchFigure>> BenchDevice(int, const Progress&) { return NoCuda(); }

}  // namespace warpbook::probe
