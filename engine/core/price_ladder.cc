#include "engine/core/price_ladder.h"

#include <bit>

#include "schema/base/check.h"

namespace warpbook::engine {
namespace {

// The bits above bit i.
constexpr uint64_t Above(uint64_t i) { return ~uint64_t{1} << i; }

}  // namespace

PriceLadder::PriceLadder(Side side, Price tick, Price band_low, Price band_high,
                         LadderMemory& memory)
    : side_(side),
      tick_(tick),
      best_possible_(side == Side::kSell ? band_low : band_high),
      index_end_(static_cast<uint64_t>((band_high - band_low).value() / tick.value()) + 1),
      memory_(memory) {
  while (index_end_ > kChildren << (top_step_ * kBits)) ++top_step_;
}

PriceLadder::~PriceLadder() {
  if (root_ == nullptr) return;
  FreeBelow(root_, top_step_);
  memory_.nodes.Release(root_);
}

void PriceLadder::FreeBelow(Node* node, int step) {
  for (uint64_t used = node->used; used != 0; used &= used - 1) {
    void* child = node->children[static_cast<size_t>(std::countr_zero(used))];
    if (step == 0) {
      memory_.levels.Release(static_cast<PriceLevel*>(child));
    } else {
      FreeBelow(static_cast<Node*>(child), step - 1);
      memory_.nodes.Release(static_cast<Node*>(child));
    }
  }
}

const PriceLevel* PriceLadder::Find(Price price) const {
  const uint64_t index = Index(price);
  if (index >= index_end_ || root_ == nullptr) return nullptr;
  const Node* node = root_;
  for (int step = top_step_; step > 0; --step) {
    node = static_cast<const Node*>(node->children[ChildOf(index, step)]);
    if (node == nullptr) return nullptr;
  }
  return static_cast<const PriceLevel*>(node->children[ChildOf(index, 0)]);
}

PriceLevel& PriceLadder::FindOrAdd(Price price) {
  const uint64_t index = Index(price);
  WARPBOOK_CHECK(index < index_end_);
  if (root_ == nullptr) root_ = memory_.nodes.Acquire();
  Node* node = root_;
  for (int step = top_step_; step > 0; --step) {
    const uint64_t child = ChildOf(index, step);
    if (node->children[child] == nullptr) {
      node->children[child] = memory_.nodes.Acquire();
      node->used |= uint64_t{1} << child;
    }
    node = static_cast<Node*>(node->children[child]);
  }
  void*& child = node->children[ChildOf(index, 0)];
  if (child != nullptr) return *static_cast<PriceLevel*>(child);
  PriceLevel* level = memory_.levels.Acquire();
  level->price = price;
  child = level;
  node->used |= uint64_t{1} << ChildOf(index, 0);
  ++level_count_;
  if (best_ == nullptr || index < Index(best_->price)) best_ = level;
  return *level;
}

void PriceLadder::EraseIfEmpty(PriceLevel& level) {
  if (level.orders != 0) return;
  const uint64_t index = Index(level.price);
  if (best_ == &level) best_ = NextAfter(index);
  std::array<Node*, 64 / kBits + 1> path;
  path[static_cast<size_t>(top_step_)] = root_;
  for (int step = top_step_; step > 0; --step) {
    path[static_cast<size_t>(step - 1)] =
        static_cast<Node*>(path[static_cast<size_t>(step)]->children[ChildOf(index, step)]);
  }
  memory_.levels.Release(&level);
  --level_count_;
  // Nodes without children go with it, but for the root.
  for (int step = 0; step <= top_step_; ++step) {
    Node* node = path[static_cast<size_t>(step)];
    const uint64_t child = ChildOf(index, step);
    node->children[child] = nullptr;
    node->used &= ~(uint64_t{1} << child);
    if (node->used != 0 || step == top_step_) return;
    memory_.nodes.Release(node);
  }
}

PriceLevel* PriceLadder::First(Node* node, int step) const {
  for (; step > 0; --step) {
    node = static_cast<Node*>(node->children[static_cast<size_t>(std::countr_zero(node->used))]);
  }
  return static_cast<PriceLevel*>(
      node->children[static_cast<size_t>(std::countr_zero(node->used))]);
}

PriceLevel* PriceLadder::NextAfter(uint64_t index) const {
  // The lowest step of the path at which something lies behind it.
  Node* node = root_;
  Node* turn = nullptr;
  int turn_step = 0;
  uint64_t behind = 0;
  for (int step = top_step_;; --step) {
    const uint64_t child = ChildOf(index, step);
    if (const uint64_t used = node->used & Above(child); used != 0) {
      turn = node;
      turn_step = step;
      behind = used;
    }
    if (step == 0) break;
    node = static_cast<Node*>(node->children[child]);
  }
  if (turn == nullptr) return nullptr;
  void* child = turn->children[static_cast<size_t>(std::countr_zero(behind))];
  return turn_step == 0 ? static_cast<PriceLevel*>(child)
                        : First(static_cast<Node*>(child), turn_step - 1);
}

void PriceLadder::Append(PriceLevel& level, Order* order) {
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
}

void PriceLadder::Reduce(Order* order, Quantity gpus) {
  order->remaining -= gpus;
  order->level->gpus -= gpus;
}

}  // namespace warpbook::engine
