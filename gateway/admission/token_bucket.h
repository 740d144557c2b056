// TokenBucket: so many at once, so many per second. Time enters as an argument (a monotonic clock,
// microseconds). Several threads may take from one: it is a single atomic number, the time at which
// the bucket is full again (the generic cell rate algorithm).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

#include "schema/types/timestamp.h"

namespace warpbook::gateway {

class TokenBucket {
 public:
  // Both positive; a full bucket to begin with.
  TokenBucket(int64_t per_second, int64_t burst)
      : per_second_(per_second), burst_(burst), capacity_nanos_(CostOf(burst)) {}
  // Copies what is left, too.
  TokenBucket(const TokenBucket& other)
      : per_second_(other.per_second_),
        burst_(other.burst_),
        capacity_nanos_(other.capacity_nanos_),
        full_at_nanos_(other.full_at_nanos_.load(std::memory_order_relaxed)) {}
  TokenBucket& operator=(const TokenBucket&) = delete;

  // Takes `count` tokens (1 up to the burst) and answers 0, or takes none and answers how many
  // microseconds to wait for them.
  int64_t Take(int64_t now_micros, int64_t count = 1) {
    const int64_t cost = CostOf(std::min(count, burst_));
    int64_t full_at = full_at_nanos_.load(std::memory_order_relaxed);
    while (true) {
      const int64_t now = NanosAt(now_micros, full_at);
      const int64_t after = std::max(full_at, now) + cost;
      // Rounded up: after this wait they are there.
      if (after - now > capacity_nanos_) return (after - now - capacity_nanos_ + 999) / 1'000;
      if (full_at_nanos_.compare_exchange_weak(full_at, after, std::memory_order_relaxed)) return 0;
    }
  }

  bool IsFull(int64_t now_micros) const { return LevelAt(now_micros).used == 0; }

  struct Level {
    int64_t used = 0;      // tokens that are not there
    int64_t limit = 0;     // the burst
    int64_t reset_us = 0;  // until all are there, if no more are taken
  };
  Level LevelAt(int64_t now_micros) const {
    const int64_t full_at = full_at_nanos_.load(std::memory_order_relaxed);
    const int64_t missing = std::max(full_at - NanosAt(now_micros, full_at), int64_t{0});
    const int64_t token = CostOf(1);
    return {.used = std::min((missing + token - 1) / token, burst_),
            .limit = burst_,
            .reset_us = (missing + 999) / 1'000};
  }

 private:
  // Of any burst and rate that limits.h could name it fits by far.
  int64_t CostOf(int64_t tokens) const {
    constexpr int64_t kNanosPerSecond = 1'000'000'000;
    return (tokens * kNanosPerSecond + per_second_ - 1) / per_second_;
  }
  // A clock that falls refills nothing and takes nothing. Past 200 years it stands still.
  int64_t NanosAt(int64_t now_micros, int64_t full_at) const {
    constexpr int64_t kLatestMicros = std::numeric_limits<int64_t>::max() / 1'500;
    return std::max(std::min(now_micros, kLatestMicros) * 1'000, full_at - capacity_nanos_);
  }

  const int64_t per_second_;
  const int64_t burst_;
  const int64_t capacity_nanos_;
  std::atomic<int64_t> full_at_nanos_{0};
};

}  // namespace warpbook::gateway
