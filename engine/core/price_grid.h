// PriceGrid: the prices that an instrument takes: every tick of its band. A price's place on it is
// counted in ticks from the band's lowest price.
#pragma once

#include <cstdint>

#include "schema/base/check.h"
#include "schema/types/amounts.h"

namespace warpbook::engine {

class PriceGrid {
 public:
  static constexpr uint32_t kNone = ~uint32_t{0};

  // The tick is more than 1, and low and high are multiples of it (OpenInstrument's checks).
  PriceGrid(Price tick, Price low, Price high)
      : low_(static_cast<uint64_t>(low.value())),
        tick_(static_cast<uint64_t>(tick.value())),
        reciprocal_(~uint64_t{0} / tick_ + 1),
        size_(static_cast<uint32_t>((high - low).value() / tick.value()) + 1) {
    WARPBOOK_CHECK(tick > Price(1) && high >= low);
  }

  Price tick() const { return Price(static_cast<int64_t>(tick_)); }
  Price low() const { return At(0); }
  Price high() const { return At(size_ - 1); }
  // How many prices there are.
  uint32_t size() const { return size_; }

  // kNone: the price is off the tick or outside the band.
  uint32_t Find(Price price) const {
    // Below the band this wraps, to more than any of the band's.
    const uint64_t distance = static_cast<uint64_t>(price.value()) - low_;
    // distance / tick without a division: with the reciprocal rounded up, the quotient of an exact
    // multiple is exact (k x tick < 2^64), and any other is found out by multiplying back.
    const uint64_t ticks = static_cast<uint64_t>((uint128{distance} * reciprocal_) >> 64);
    return ticks < size_ && ticks * tick_ == distance ? static_cast<uint32_t>(ticks) : kNone;
  }
  Price At(uint32_t ticks) const { return Price(static_cast<int64_t>(low_ + ticks * tick_)); }

 private:
  __extension__ using uint128 = unsigned __int128;

  uint64_t low_;
  uint64_t tick_;
  uint64_t reciprocal_;  // 2^64 / tick, rounded up
  uint32_t size_;
};

}  // namespace warpbook::engine
