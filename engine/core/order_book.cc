#include "engine/core/order_book.h"

#include <algorithm>

namespace warpbook::engine {

Quantity OrderBook::GpusAt(Side side, Price price) const {
  const PriceLevel* level = ladder(side).Find(price);
  return level == nullptr ? Quantity(0) : level->gpus;
}

void OrderBook::Append(Order* order) {
  PriceLadder& ladder = mutable_ladder(order->side);
  BeginChange();
  PriceLevel& level = ladder.FindOrAdd(order->price);
  Touch(order->side, level);
  ladder.Append(level, order);
  ++order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Remove(Order* order) {
  BeginChange();
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Remove(order);
  --order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Reduce(Order* order, Quantity gpus) {
  BeginChange();
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Reduce(order, gpus);
}

void OrderBook::SortTouched() {
  std::ranges::sort(touched_, [](const Touched& a, const Touched& b) {
    if (a.side != b.side) return a.side < b.side;
    return a.side == Side::kBuy ? a.price > b.price : a.price < b.price;
  });
}

void OrderBook::Settle(Touched& touched) {
  PriceLevel& level = *touched.level;
  level.touched = 0;
  const auto orders = static_cast<int32_t>(level.orders);
  touched.changed = level.gpus != touched.gpus || orders != touched.orders;
  touched.gpus = level.gpus;
  touched.orders = orders;
  mutable_ladder(touched.side).EraseIfEmpty(level);
}

}  // namespace warpbook::engine
