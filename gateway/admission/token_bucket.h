// TokenBucket: so many at once, so many per second. Time enters as an argument (a monotonic clock,
// microseconds).
#pragma once

#include <algorithm>
#include <cstdint>

#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class TokenBucket {
 public:
  // Both positive; a full bucket to begin with.
  TokenBucket(int64_t per_second, int64_t burst)
      : per_second_(per_second), capacity_(burst * kMicrosPerSecond), level_(capacity_) {}

  // Takes `count` tokens (1 up to the burst) and answers 0, or takes none and answers how many
  // microseconds to wait for them.
  int64_t Take(int64_t now_micros, int64_t count = 1) {
    Refill(now_micros);
    const int64_t price = std::min(count * kMicrosPerSecond, capacity_);
    if (level_ >= price) {
      level_ -= price;
      return 0;
    }
    // Rounded up: after this wait they are there.
    return (price - level_ + per_second_ - 1) / per_second_;
  }

  bool IsFull(int64_t now_micros) {
    Refill(now_micros);
    return level_ == capacity_;
  }

 private:
  void Refill(int64_t now_micros) {
    // An idle bucket is full after a while: longer waits add nothing, and cannot overflow.
    const int64_t elapsed =
        std::clamp(now_micros - last_micros_, int64_t{0}, capacity_ / per_second_ + 1);
    last_micros_ = std::max(last_micros_, now_micros);
    level_ = std::min(capacity_, level_ + elapsed * per_second_);
  }

  // In millionths of a token, so that nothing is lost to rounding.
  int64_t per_second_;
  int64_t capacity_;
  int64_t level_;
  int64_t last_micros_ = 0;
};

}  // namespace warpbook::gateway
