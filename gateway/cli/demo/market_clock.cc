#include "gateway/cli/demo/market_clock.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

using std::chrono::microseconds;

// How far two samples must be apart to tell the rate.
constexpr microseconds kBaseline{400'000};

int64_t MicrosBetween(MarketClock::SteadyTime from, MarketClock::SteadyTime to) {
  return std::chrono::duration_cast<microseconds>(to - from).count();
}

}  // namespace

void MarketClock::Sample(int64_t market_us, SteadyTime now) {
  last_ = Point{market_us, now};
  if (!first_) first_ = last_;
  const int64_t elapsed = MicrosBetween(first_->time, now);
  if (elapsed < kBaseline.count()) return;
  // To the nearest whole factor.
  factor_ = std::max<int64_t>(1, (market_us - first_->market_us + elapsed / 2) / elapsed);
}

void MarketClock::Restart() { first_.reset(); }

int64_t MarketClock::Now(SteadyTime now) const {
  WARPBOOK_CHECK(factor_ > 0 && last_.has_value());
  return last_->market_us + MicrosBetween(last_->time, now) * factor_;
}

}  // namespace warpbook::gateway
