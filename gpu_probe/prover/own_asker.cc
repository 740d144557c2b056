#include "gpu_probe/prover/own_asker.h"

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/base/clock.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {
namespace {

using std::chrono::microseconds;

Seed FreshSeed() {
  Seed seed;
  FillRandom(seed);
  return seed;
}

uint64_t FreshId() {
  std::array<uint8_t, sizeof(uint64_t)> bytes;
  FillRandom(bytes);
  uint64_t id = 0;
  std::memcpy(&id, bytes.data(), sizeof(id));
  return id | 1;  // never 0
}

}  // namespace

absl::Status CheckSettings(const AskerSettings& settings) {
  const ClassRow* const row = settings.table.Find(settings.hardware_class);
  if (row == nullptr) {
    std::string known;
    for (const ClassRow& one : settings.table.rows()) {
      if (one.has_probe) absl::StrAppend(&known, known.empty() ? "" : ", ", one.name);
    }
    return absl::InvalidArgumentError(absl::StrCat("the catalogue has no class \"",
                                                   settings.hardware_class, "\"; it has ", known));
  }
  if (!row->has_probe) {
    return absl::InvalidArgumentError(
        absl::StrCat("no probe proves the class ", settings.hardware_class));
  }
  return absl::OkStatus();
}

std::string OwnAsker::SizesFor(const PublicKey& device_key, int32_t gpus) {
  WARPBOOK_CHECK(!session_ && gpus >= 1 && gpus <= kGpusProvedMax);
  const ClassRow* const row = settings_.table.Find(settings_.hardware_class);
  WARPBOOK_CHECK(row != nullptr);
  challenge_ = {.id = FreshId(),
                .device_key = device_key,
                .hardware_class = settings_.hardware_class,
                .gpus = gpus,
                .size = settings_.is_small ? SmallProfile() : probe::SizesFor(*row, gpus)};
  return EncodeChallenge(challenge_);
}

std::string OwnAsker::HandOut() {
  WARPBOOK_CHECK(!session_ && challenge_.id != 0);
  challenge_.nonce = FreshSeed();
  started_at_ = std::chrono::steady_clock::now();
  const int64_t started_us = SystemClock().NowMicros();
  challenge_.expires_us = started_us + microseconds(settings_.patience).count();
  session_.emplace(challenge_, started_us);
  return EncodeChallenge(challenge_);
}

int64_t OwnAsker::NowMicros() const {
  return std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - started_at_)
      .count();
}

absl::StatusOr<Reply> OwnAsker::Answer(ProbeStage stage, std::string_view bytes) {
  const int64_t at_us = NowMicros();
  const absl::StatusOr<std::optional<Seed>> next =
      session_->Answer(stage, bytes, at_us, FreshSeed());
  if (absl::IsDeadlineExceeded(next.status())) {
    return Reply{.report = Abandon(ProbeReason::kTooLate)};
  }
  if (!next.ok()) return Reply{.report = Abandon(ProbeReason::kMalformed)};
  if (session_->awaited()) return Reply{.seed = *next};
  // The roots are in: only now the secret vectors are drawn.
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  FillRandom(secret);
  {
    const std::lock_guard lock(one_at_a_time_);
    verdict_ = Verify(session_->record(), session_->transcript(), settings_.table,
                      MakeCheckVectors(secret));
  }
  return Reply{.report = Report()};
}

std::string OwnAsker::Abandon(ProbeReason reason) {
  verdict_ = VerdictOf(reason);
  return Report();
}

std::string OwnAsker::Report() {
  return MakeReport(session_->record(), session_->transcript(), verdict_, settings_.clock);
}

}  // namespace warpbook::probe
