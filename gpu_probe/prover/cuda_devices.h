// The machine's GPUs through CUDA: found by the driver's own library, which needs no CUDA at build
// time; proved and measured by gpu_probe_cuda.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "gpu_probe/prover/devices.h"

namespace warpbook::probe {

// As CUDA's own runtime numbers them. `library` is "libcuda.so.1" but for tests.
absl::StatusOr<CudaGpus> FindCudaGpus(const std::string& library, DriverNeeds needs);

class CudaDevices : public Devices {
 public:
  // `say` is told for people, by any thread, what a GPU's products are made by.
  explicit CudaDevices(std::function<void(const std::string& line)> say) : say_(std::move(say)) {}

  absl::StatusOr<CudaGpus> Find() override;
  absl::StatusOr<std::unique_ptr<Prover>> MakeProver(const GpuChallenge& challenge,
                                                     int device) override;
  absl::StatusOr<std::vector<BenchFigure>> Bench(int device, const Progress& progress) override;

 private:
  const std::function<void(const std::string& line)> say_;
};

}  // namespace warpbook::probe
