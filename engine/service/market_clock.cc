#include "engine/service/market_clock.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace warpbook::engine {

absl::StatusOr<std::unique_ptr<MarketClock>> MarketClock::Create(int64_t factor,
                                                                 Timestamp journal_time,
                                                                 const Clock& machine) {
  if (factor < 1 || factor > kClockFactorMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a clock factor of ", factor, " is not in 1..", kClockFactorMax));
  }
  const int64_t now = machine.NowMicros();
  std::unique_ptr<const Clock> scaled;
  if (factor > 1) {
    scaled = std::make_unique<ScaledClock>(std::max(now, journal_time.micros()), factor);
  } else if (journal_time.micros() - now > kClockLagMaxMicros) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the journal ends at ", absl::FormatTime(absl::FromUnixMicros(journal_time.micros())),
        ", but this machine's clock is at ", absl::FormatTime(absl::FromUnixMicros(now)),
        ": the market would stand still until then (was it run with a higher clock factor?)"));
  }
  return std::unique_ptr<MarketClock>(new MarketClock(machine, std::move(scaled), journal_time));
}

int64_t MarketClock::NowMicros() const {
  const int64_t now = clock_.NowMicros();
  int64_t highest = highest_micros_.load(std::memory_order_relaxed);
  while (now > highest && !highest_micros_.compare_exchange_weak(highest, now)) {
  }
  return std::max(now, highest);
}

}  // namespace warpbook::engine
