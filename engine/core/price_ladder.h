// PriceLadder: one side of a book, its levels from the best price to the worst. Each level keeps
// three FIFO queues, one per tier (bids) or assurance (asks); the level's orders in matching order
// are queue 0, 1, 2, each from its head. 1-market, Matching rule.
//
// Levels are found through a tree over the ticks of the instrument's band, 64 ways at each step,
// with a bitmap in each node: a level costs its own path, however far it is from the others, and
// the next worse one is a matter of a few words. The best is remembered.
//
// A level whose last order has left stays until EraseIfEmpty, as more may happen to it within the
// same command. Invariant: a level's gpus and orders are the sums over its queues.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/block_pool.h"
#include "engine/core/order.h"

namespace warpbook::engine {

struct alignas(64) PriceLevel {
  struct Queue {
    Order* head = nullptr;
    Order* tail = nullptr;
  };
  Price price;
  Quantity gpus;
  uint32_t orders : 31 = 0;
  uint32_t touched : 1 = 0;  // the book has noted this level's totals since the last TakeChanges
  std::array<Queue, kTierCount> queues;
};
static_assert(sizeof(PriceLevel) == 64);

// The memory of all ladders of an engine.
struct LadderMemory {
  struct Node {
    static constexpr int kBits = 6;
    uint64_t used = 0;  // bit i: children[i] is not null
    // Of the lowest step: levels. Of the others: nodes.
    std::array<void*, 1 << kBits> children = {};
  };
  BlockPool<PriceLevel> levels;
  BlockPool<Node> nodes;
};

class PriceLadder {
 public:
  // Prices are multiples of the tick within the band. The memory must outlive the ladder.
  PriceLadder(Side side, Price tick, Price band_low, Price band_high, LadderMemory& memory);
  ~PriceLadder();  // gives its memory back
  PriceLadder(const PriceLadder&) = delete;
  PriceLadder& operator=(const PriceLadder&) = delete;

  size_t level_count() const { return level_count_; }
  const PriceLevel* Best() const { return best_; }
  // Null where there is none, or where the price is none of the band's.
  const PriceLevel* Find(Price price) const;
  // The next worse level after this one; null behind the last.
  const PriceLevel* Next(const PriceLevel& level) const { return NextAfter(Index(level.price)); }
  // Whether an opposite order with this limit reaches the level's price.
  bool Reaches(Price limit, Price level_price) const {
    return side_ == Side::kSell ? level_price <= limit : level_price >= limit;
  }

  PriceLevel& FindOrAdd(Price price);
  void EraseIfEmpty(PriceLevel& level);
  // Joins the end of its queue at the level of its price.
  void Append(PriceLevel& level, Order* order);
  // Leaves its level, which may then be empty.
  void Remove(Order* order);
  // Takes `gpus` off a resting order, which keeps its place.
  void Reduce(Order* order, Quantity gpus);

 private:
  using Node = LadderMemory::Node;
  static constexpr int kBits = Node::kBits;
  static constexpr uint64_t kChildren = uint64_t{1} << kBits;

  // The price's place in the band, in ticks from the best one that could be.
  uint64_t Index(Price price) const {
    const int64_t from_best = side_ == Side::kSell ? price.value() - best_possible_.value()
                                                   : best_possible_.value() - price.value();
    return static_cast<uint64_t>(from_best) / static_cast<uint64_t>(tick_.value());
  }
  static uint64_t ChildOf(uint64_t index, int step) {
    return index >> (step * kBits) & (kChildren - 1);
  }
  PriceLevel* NextAfter(uint64_t index) const;
  PriceLevel* First(Node* node, int step) const;
  // Frees the nodes below; the node itself is the caller's.
  void FreeBelow(Node* node, int step);

  const Side side_;
  const Price tick_;
  const Price best_possible_;
  const uint64_t index_end_;  // one behind the worst price's
  LadderMemory& memory_;
  int top_step_ = 0;  // of the root; step 0 holds levels
  Node* root_ = nullptr;
  PriceLevel* best_ = nullptr;
  size_t level_count_ = 0;
};

}  // namespace warpbook::engine
