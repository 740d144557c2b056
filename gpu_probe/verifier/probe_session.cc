#include "gpu_probe/verifier/probe_session.h"

#include <array>
#include <cstring>

#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

constexpr std::array<std::string_view, kStages> kNames = {"products", "filled", "gathered",
                                                          "openings"};

// The digests, one behind the other.
std::vector<Sha256Digest> Digests(std::string_view bytes) {
  std::vector<Sha256Digest> digests(bytes.size() / sizeof(Sha256Digest));
  for (size_t i = 0; i < digests.size(); ++i) {
    std::memcpy(digests[i].data(), bytes.data() + i * sizeof(Sha256Digest), sizeof(Sha256Digest));
  }
  return digests;
}

}  // namespace

std::string_view Name(ProbeStage stage) { return kNames[static_cast<size_t>(stage)]; }

std::optional<ProbeStage> ParseStage(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<ProbeStage>(i);
  }
  return std::nullopt;
}

ProbeSession::ProbeSession(const Challenge& challenge, int64_t started_us)
    : started_us_(started_us) {
  record_.challenge = challenge;
}

size_t ProbeSession::bytes_max() const {
  const auto gpus = static_cast<size_t>(challenge().gpus);
  switch (awaited_.value_or(ProbeStage::kFilled)) {
    case ProbeStage::kProducts:
      return gpus * static_cast<size_t>(challenge().size.compute.rounds) * sizeof(Sha256Digest);
    case ProbeStage::kFilled:
      return 0;
    case ProbeStage::kGathered:
      return gpus * sizeof(Sha256Digest);
    case ProbeStage::kOpenings:
      return kTranscriptBytesMax;
  }
  return 0;
}

bool ProbeSession::HasExpired(int64_t at_us) const {
  return started_us_ + at_us > challenge().expires_us;
}

absl::StatusOr<std::optional<Seed>> ProbeSession::Answer(ProbeStage stage, std::string_view bytes,
                                                         int64_t at_us, const Seed& fresh) {
  if (awaited_ != stage) return absl::InvalidArgumentError("another answer is awaited");
  const bool fits =
      stage == ProbeStage::kOpenings ? bytes.size() <= bytes_max() : bytes.size() == bytes_max();
  if (!fits) return absl::InvalidArgumentError("the answer has a wrong length");
  if (HasExpired(at_us)) return absl::DeadlineExceededError("the challenge has expired");
  WARPBOOK_CHECK(at_us >= asked_at_us_);
  const int64_t took_us = at_us - asked_at_us_;
  asked_at_us_ = at_us;
  switch (stage) {
    case ProbeStage::kProducts: {
      const std::vector<Sha256Digest> roots = Digests(bytes);
      const auto rounds = challenge().size.compute.rounds;
      for (auto from = roots.begin(); from != roots.end(); from += rounds) {
        record_.product_roots.emplace_back(from, from + rounds);
      }
      record_.products_us = took_us;
      awaited_ = ProbeStage::kFilled;
      return std::nullopt;
    }
    case ProbeStage::kFilled:
      record_.fill_us = took_us;
      record_.gather_seed = fresh;
      awaited_ = ProbeStage::kGathered;
      return fresh;
    case ProbeStage::kGathered:
      record_.gather_roots = Digests(bytes);
      record_.gather_us = took_us;
      record_.opening_seed = fresh;
      awaited_ = ProbeStage::kOpenings;
      return fresh;
    case ProbeStage::kOpenings:
      record_.answered_us = started_us_ + at_us;
      transcript_ = bytes;
      awaited_ = std::nullopt;
      return std::nullopt;
  }
  return absl::InvalidArgumentError("there is no such answer");
}

}  // namespace warpbook::probe
