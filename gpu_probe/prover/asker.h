// Whoever asks for a proof: the stand-alone verifier at the other end of a connection
// (challenge_client.h), the program itself (own_asker.h), or any other that a prover can answer to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gpu_probe/verifier/probe_session.h"

namespace warpbook::probe {

// What an answer leads to: the next seed, nothing yet (both none), or the end.
struct Reply {
  std::optional<Seed> seed{};           // what is asked next
  std::optional<std::string> report{};  // the verdict: no more answers are taken
};

// One challenge: its sizes, the challenge itself, and the answers. One thread.
class Asker {
 public:
  virtual ~Asker() = default;
  // Presents who proves, and how many GPUs: the document of the challenge to come, with zeros as
  // its nonce, so that all that takes time can be got ready before time counts.
  virtual absl::StatusOr<std::string> AskForSizes(const Ed25519PrivateKey& device_key,
                                                  int32_t gpus) = 0;
  // Says that all is ready: the challenge's document. Time counts from here on.
  virtual absl::StatusOr<std::string> AskForChallenge() = 0;
  // Hands in the answer of a stage, in their order. An error of the connection: there is no
  // verdict.
  virtual absl::StatusOr<Reply> Answer(ProbeStage stage, std::string_view bytes) = 0;
};

}  // namespace warpbook::probe
