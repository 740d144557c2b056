// The market's clock: the machine's, or one that runs faster from where the journal ended. It never
// falls, whatever the machine's clock does. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "schema/base/clock.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

inline constexpr int64_t kClockFactorMax = 3'600;
// How far the journal may be ahead of a machine's clock that the market follows; until that clock
// has caught up, the market's time stands still.
inline constexpr int64_t kClockLagMaxMicros = kMicrosPerMinute;

class MarketClock final : public Clock {
 public:
  // Not before `journal_time`, the journal's last. `machine` must outlive it. InvalidArgument for a
  // factor outside 1..kClockFactorMax; FailedPrecondition where a factor of 1 would let the market
  // stand still.
  static absl::StatusOr<std::unique_ptr<MarketClock>> Create(int64_t factor, Timestamp journal_time,
                                                             const Clock& machine);
  int64_t NowMicros() const override;

 private:
  MarketClock(const Clock& machine, std::unique_ptr<const Clock> scaled, Timestamp journal_time)
      : scaled_(std::move(scaled)),
        clock_(scaled_ == nullptr ? machine : *scaled_),
        highest_micros_(journal_time.micros()) {}

  const std::unique_ptr<const Clock> scaled_;  // null: the market follows the machine's clock
  const Clock& clock_;
  mutable std::atomic<int64_t> highest_micros_;
};

}  // namespace warpbook::engine
