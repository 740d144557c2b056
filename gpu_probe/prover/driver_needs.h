// The oldest driver that a build can run on: that of the first release of its CUDA's major version
// (NVIDIA's "minor version compatibility").
#pragma once

namespace warpbook::probe {

struct DriverNeeds {
  int cuda_version = 0;  // as the driver says which CUDA it can: 12'000 is CUDA 12.0
  int driver_major = 0;  // of its own version, 525 in "525.60.13"
};

// `cuda_version` as in CUDART_VERSION; 0: a build without CUDA, which can look at any driver that a
// build with the oldest CUDA can use.
constexpr DriverNeeds NeedsOf(int cuda_version) {
  if (cuda_version < 13'000) return {12'000, 525};
  // Of a later CUDA the number of its driver is not known here: no less than this.
  return {cuda_version / 1'000 * 1'000, 580};
}

// Of this build.
DriverNeeds NeedsOfThisBuild();

}  // namespace warpbook::probe
