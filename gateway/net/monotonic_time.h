// The machine's monotonic clock, for rates, delays and timeouts.
#pragma once

#include <chrono>
#include <cstdint>

#include "schema/base/clock.h"

namespace warpbook::gateway {

inline int64_t MonotonicMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class MonotonicClock final : public Clock {
 public:
  int64_t NowMicros() const override { return MonotonicMicros(); }
};

}  // namespace warpbook::gateway
