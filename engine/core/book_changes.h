// BookChanges: the levels that a command has touched, in any book, and how they were before, so that
// each level whose totals really differ is told once when the command ends. Empty between commands.
#pragma once

#include <vector>

#include "engine/core/instruments.h"

namespace warpbook::engine {

// A level whose totals differ from what they were. gpus 0, orders 0: it is gone.
struct LevelChange {
  InstrumentId instrument;
  Side side = Side::kBuy;
  Price price;
  Quantity gpus;
  uint32_t orders = 0;
  bool top_of_book = false;  // it is, or was, its side's best level
};

class BookChanges {
 public:
  bool empty() const { return touched_.empty(); }

  // To be called before the level changes.
  void Note(Instrument& instrument, Side side, PriceLevel& level) {
    if (level.touched) return;
    level.touched = true;
    // A level that has just been added was not the best before, whatever it is now.
    const bool was_best = instrument.book.ladder(side).Best() == &level && level.orders != 0;
    touched_.push_back({&instrument, &level, level.gpus, level.orders, side, was_best});
  }

  // Calls `emit` with each change by instrument, bids then asks, each from the best price to the
  // worst. Levels left empty are gone then.
  template <typename Emit>
  void Take(Emit&& emit) {
    if (touched_.size() > 1) return TakeSeveral(emit);
    if (touched_.empty()) return;
    const Touched touched = touched_.back();
    touched_.pop_back();
    TellIfChanged(touched, Settle(touched), emit);
  }

 private:
  // A level as it was before its first change.
  struct Touched {
    Instrument* instrument = nullptr;
    PriceLevel* level = nullptr;
    Quantity gpus;
    uint32_t orders = 0;
    Side side = Side::kBuy;
    bool was_best = false;
  };

  // The level's totals as they are now; a level without orders is erased.
  static LevelChange Settle(const Touched& touched) {
    PriceLadder& ladder = touched.instrument->book.ladder(touched.side);
    PriceLevel& level = *touched.level;
    level.touched = false;
    LevelChange change{touched.instrument->id, touched.side, ladder.PriceOf(level), level.gpus,
                       level.orders,           false};
    change.top_of_book = touched.was_best || (level.orders != 0 && ladder.Best() == &level);
    if (level.orders == 0) ladder.Erase(level);
    return change;
  }
  template <typename Emit>
  static void TellIfChanged(const Touched& touched, const LevelChange& change, Emit& emit) {
    if (change.gpus != touched.gpus || change.orders != touched.orders) emit(change);
  }
  template <typename Emit>
  void TakeSeveral(Emit& emit) {
    // From the best on: when a level is looked at, whatever was better and is gone has been erased.
    Sort();
    for (const Touched& touched : touched_) TellIfChanged(touched, Settle(touched), emit);
    touched_.clear();
  }
  void Sort();

  std::vector<Touched> touched_;
};

}  // namespace warpbook::engine
