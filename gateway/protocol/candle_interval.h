// The lengths of candles that the API offers. Stored in market snapshots: never renumbered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "schema/types/enums.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

enum class CandleInterval : uint8_t { k1m = 0, k5m = 1, k15m = 2, k1h = 3 };
inline constexpr std::array kCandleIntervals = {CandleInterval::k1m, CandleInterval::k5m,
                                                CandleInterval::k15m, CandleInterval::k1h};

constexpr int64_t MicrosOf(CandleInterval interval) {
  constexpr std::array<int64_t, kCandleIntervals.size()> kMinutes = {1, 5, 15, 60};
  return kMinutes[static_cast<size_t>(interval)] * kMicrosPerMinute;
}

}  // namespace warpbook::gateway

namespace warpbook {

template <>
struct EnumNames<gateway::CandleInterval> {
  static constexpr std::array<std::string_view, 4> kNames = {"1m", "5m", "15m", "1h"};
};

}  // namespace warpbook
