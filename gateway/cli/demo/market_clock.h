// MarketClock: the market's time, as session.status told it last, carried forward. A market may run
// faster than the clock on the wall; how many times as fast is measured. The loop's thread owns it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace warpbook::gateway {

class MarketClock {
 public:
  using SteadyTime = std::chrono::steady_clock::time_point;

  // The market's time was `market_us` at `now`.
  void Sample(int64_t market_us, SteadyTime now);
  // The connection was lost: the time is uncertain (a market that was restarted has stood still)
  // until the next sample; the rate stays.
  void Restart();

  // Whether time and rate are known and certain.
  bool is_ready() const { return factor_ > 0 && first_.has_value(); }
  // CHECKs that it has been ready before.
  int64_t Now(SteadyTime now) const;
  int64_t Now() const { return Now(std::chrono::steady_clock::now()); }
  int64_t factor() const { return factor_; }

 private:
  struct Point {
    int64_t market_us;
    SteadyTime time;
  };
  std::optional<Point> first_;  // of this connection
  std::optional<Point> last_;
  int64_t factor_ = 0;
};

}  // namespace warpbook::gateway
