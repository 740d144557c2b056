// Asks the stand-alone verifier at the other end of a TCP connection for a challenge, and answers
// it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "gpu_probe/prover/asker.h"
#include "gpu_probe/prover/challenge_stream.h"

namespace warpbook::probe {

class ChallengeClient : public Asker {
 public:
  static absl::StatusOr<ChallengeClient> Connect(const std::string& server);

  absl::StatusOr<std::string> AskForSizes(const Ed25519PrivateKey& device_key,
                                          int32_t gpus) override;
  absl::StatusOr<std::string> AskForChallenge() override;
  absl::StatusOr<Reply> Answer(ProbeStage stage, std::string_view bytes) override;

 private:
  explicit ChallengeClient(TcpStream stream) : stream_(std::move(stream)) {}
  // The body of the message of that kind that has to come now. PermissionDenied where a refusal
  // came, with its sentence.
  absl::StatusOr<std::string> ReadBody(MessageKind kind, size_t body_max);
  // What the verifier says next: a question of that stage, or the verdict.
  absl::StatusOr<Reply> ReadReply(std::optional<ProbeStage> asked, std::chrono::seconds patience);

  TcpStream stream_;
};

}  // namespace warpbook::probe
