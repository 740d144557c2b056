// The verifier's side of one challenge: asks, keeps time, and takes the answers in their order.
// Time and seeds come as arguments; nothing here knows how messages travel. One thread.
//
//   question                    answer
//   the challenge               products: all roots, by GPU and round, 32 bytes each; stops a clock
//   (nothing: fill)             filled: empty; stops a clock
//   a gather seed               gathered: a root for each GPU; stops a clock
//   an opening seed             openings: the signed transcript
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gpu_probe/verifier/verdict.h"

namespace warpbook::probe {

enum class ProbeStage : uint8_t {
  kProducts = 0,
  kFilled = 1,
  kGathered = 2,
  kOpenings = 3,
};
inline constexpr int kStages = 4;
std::string_view Name(ProbeStage stage);
std::optional<ProbeStage> ParseStage(std::string_view name);

class ProbeSession {
 public:
  // The challenge goes out at `started_us` since 1970, which is moment 0 of the session's clock.
  ProbeSession(const Challenge& challenge, int64_t started_us);

  const Challenge& challenge() const { return record_.challenge; }
  // What is awaited; nullopt: all is in.
  std::optional<ProbeStage> awaited() const { return awaited_; }
  // The most bytes that the awaited answer has.
  size_t bytes_max() const;

  // Takes the awaited answer, whole at that moment (microseconds of the session's clock, never
  // falling). Gives the seed that is asked next, if one is: `fresh`, which nobody has seen before.
  // InvalidArgument where the answer is another's, or of a wrong length: nothing has changed.
  // DeadlineExceeded where the challenge has expired.
  absl::StatusOr<std::optional<Seed>> Answer(ProbeStage stage, std::string_view bytes,
                                             int64_t at_us, const Seed& fresh);
  bool HasExpired(int64_t at_us) const;

  // When all is in: to be verified, at leisure and by any thread.
  const VerifierRecord& record() const { return record_; }
  const std::string& transcript() const { return transcript_; }
  std::string TakeTranscript() { return std::move(transcript_); }

 private:
  VerifierRecord record_;
  const int64_t started_us_;
  int64_t asked_at_us_ = 0;  // since when the awaited answer is
  std::optional<ProbeStage> awaited_ = ProbeStage::kProducts;
  std::string transcript_;
};

}  // namespace warpbook::probe
