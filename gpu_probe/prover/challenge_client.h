// Asks the stand-alone verifier at the other end of a TCP connection for a challenge, and answers
// it.
#pragma once

#include <string>

#include "gpu_probe/prover/asker.h"

namespace warpbook::probe {

class ChallengeClient : public Asker {
 public:
  static absl::StatusOr<ChallengeClient> Connect(const std::string& server);

  absl::StatusOr<std::string> AskFor(const Hello& hello) override;
  absl::StatusOr<Reply> Answer(ProbeStage stage, std::string_view bytes) override;

 private:
  explicit ChallengeClient(TcpStream stream) : stream_(std::move(stream)) {}
  // What the verifier says next: a question of that stage, or the verdict.
  absl::StatusOr<Reply> ReadReply(std::optional<ProbeStage> asked, std::chrono::seconds patience);

  TcpStream stream_;
};

}  // namespace warpbook::probe
