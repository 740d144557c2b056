// A node's answers to a challenge, stage by stage (gpu_probe/verifier/probe_session.h): all its
// GPUs at once, each on a thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/prover.h"
#include "gpu_probe/verifier/probe_session.h"
#include "gpu_probe/verifier/transcript.h"

namespace warpbook::probe {

// Makes the prover of one GPU of the node.
using MakeProver =
    std::function<absl::StatusOr<std::unique_ptr<Prover>>(const GpuChallenge& challenge)>;

class NodeProver {
 public:
  // `challenge` is the document, `claims` say of each GPU what it is, `name` which program answers.
  // InvalidArgument where the challenge is malformed, is for another device's key or asks for
  // another number of GPUs than are claimed.
  static absl::StatusOr<NodeProver> Create(std::string challenge, const MakeProver& make,
                                           std::vector<GpuClaim> claims, std::string name,
                                           const Ed25519PrivateKey& device_key);

  const Challenge& challenge() const { return challenge_; }

  // The answer of a stage, whole; in their order. `seed` is what was asked, from kGathered on.
  // `device_key` as in Create. Progress is that of the first GPU.
  absl::StatusOr<std::string> Answer(ProbeStage stage, const Seed& seed,
                                     const Ed25519PrivateKey& device_key, const Progress& progress);

 private:
  NodeProver() = default;
  // Does it for every GPU at once; the first that failed.
  absl::Status ForEach(const Progress& progress,
                       const std::function<absl::Status(size_t gpu, const Progress&)>& act);

  Challenge challenge_;
  Transcript transcript_;
  std::vector<std::unique_ptr<Prover>> provers_;
};

}  // namespace warpbook::probe
