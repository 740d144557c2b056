// The verifier in this process: draws the nonce and the seeds, keeps time by the machine's steady
// clock, and decides. The server asks for others by it, `prove --self` for itself.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "gpu_probe/prover/asker.h"
#include "gpu_probe/prover/report.h"
#include "gpu_probe/prover/tcp_stream.h"

namespace warpbook::probe {

// What is asked of everybody. Any thread reads it.
struct AskerSettings {
  const ClassTable& table;
  std::string hardware_class;
  bool is_small = false;  // the demonstration's sizes instead of the class's
  std::chrono::seconds patience{120};
  ReportClock clock = ReportClock::kVerifier;
};
// InvalidArgument where the table has no such class, or no probe proves it.
absl::Status CheckSettings(const AskerSettings& settings);

class OwnAsker : public Asker {
 public:
  // `settings` has passed CheckSettings. `one_at_a_time` is held while a transcript is verified.
  OwnAsker(const AskerSettings& settings, std::mutex& one_at_a_time)
      : settings_(settings), one_at_a_time_(one_at_a_time) {}

  absl::StatusOr<std::string> AskForSizes(const Ed25519PrivateKey& device_key,
                                          int32_t gpus) override {
    return SizesFor(device_key.public_key(), gpus);
  }
  absl::StatusOr<std::string> AskForChallenge() override { return HandOut(); }
  // Answers come in whole at the moment of the call.
  absl::StatusOr<Reply> Answer(ProbeStage stage, std::string_view bytes) override;
  // The same as AskForSizes, of whom only the public key is known. 1 <= gpus <= kGpusProvedMax.
  std::string SizesFor(const PublicKey& device_key, int32_t gpus);
  // The same as AskForChallenge. After the sizes, once.
  std::string HandOut();
  // The report of a challenge that has come to no answer. After HandOut.
  std::string Abandon(ProbeReason reason);

  // After HandOut.
  const ProbeSession& session() const { return *session_; }
  const Verdict& verdict() const { return verdict_; }
  Moment expires_at() const { return started_at_ + settings_.patience; }

 private:
  int64_t NowMicros() const;
  std::string Report();

  const AskerSettings& settings_;
  std::mutex& one_at_a_time_;
  Challenge challenge_;
  Moment started_at_{};
  std::optional<ProbeSession> session_;
  Verdict verdict_;
};

}  // namespace warpbook::probe
