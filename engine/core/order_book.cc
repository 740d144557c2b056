#include "engine/core/order_book.h"

#include <algorithm>

namespace warpbook::engine {

Quantity OrderBook::GpusAt(Side side, Price price) const {
  const PriceLevel* level = ladder(side).Find(price);
  return level == nullptr ? Quantity(0) : level->gpus;
}

void OrderBook::Append(Order* order) {
  PriceLadder& ladder = mutable_ladder(order->side);
  if (!changed()) best_before_ = {bids_.Best(), asks_.Best()};
  PriceLevel& level = ladder.FindOrAdd(order->price);
  Touch(order->side, level);
  ladder.Append(level, order);
  ++order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Remove(Order* order) {
  if (!changed()) best_before_ = {bids_.Best(), asks_.Best()};
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Remove(order);
  --order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Reduce(Order* order, Quantity gpus) {
  if (!changed()) best_before_ = {bids_.Best(), asks_.Best()};
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Reduce(order, gpus);
}

void OrderBook::Touch(Side side, PriceLevel& level) {
  if (level.touched) return;
  level.touched = 1;
  touched_.push_back({&level, side, level.gpus, level.orders});
}

void OrderBook::TakeChanges(std::vector<LevelChange>& changes) {
  if (touched_.size() > 1) {
    std::ranges::sort(touched_, [](const Touched& a, const Touched& b) {
      if (a.side != b.side) return a.side < b.side;
      return a.side == Side::kBuy ? a.level->price > b.level->price
                                  : a.level->price < b.level->price;
    });
  }
  // All empty ones go first, so that what is then the best is known.
  const size_t first = changes.size();
  for (const Touched& touched : touched_) {
    PriceLevel& level = *touched.level;
    level.touched = 0;
    if (level.gpus != touched.gpus_before || level.orders != touched.orders_before) {
      changes.push_back({touched.side, level.price, level.gpus, static_cast<int32_t>(level.orders),
                         best_before_[static_cast<size_t>(touched.side)] == &level});
    }
  }
  for (const Touched& touched : touched_) {
    mutable_ladder(touched.side).EraseIfEmpty(*touched.level);
  }
  for (size_t i = first; i < changes.size(); ++i) {
    const PriceLevel* best = ladder(changes[i].side).Best();
    if (best != nullptr && best->price == changes[i].price) changes[i].top_of_book = true;
  }
  touched_.clear();
}

}  // namespace warpbook::engine
