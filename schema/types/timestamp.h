// Time as the market knows it: integer microseconds since 1970-01-01T00:00:00Z, without leap
// seconds.
#pragma once

#include <compare>
#include <cstdint>

#include "schema/base/check.h"
#include "schema/types/amounts.h"

namespace warpbook {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;

class Timestamp {
 public:
  constexpr Timestamp() = default;
  explicit constexpr Timestamp(int64_t micros) : micros_(micros) {}
  constexpr int64_t micros() const { return micros_; }
  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;

  constexpr Timestamp PlusMicros(int64_t micros) const {
    int64_t sum = 0;
    WARPBOOK_CHECK(!__builtin_add_overflow(micros_, micros, &sum));
    return Timestamp(sum);
  }
  constexpr Timestamp PlusSeconds(int64_t seconds) const {
    return PlusMicros(seconds * kMicrosPerSecond);
  }
  constexpr Timestamp PlusMinutes(int64_t minutes) const {
    return PlusMicros(minutes * kMicrosPerMinute);
  }
  // The first whole minute at or after this time (for times since 1970).
  constexpr Timestamp CeilToMinute() const {
    const int64_t rest = micros_ % kMicrosPerMinute;
    return rest == 0 ? *this : PlusMicros(kMicrosPerMinute - rest);
  }
  // Whole minutes from `from` to `to`, rounded down; negative where `to` is earlier.
  static constexpr int64_t MinutesBetween(Timestamp from, Timestamp to) {
    const int64_t micros = to.micros_ - from.micros_;
    return micros / kMicrosPerMinute - (micros % kMicrosPerMinute < 0 ? 1 : 0);
  }

 private:
  int64_t micros_ = 0;
};

}  // namespace warpbook
