// What the trades of an instrument add up to: over its whole life, and in candles, which are the
// trades of 1, 5, 15 or 60 minutes of the market's time, from a whole multiple of that. All exact:
// GPU-hours are GPU-minutes over 60.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gateway/protocol/candle_interval.h"
#include "schema/types/amounts.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

struct TradeSummary {
  Price open, high, low, close;  // 0: no trades
  int64_t gpus = 0;
  int64_t gpu_minutes = 0;
  int64_t trades = 0;

  void Add(Price price, Quantity traded, Minutes minutes) {
    if (trades++ == 0) open = high = low = price;
    high = std::max(high, price);
    low = std::min(low, price);
    close = price;
    gpus += traded.value();
    gpu_minutes += int64_t{traded.value()} * minutes.value();
  }
  friend bool operator==(const TradeSummary&, const TradeSummary&) = default;
};

struct Candle {
  Timestamp start;
  TradeSummary traded;  // never none
};

// Of each interval the last ones, oldest first; times without trades have none. Beyond: the oldest
// is forgotten.
inline constexpr size_t kCandlesKept = 500;

class Candles {
 public:
  const std::vector<Candle>& Of(CandleInterval interval) const {
    return series_[static_cast<size_t>(interval)];
  }
  std::vector<Candle>& Of(CandleInterval interval) {
    return series_[static_cast<size_t>(interval)];
  }
  // A trade; never earlier than the one before it.
  void Add(Timestamp time, Price price, Quantity gpus, Minutes minutes) {
    for (const CandleInterval interval : kCandleIntervals) {
      const Timestamp start(time.micros() - time.micros() % MicrosOf(interval));
      std::vector<Candle>& series = Of(interval);
      if (series.empty() || series.back().start != start) {
        if (series.size() == kCandlesKept) series.erase(series.begin());
        series.push_back({.start = start, .traded = {}});
      }
      series.back().traded.Add(price, gpus, minutes);
    }
  }

 private:
  std::array<std::vector<Candle>, kCandleIntervals.size()> series_;
};

}  // namespace warpbook::gateway
