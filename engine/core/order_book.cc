#include "engine/core/order_book.h"

#include <algorithm>

namespace warpbook::engine {
namespace {

std::optional<Price> BestPrice(const PriceLadder& ladder) {
  const PriceLevel* best = ladder.Best();
  if (best == nullptr) return std::nullopt;
  return best->price;
}

}  // namespace

Quantity OrderBook::GpusAt(Side side, Price price) const {
  const PriceLevel* level = ladder(side).Find(price);
  return level == nullptr ? Quantity(0) : level->gpus;
}

void OrderBook::Append(Order* order) {
  NoteBestPrices();
  PriceLadder& ladder = mutable_ladder(order->side);
  PriceLevel& level = ladder.FindOrAdd(order->price);
  Touch(order->side, level);
  ladder.Append(level, order);
  ++order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Remove(Order* order) {
  NoteBestPrices();
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Remove(order);
  --order_counts_[static_cast<size_t>(order->side)];
}

void OrderBook::Reduce(Order* order, Quantity gpus) {
  NoteBestPrices();
  Touch(order->side, *order->level);
  mutable_ladder(order->side).Reduce(order, gpus);
}

void OrderBook::NoteBestPrices() {
  if (changed()) return;
  best_before_[0] = BestPrice(bids_);
  best_before_[1] = BestPrice(asks_);
}

void OrderBook::Touch(Side side, PriceLevel& level) {
  if (level.touched) return;
  level.touched = true;
  touched_.push_back({side, level.price, level.gpus, level.orders});
}

void OrderBook::TakeChanges(std::vector<LevelChange>& changes) {
  // A level that went and came back was noted twice; its first note, which a stable sort keeps in
  // front, says what it was.
  std::ranges::stable_sort(touched_, [](const Touched& a, const Touched& b) {
    if (a.side != b.side) return a.side < b.side;
    return a.side == Side::kBuy ? a.price > b.price : a.price < b.price;
  });
  const Touched* previous = nullptr;
  for (const Touched& touched : touched_) {
    const bool repeated =
        previous != nullptr && previous->side == touched.side && previous->price == touched.price;
    previous = &touched;
    if (repeated) continue;
    PriceLadder& ladder = mutable_ladder(touched.side);
    PriceLevel* level = ladder.FindMutable(touched.price);
    LevelChange change{touched.side, touched.price, Quantity(0), 0, false};
    if (level != nullptr) {
      level->touched = false;
      change.gpus = level->gpus;
      change.orders = level->orders;
    }
    if (change.gpus == touched.gpus_before && change.orders == touched.orders_before) continue;
    change.top_of_book = best_before_[static_cast<size_t>(touched.side)] == touched.price ||
                         BestPrice(ladder) == touched.price;
    changes.push_back(change);
  }
  touched_.clear();
}

}  // namespace warpbook::engine
