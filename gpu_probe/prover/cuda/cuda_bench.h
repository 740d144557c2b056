// Benchmarks of a device by its own clock. They prove nothing: whoever runs the probe can change
// them. In a build without CUDA: Unimplemented.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/bench_figure.h"
#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

// int8 by each kernel, as a share of cuBLASLt's in the same run too; fp32, tf32, bf16, fp8; memory
// copied, and read block by block at random places; PCIe. What the device or the machine lacks is
// left out.
absl::StatusOr<std::vector<BenchFigure>> BenchDevice(int device, const Progress& progress);

}  // namespace warpbook::probe
