// Whoever asks for a proof: the stand-alone verifier at the other end of a connection
// (challenge_client.h), the program itself (own_asker.h), or any other that a prover can answer to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gpu_probe/prover/challenge_stream.h"

namespace warpbook::probe {

// What an answer leads to: the next seed, nothing yet (both none), or the end.
struct Reply {
  std::optional<Seed> seed{};           // what is asked next
  std::optional<std::string> report{};  // the verdict: no more answers are taken
};

// One challenge. One thread.
class Asker {
 public:
  virtual ~Asker() = default;
  // Presents who proves; the challenge's document.
  virtual absl::StatusOr<std::string> AskFor(const Hello& hello) = 0;
  // Hands in the answer of a stage, in their order. An error of the connection: there is no
  // verdict.
  virtual absl::StatusOr<Reply> Answer(ProbeStage stage, std::string_view bytes) = 0;
};

}  // namespace warpbook::probe
