// The machine's GPUs through CUDA: found by the driver's own library, which needs no CUDA at build
// time; proved and measured by gpu_probe_cuda.
#pragma once

#include <string>

#include "gpu_probe/prover/devices.h"

namespace warpbook::probe {

// The oldest driver that CUDA 12 runs on: that of CUDA 12.0.
inline constexpr int kCudaDriverMin = 12'000;

// As CUDA's own runtime numbers them. `library` is "libcuda.so.1" but for tests.
absl::StatusOr<CudaGpus> FindCudaGpus(const std::string& library);

class CudaDevices : public Devices {
 public:
  absl::StatusOr<CudaGpus> Find() override;
  absl::StatusOr<std::unique_ptr<Prover>> MakeProver(const GpuChallenge& challenge,
                                                     int device) override;
  absl::StatusOr<std::vector<BenchFigure>> Bench(int device, const Progress& progress) override;
};

}  // namespace warpbook::probe
