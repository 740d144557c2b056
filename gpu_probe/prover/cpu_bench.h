// What the CPU reference does in a second, for machines without a GPU. Unproven, as all benchmarks.
#pragma once

#include <vector>

#include "gpu_probe/prover/devices.h"

namespace warpbook::probe {

// One core: products of tiles with their operands, ChaCha8, SHA-256. Takes about a second.
std::vector<BenchFigure> BenchCpu();

}  // namespace warpbook::probe
