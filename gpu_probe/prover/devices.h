// The GPUs of the machine as the program sees them, so that tests can put others in their place.
// Errors are those of gpu_probe/prover/device_error.h:
//   NotFound, Unimplemented   no GPU, no driver, a GPU that there is no code for, or a build
//   without
//                             CUDA
//   FailedPrecondition        the driver is too old, or does not fit its kernel module
//   DataLoss                  the device reports a fault of its own
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/bench_figure.h"
#include "gpu_probe/prover/driver_needs.h"
#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

// A GPU, or a slice of one, as CUDA counts them.
struct CudaGpu {
  std::string name, uuid;
  std::string bus_id;  // "0000:3b:00.0"
  int64_t memory_bytes = 0;
  int compute_major = 0, compute_minor = 0;
  int multiprocessors = 0;
  bool is_slice = false;  // of a GPU in MIG mode
};
struct CudaGpus {
  int driver_version = 0;  // 12040: the driver can CUDA 12.4
  std::vector<CudaGpu> gpus;
};

class Devices {
 public:
  virtual ~Devices() = default;
  virtual absl::StatusOr<CudaGpus> Find() = 0;
  // The prover of the GPU of that number. Called for several GPUs at once.
  virtual absl::StatusOr<std::unique_ptr<Prover>> MakeProver(const GpuChallenge& challenge,
                                                             int device) = 0;
  virtual absl::StatusOr<std::vector<BenchFigure>> Bench(int device, const Progress& progress) = 0;
};

}  // namespace warpbook::probe
