// PriceLadder: one side of a book, its levels from the best price to the worst. Each level keeps
// three FIFO queues, one per tier (bids) or assurance (asks); the level's orders in matching order
// are queue 0, 1, 2, each from its head. 1-market, Matching rule.
// Invariants: a level's gpus and orders are the sums over its queues; no level is empty.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "absl/container/btree_map.h"
#include "engine/core/order.h"

namespace warpbook::engine {

struct PriceLevel {
  struct Queue {
    Order* head = nullptr;
    Order* tail = nullptr;
  };
  Price price;
  std::array<Queue, kTierCount> queues;
  Quantity gpus;
  int32_t orders = 0;
  bool touched = false;  // the book has noted this level's totals since the last TakeChanges
};

class PriceLadder {
 public:
  explicit PriceLadder(Side side) : side_(side) {}

  bool empty() const { return levels_.empty(); }
  size_t level_count() const { return levels_.size(); }
  const PriceLevel* Best() const;
  const PriceLevel* Find(Price price) const;
  // The next worse level after this one; null behind the last.
  const PriceLevel* Next(const PriceLevel& level) const;
  // Whether an opposite order with this limit reaches the level's price.
  bool Reaches(Price limit, Price level_price) const {
    return side_ == Side::kSell ? level_price <= limit : level_price >= limit;
  }

  PriceLevel* FindMutable(Price price);
  PriceLevel& FindOrAdd(Price price);
  // Joins the end of its queue at the level of its price.
  void Append(PriceLevel& level, Order* order);
  // Leaves its level; a level left empty is erased.
  void Remove(Order* order);
  // Takes `gpus` off a resting order, which keeps its place.
  void Reduce(Order* order, Quantity gpus);

 private:
  // Ascending keys run from the best price to the worst.
  int64_t Key(Price price) const { return side_ == Side::kSell ? price.value() : -price.value(); }
  const Side side_;
  absl::btree_map<int64_t, std::unique_ptr<PriceLevel>> levels_;
};

}  // namespace warpbook::engine
