// At least a million random commands against the naive reference; WARPBOOK_RANDOM_SEEDS makes it
// more (engine_reference_run takes the rest of the choices).
#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "tests/engine/core/random_run.h"

namespace warpbook::engine {
namespace {

constexpr uint64_t kSeeds = 400;
constexpr size_t kCommands = 5'000;  // 2,000,000 in all

TEST_CASE("The engine agrees with the naive reference on random commands of many seeds") {
  const char* asked = std::getenv("WARPBOOK_RANDOM_SEEDS");
  const uint64_t seeds = asked == nullptr ? kSeeds : std::strtoull(asked, nullptr, 10);
  RandomRunCounts counts;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    const std::string difference = RunRandomSeed(seed, kCommands, counts);
    REQUIRE_MESSAGE(difference.empty(), difference);
  }
  // The runs would prove little if they did not come by everything.
  if (seeds < kSeeds) return;
  for (size_t reason = 0; reason < EnumNames<CancelReason>::kNames.size(); ++reason) {
    CAPTURE(std::string(EnumNames<CancelReason>::kNames[reason]));
    CHECK(counts.cancels[static_cast<uint8_t>(reason)] > 100);
  }
  for (const RejectReasonInfo& info : AllRejectReasons()) {
    const bool of_engine =
        info.reason == RejectReason::kMalformedCommand ||
        info.reason == RejectReason::kStorageLow ||
        (info.reason >= RejectReason::kDeadlinePassed &&
         info.reason != RejectReason::kLessThanOneMinute && info.reason != RejectReason::kNoProbe &&
         info.reason != RejectReason::kProbeAnswerUnexpected &&
         info.reason < RejectReason::kPricesUnavailable);
    CAPTURE(std::string(info.code));
    if (of_engine) CHECK(counts.refusals[static_cast<uint16_t>(info.reason)] > 0);
  }
  CHECK(counts.events[wire::RecordType::kTradeExecuted] > 50'000);
  CHECK(counts.events[wire::RecordType::kLeaseResold] > 2'000);
  CHECK(counts.events[wire::RecordType::kLeaseJudged] > 50);
  CHECK(counts.events[wire::RecordType::kDeferredPaid] > 500);
  CHECK(counts.events[wire::RecordType::kProbeDecided] > 1'000);
  CHECK(counts.gains_paid > 200);
  CHECK(counts.losses_carried > 1'000);
}

}  // namespace
}  // namespace warpbook::engine
