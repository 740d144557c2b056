// OrderBook: one instrument's two ladders, and the note of what changed in them since it was last
// asked. It knows nothing of money, accounts or time.
#pragma once

#include <array>
#include <vector>

#include "engine/core/price_ladder.h"

namespace warpbook::engine {

// A level whose totals differ from what they were. gpus 0, orders 0: it is gone.
struct LevelChange {
  Side side = Side::kBuy;
  Price price;
  Quantity gpus;
  int32_t orders = 0;
  bool top_of_book = false;  // it is, or was, its side's best level
};

class OrderBook {
 public:
  OrderBook(Price tick, Price band_low, Price band_high, LadderMemory& memory)
      : bids_(Side::kBuy, tick, band_low, band_high, memory),
        asks_(Side::kSell, tick, band_low, band_high, memory) {}

  const PriceLadder& ladder(Side side) const { return side == Side::kBuy ? bids_ : asks_; }
  size_t order_count(Side side) const { return order_counts_[static_cast<size_t>(side)]; }
  // The GPUs resting at a price.
  Quantity GpusAt(Side side, Price price) const;

  // The order joins the end of the queue of its price, side and tier (or assurance).
  void Append(Order* order);
  void Remove(Order* order);
  // Takes `gpus` off an order, which keeps its place; it may be left with none.
  void Reduce(Order* order, Quantity gpus);

  bool changed() const { return !touched_.empty(); }
  // Calls `emit` for each level whose totals changed since the last call: bids, then asks, each
  // from its best price to its worst. Levels left empty are gone then.
  template <typename Emit>
  void TakeChanges(Emit&& emit) {
    if (touched_.size() > 1) SortTouched();
    for (Touched& touched : touched_) Settle(touched);
    for (const Touched& touched : touched_) {
      if (!touched.changed) continue;
      const PriceLevel* best = ladder(touched.side).Best();
      emit(LevelChange{touched.side, touched.price, touched.gpus, touched.orders,
                       touched.was_best || (best != nullptr && best->price == touched.price)});
    }
    touched_.clear();
  }

 private:
  // A level as it was before its first change; Settle makes it what it is now.
  struct Touched {
    PriceLevel* level = nullptr;
    Price price;
    Quantity gpus;
    int32_t orders = 0;
    Side side = Side::kBuy;
    bool was_best = false;
    bool changed = false;
  };
  PriceLadder& mutable_ladder(Side side) { return side == Side::kBuy ? bids_ : asks_; }
  // Before the first change since TakeChanges: remembers both best levels.
  void BeginChange() {
    if (!changed()) best_before_ = {bids_.Best(), asks_.Best()};
  }
  // Notes a level before its first change since TakeChanges.
  void Touch(Side side, PriceLevel& level) {
    if (level.touched) return;
    level.touched = 1;
    touched_.push_back({&level, level.price, level.gpus, static_cast<int32_t>(level.orders), side,
                        best_before_[static_cast<size_t>(side)] == &level, false});
  }
  void SortTouched();
  void Settle(Touched& touched);

  PriceLadder bids_;
  PriceLadder asks_;
  std::vector<Touched> touched_;
  // The best level of each side when the first of touched_ was noted. It stays until TakeChanges.
  std::array<const PriceLevel*, 2> best_before_ = {};
  std::array<size_t, 2> order_counts_ = {};
};

}  // namespace warpbook::engine
