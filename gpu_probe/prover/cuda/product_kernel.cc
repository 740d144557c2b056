#include "gpu_probe/prover/cuda/cuda_prover.h"

namespace warpbook::probe {

std::string_view NameOf(ProductKernel kernel) {
  switch (kernel) {
    case ProductKernel::kMma:
      return "mma";
    case ProductKernel::kCublasLt:
      return "cuBLASLt";
    case ProductKernel::kWgmma:
      return "wgmma";
  }
  return "";
}

}  // namespace warpbook::probe
