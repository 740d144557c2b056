// A node's answers to a challenge, stage by stage (gpu_probe/verifier/probe_session.h): all its
// GPUs at once, each on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/prover.h"
#include "gpu_probe/verifier/probe_session.h"
#include "gpu_probe/verifier/transcript.h"
#include "schema/base/clock.h"

namespace warpbook::probe {

// Makes the prover of one GPU of the node, for a challenge whose nonce is not known yet. Called for
// all GPUs at once, by a thread for each.
using MakeProver =
    std::function<absl::StatusOr<std::unique_ptr<Prover>>(const GpuChallenge& challenge)>;

// A challenge that has expired is not worked on any longer: by the machine's own clock, which may
// be wrong by so much; and no challenge for longer than the longest patience, whatever it says.
inline constexpr int64_t kClockDoubtMicros = 120'000'000;
inline constexpr int64_t kAnsweringMicrosMax = 3'600'000'000;

// Create, Prepare, Begin, and then the answers in their order.
class NodeProver {
 public:
  // `sizes` is the document of the challenge to come, with any nonce; `claims` say of each GPU what
  // it is, `name` which program answers. InvalidArgument where it is malformed, is for another
  // device's key or asks for another number of GPUs than are claimed.
  static absl::StatusOr<NodeProver> Create(std::string_view sizes, std::vector<GpuClaim> claims,
                                           std::string name, const PublicKey& device_key);

  // What is asked; its nonce and its end are not known before Begin.
  const Challenge& challenge() const { return challenge_; }

  // Makes the prover of every GPU: all that can be done before the verifier's clock runs. The first
  // error.
  absl::Status Prepare(const MakeProver& make);
  // `challenge` is the document. InvalidArgument where it is not the one that was announced.
  // `clock` (microseconds since 1970) lives as long as this.
  absl::Status Begin(std::string challenge, const Clock& clock);

  // The answer of a stage, whole; in their order. `seed` is what was asked, from kGathered on.
  // `device_key` is that of Create. Progress is that of the first GPU. DeadlineExceeded where the
  // challenge has expired long ago; else an error of a GPU.
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
  const Clock* clock_ = nullptr;
  int64_t ends_us_ = 0;
};

}  // namespace warpbook::probe
