// BookChanges: the levels that a command has touched, in any book, and how they were before, so
// that each level whose totals really differ is told once when the command ends. Empty between
// commands.
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
  [[gnu::always_inline]] void Note(Instrument& instrument, Side side, PriceLevel& level) {
    if (level.touched()) return;
    // A level that has just been added was not the best before, whatever it is now.
    const bool was_best = instrument.book.ladder(side).Best() == &level && level.orders() != 0;
    // In its place at once: a copy would wait for the narrow stores that made it.
    touched_.emplace_back(instrument, level, side, was_best);
    level.orders_and_touched |= PriceLevel::kTouched;
  }

  // Calls `emit` with each change by instrument, bids then asks, each from the best price to the
  // worst. Levels left empty are gone then.
  template <typename Emit>
  void Take(Emit&& emit) {
    if (touched_.size() > 1) return TakeSeveral(emit);
    if (touched_.empty()) return;
    Tell(touched_.front(), emit);
    touched_.clear();
  }

 private:
  // A level as it was before its first change.
  struct Touched {
    Touched(Instrument& the_instrument, PriceLevel& the_level, Side the_side, bool best)
        : instrument(&the_instrument),
          level(&the_level),
          gpus(the_level.gpus),
          orders(the_level.orders()),
          side(the_side),
          was_best(best) {}
    Instrument* instrument;
    PriceLevel* level;
    Quantity gpus;
    uint32_t orders;
    Side side;
    bool was_best;
  };

  // Tells what the level is now, if that differs; a level without orders is erased.
  template <typename Emit>
  static void Tell(const Touched& touched, Emit& emit) {
    PriceLadder& ladder = touched.instrument->book.ladder(touched.side);
    PriceLevel& level = *touched.level;
    level.orders_and_touched &= ~PriceLevel::kTouched;
    const bool is_best = level.orders() != 0 && ladder.Best() == &level;
    if (level.gpus != touched.gpus || level.orders() != touched.orders) {
      emit(LevelChange{touched.instrument->id, touched.side, ladder.PriceOf(level), level.gpus,
                       level.orders(), touched.was_best || is_best});
    }
    if (level.orders() == 0) ladder.Erase(level);
  }
  template <typename Emit>
  void TakeSeveral(Emit& emit) {
    // From the best on: when a level is looked at, whatever was better and is gone has been erased.
    Sort();
    for (const Touched& touched : touched_) Tell(touched, emit);
    touched_.clear();
  }
  void Sort();

  std::vector<Touched> touched_;
};

}  // namespace warpbook::engine
