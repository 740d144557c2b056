// The memory proof on a device: the arena, block by block as it is numbered, and the walks through
// it, whose states after each leg stay on the device until some are opened. One thread at a time,
// whose device it is.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/prover/cuda/device_memory.h"
#include "gpu_probe/prover/cuda/kernels.h"
#include "gpu_probe/prover/prover.h"

namespace warpbook::probe {

class MemoryWalks {
 public:
  // Takes all memory that the proof needs.
  static absl::StatusOr<std::unique_ptr<MemoryWalks>> Make(const MemoryChallenge& challenge);

  // Also walks a leg of no challenge, so that no kernel is loaded while the verifier's clock runs.
  absl::Status Fill(const Progress& progress);
  // After Fill.
  absl::StatusOr<Sha256Digest> Gather(const Seed& gather_seed, const Progress& progress);
  // After Gather.
  absl::StatusOr<std::vector<LegOpening>> Open(std::span<const OpenedLeg> legs);

 private:
  explicit MemoryWalks(const MemoryChallenge& challenge) : challenge_(challenge) {}

  ArenaShape Shape() const;
  absl::Status TakeMemory();
  // So many of the legs, by those keys: the root over all states.
  absl::StatusOr<Sha256Digest> Walk(const GatherKeys& keys, int64_t legs, const Progress& progress);
  absl::StatusOr<StatesOpening> OpenStates(uint64_t leaf);

  const MemoryChallenge challenge_;
  DeviceStream stream_;
  DeviceBuffer arena_;
  DeviceBuffer multipliers_;
  DeviceBuffer starts_, states_;  // of the walks; after leg x walks + walk
  DeviceBuffer tree_;             // all nodes (tree_core.h)
  DeviceBuffer collected_rows_, collected_;
};

}  // namespace warpbook::probe
