// OrderBook: one instrument's two ladders. It knows nothing of money, accounts or time.
#pragma once

#include "engine/core/price_ladder.h"

namespace warpbook::engine {

class OrderBook {
 public:
  OrderBook(const PriceGrid& grid, LadderMemory& memory)
      : bids_(Side::kBuy, grid, memory), asks_(Side::kSell, grid, memory) {}

  const PriceGrid& grid() const { return bids_.grid(); }
  PriceLadder& ladder(Side side) { return side == Side::kBuy ? bids_ : asks_; }
  const PriceLadder& ladder(Side side) const { return side == Side::kBuy ? bids_ : asks_; }
  size_t order_count(Side side) const { return ladder(side).order_count(); }
  // The GPUs resting at a price.
  Quantity GpusAt(Side side, Price price) const {
    const PriceLevel* level = ladder(side).Find(price);
    return level == nullptr ? Quantity(0) : level->gpus;
  }

 private:
  PriceLadder bids_;
  PriceLadder asks_;
};

}  // namespace warpbook::engine
