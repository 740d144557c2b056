#include "engine/core/price_ladder.h"

#include "schema/base/check.h"

namespace warpbook::engine {

const PriceLevel* PriceLadder::Best() const {
  return levels_.empty() ? nullptr : levels_.begin()->second.get();
}

const PriceLevel* PriceLadder::Find(Price price) const {
  const auto it = levels_.find(Key(price));
  return it == levels_.end() ? nullptr : it->second.get();
}

const PriceLevel* PriceLadder::Next(const PriceLevel& level) const {
  const auto it = levels_.upper_bound(Key(level.price));
  return it == levels_.end() ? nullptr : it->second.get();
}

PriceLevel* PriceLadder::FindMutable(Price price) {
  const auto it = levels_.find(Key(price));
  return it == levels_.end() ? nullptr : it->second.get();
}

PriceLevel& PriceLadder::FindOrAdd(Price price) {
  std::unique_ptr<PriceLevel>& level = levels_[Key(price)];
  if (level == nullptr) {
    level = std::make_unique<PriceLevel>();
    level->price = price;
  }
  return *level;
}

void PriceLadder::Append(PriceLevel& level, Order* order) {
  WARPBOOK_CHECK(order->level == nullptr && order->side == side_ && order->price == level.price);
  PriceLevel::Queue& queue = level.queues[order->queue()];
  order->level = &level;
  order->queue_previous = queue.tail;
  order->queue_next = nullptr;
  (queue.tail == nullptr ? queue.head : queue.tail->queue_next) = order;
  queue.tail = order;
  level.gpus += order->remaining;
  ++level.orders;
}

void PriceLadder::Remove(Order* order) {
  PriceLevel& level = *order->level;
  PriceLevel::Queue& queue = level.queues[order->queue()];
  (order->queue_previous == nullptr ? queue.head : order->queue_previous->queue_next) =
      order->queue_next;
  (order->queue_next == nullptr ? queue.tail : order->queue_next->queue_previous) =
      order->queue_previous;
  level.gpus -= order->remaining;
  --level.orders;
  order->level = nullptr;
  order->queue_previous = nullptr;
  order->queue_next = nullptr;
  if (level.orders == 0) levels_.erase(Key(level.price));
}

void PriceLadder::Reduce(Order* order, Quantity gpus) {
  WARPBOOK_CHECK(order->level != nullptr && gpus <= order->remaining);
  order->remaining -= gpus;
  order->level->gpus -= gpus;
}

}  // namespace warpbook::engine
