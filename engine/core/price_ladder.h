// PriceLadder: one side of a book, its levels from the best price to the worst. Each level keeps
// three FIFO queues, one per tier (bids) or assurance (asks); the level's orders in matching order
// are queue 0, 1, 2, each from its head. 1-market, Matching rule.
//
// Levels are known by their rank: the ticks from the best price that the band allows, so that lower
// is better on both sides. They are found through a tree over the ranks, 64 ways at each step, with
// a bitmap in each node: a level costs its own path, however far it is from the others, and the next
// worse one is a matter of a few words. The best level and the leaves used last are remembered: most
// of what happens, happens near where it happened before.
//
// A level whose last order has left stays until Erase, as more may happen to it within the same
// command. Invariant: a level's gpus and orders are the sums over its queues.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/core/block_pool.h"
#include "engine/core/order.h"
#include "engine/core/price_grid.h"

namespace warpbook::engine {

struct alignas(64) PriceLevel {
  struct Queue {
    Order* head = nullptr;
    Order* tail = nullptr;
  };
  Quantity gpus;
  uint32_t orders = 0;
  uint32_t rank = 0;
  bool touched = false;  // noted in BookChanges
  std::array<Queue, kTierCount> queues;
};
static_assert(sizeof(PriceLevel) == 64);

// The memory of all ladders of an engine. Levels without orders and nodes without children are as
// good as new, so that what is released can be used again as it is.
struct LadderMemory {
  struct Node {
    static constexpr int kBits = 6;
    uint64_t used = 0;  // bit i: children[i] is not null
    // Of a leaf: levels. Of the others: nodes.
    std::array<void*, 1 << kBits> children = {};
  };
  BlockPool<PriceLevel> levels;
  BlockPool<Node> nodes;
};

class PriceLadder {
 public:
  // The memory must outlive the ladder.
  PriceLadder(Side side, const PriceGrid& grid, LadderMemory& memory);
  ~PriceLadder();  // gives its memory back
  PriceLadder(const PriceLadder&) = delete;
  PriceLadder& operator=(const PriceLadder&) = delete;

  const PriceGrid& grid() const { return grid_; }
  size_t level_count() const { return level_count_; }
  size_t order_count() const { return order_count_; }

  // The rank here of a price on the grid, given by its ticks; and the other way round. An opposite
  // order with that limit reaches the levels up to that rank.
  uint32_t RankAt(uint32_t ticks) const {
    return side_ == Side::kSell ? ticks : grid_.size() - 1 - ticks;
  }
  uint32_t RankOf(Price price) const { return RankAt(grid_.Find(price)); }
  Price PriceOf(const PriceLevel& level) const { return grid_.At(RankAt(level.rank)); }

  const PriceLevel* Best() const { return best_; }
  // Null where there is no such level, or where the price is not on the grid.
  const PriceLevel* Find(Price price) const;
  // The next worse level after this one; null behind the last.
  const PriceLevel* Next(const PriceLevel& level) const { return NextAfter(level.rank); }

  PriceLevel& FindOrAdd(Price price) {
    const uint32_t rank = RankOf(price);
    Node* leaf = RecentLeaf(rank);
    if (leaf == nullptr) leaf = FindOrAddLeaf(rank);
    void* level = leaf->children[rank & kSlotMask];
    return level != nullptr ? *static_cast<PriceLevel*>(level) : AddLevel(*leaf, rank);
  }
  // A level without orders.
  void Erase(PriceLevel& level);

  // Joins the end of its queue at the level of its price.
  void Append(PriceLevel& level, Order& order) {
    PriceLevel::Queue& queue = level.queues[order.queue()];
    order.level = &level;
    order.queue_previous = queue.tail;
    order.queue_next = nullptr;
    (queue.tail == nullptr ? queue.head : queue.tail->queue_next) = &order;
    queue.tail = &order;
    level.gpus += order.remaining;
    ++level.orders;
    ++order_count_;
  }
  // Leaves its level, which may then be empty.
  void Remove(Order& order) {
    PriceLevel& level = *order.level;
    PriceLevel::Queue& queue = level.queues[order.queue()];
    (order.queue_previous == nullptr ? queue.head : order.queue_previous->queue_next) =
        order.queue_next;
    (order.queue_next == nullptr ? queue.tail : order.queue_next->queue_previous) =
        order.queue_previous;
    level.gpus -= order.remaining;
    --level.orders;
    --order_count_;
    order.level = nullptr;
  }
  // Takes `gpus` off a resting order, which keeps its place.
  void Reduce(Order& order, Quantity gpus) {
    order.remaining -= gpus;
    order.level->gpus -= gpus;
  }

 private:
  using Node = LadderMemory::Node;
  static constexpr int kBits = Node::kBits;
  static constexpr uint32_t kSlotMask = (1 << kBits) - 1;
  static constexpr uint32_t kNoLeaf = ~uint32_t{0};

  static uint32_t SlotOf(uint32_t rank, int step) { return rank >> (step * kBits) & kSlotMask; }
  // The leaf of a rank, if it is among those used last.
  Node* RecentLeaf(uint32_t rank) const {
    const uint32_t number = rank >> kBits;
    const Recent& recent = recent_[number % recent_.size()];
    return recent.number == number ? recent.leaf : nullptr;
  }
  Node* FindOrAddLeaf(uint32_t rank);
  Node* FindLeaf(uint32_t rank) const;  // null where there is none
  PriceLevel& AddLevel(Node& leaf, uint32_t rank);
  PriceLevel* NextAfter(uint32_t rank) const;
  // Gives back the nodes above an empty leaf that are empty with it, but for the root.
  void Prune(uint32_t rank);
  // Frees the nodes below; the node itself is the caller's.
  void FreeBelow(Node* node, int step);

  struct Recent {
    Node* leaf = nullptr;
    uint32_t number = kNoLeaf;  // rank >> kBits of its ranks
  };

  PriceLevel* best_ = nullptr;
  std::array<Recent, 2> recent_;  // neighbours have a place each
  const Side side_;
  const PriceGrid grid_;
  size_t order_count_ = 0;
  size_t level_count_ = 0;
  LadderMemory& memory_;
  Node* root_ = nullptr;
  int top_step_ = 0;  // of the root; a leaf's is 0
};

}  // namespace warpbook::engine
