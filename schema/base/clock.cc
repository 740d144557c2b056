#include "schema/base/clock.h"

#include <chrono>

namespace warpbook {
namespace {

template <typename StdClock>
int64_t Micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(StdClock::now().time_since_epoch())
      .count();
}

}  // namespace

int64_t SystemClock::NowMicros() const { return Micros<std::chrono::system_clock>(); }

ScaledClock::ScaledClock(int64_t start_micros, int64_t factor)
    : start_micros_(start_micros),
      factor_(factor),
      monotonic_start_micros_(Micros<std::chrono::steady_clock>()) {}

int64_t ScaledClock::NowMicros() const {
  return start_micros_ + factor_ * (Micros<std::chrono::steady_clock>() - monotonic_start_micros_);
}

}  // namespace warpbook
