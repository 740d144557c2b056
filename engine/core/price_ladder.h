// PriceLadder: one side of a book, its levels from the best price to the worst. Each level keeps
// three FIFO queues, one per tier (bids) or assurance (asks); the level's orders in matching order
// are queue 0, 1, 2, each from its head. 1-market, Matching rule.
//
// Levels are known by their rank: the ticks from the best price that the band allows, so that lower
// is better on both sides. Which ranks have a level is a tree of bitmaps, 64 ways at each step: the
// lowest node has a bit for each of 4,096 ranks in 520 bytes, so that the next worse level is a
// matter of a few words that stay in the nearest cache, also where prices jump about. A level
// itself is found in one table for all ladders of an engine (IdIndex), as a pointer for each tick
// would cost eight bytes for each price that was ever named. The best level is remembered. A far
// price costs its own path only; paths stay until the book closes (0.13 bytes for each tick of the
// band at most).
//
// A level whose last order has left stays until Erase, as more may happen to it within the same
// command. Invariant: a level's gpus and orders are the sums over its queues.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "engine/core/block_pool.h"
#include "engine/core/id_index.h"
#include "engine/core/order.h"
#include "engine/core/price_grid.h"

namespace warpbook::engine {

using LevelId = StrongId<struct LevelIdTag, uint64_t>;  // the ladder's number and the rank

struct alignas(64) PriceLevel {
  struct Queue {
    Order* head = nullptr;
    Order* tail = nullptr;
  };
  LevelId id;
  Quantity gpus;
  uint32_t orders_and_touched = 0;  // one word, always used whole: no bit field, whose narrow
                                    // stores would make the next reader wait
  std::array<Queue, kTierCount> queues;

  static constexpr uint32_t kTouched = uint32_t{1} << 31;
  uint32_t rank() const { return static_cast<uint32_t>(id.value()); }
  uint32_t orders() const { return orders_and_touched & ~kTouched; }
  // Noted in BookChanges.
  bool touched() const { return orders_and_touched >= kTouched; }
};
static_assert(sizeof(PriceLevel) == 64);

// The memory of all ladders of an engine. Levels without orders are as good as new, so that what is
// released can be used again as it is.
struct LadderMemory {
  // A step of the tree of bitmaps.
  struct Node {
    static constexpr int kBits = 6;
    uint64_t used = 0;  // bit i: words[i] is not 0, or something lies below children[i]
    union {
      std::array<uint64_t, 1 << kBits> words = {};  // of the lowest: bit i: there is such a level
      std::array<Node*, 1 << kBits> children;       // of the others; null: never used
    };
  };
  BlockPool<PriceLevel> levels;
  BlockPool<Node> nodes;
  IdIndex<PriceLevel> index;
  uint64_t ladders = 0;  // made so far
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
  Price PriceOf(const PriceLevel& level) const { return grid_.At(RankAt(level.rank())); }

  const PriceLevel* Best() const { return best_; }
  // Null where there is no such level, or where the price is not on the grid.
  const PriceLevel* Find(Price price) const {
    const uint32_t ticks = grid_.Find(price);
    return ticks == PriceGrid::kNone ? nullptr : memory_.index.Find(IdOf(RankAt(ticks)));
  }
  // The next worse level after this one; null behind the last.
  const PriceLevel* Next(const PriceLevel& level) const { return NextAfter(level.rank()); }

  // Begins to fetch what FindOrAdd will look at.
  void Prefetch(uint32_t ticks) const { memory_.index.Prefetch(IdOf(RankAt(ticks))); }
  // What may be found there: for hints.
  const PriceLevel* Guess(uint32_t ticks) const { return memory_.index.Guess(IdOf(RankAt(ticks))); }
  PriceLevel& FindOrAdd(Price price) {
    const uint32_t rank = RankOf(price);
    PriceLevel* level = memory_.index.Find(IdOf(rank));
    return level != nullptr ? *level : AddLevel(rank);
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
    ++level.orders_and_touched;
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
    --level.orders_and_touched;
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
  static constexpr uint32_t kSlots = 1 << kBits;

  LevelId IdOf(uint32_t rank) const { return LevelId(id_base_ | rank); }
  // Step 0 is the bit in its word, step 1 the word in the lowest node.
  static uint32_t SlotOf(uint32_t rank, int step) { return rank >> (step * kBits) & (kSlots - 1); }
  PriceLevel& AddLevel(uint32_t rank);
  PriceLevel* NextAfter(uint32_t rank) const;
  void SetBit(uint32_t rank);
  void ClearBit(uint32_t rank);
  void FreeBelow(Node* node, int step);

  PriceLevel* best_ = nullptr;
  const Side side_;
  const PriceGrid grid_;
  const uint64_t id_base_;
  size_t order_count_ = 0;
  size_t level_count_ = 0;
  LadderMemory& memory_;
  Node* root_ = nullptr;
  int top_step_ = 1;  // of the root
};

}  // namespace warpbook::engine
