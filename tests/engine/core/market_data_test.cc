// L1, L2 and L3 can be derived from the events alone: books kept from nothing else
// (derived_books.h) are those of the engine after every command.
#include <doctest/doctest.h>

#include <algorithm>
#include <span>
#include <vector>

#include "engine/core/inspect.h"
#include "schema/types/enums.h"
#include "tests/engine/core/derived_books.h"
#include "tests/engine/core/differential.h"
#include "tests/engine/core/random_market.h"
#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

constexpr uint64_t kSeeds = 40;
constexpr size_t kCommands = 2'500;

bool Same(const InspectedOrder& held, const DerivedBooks::Order& derived) {
  return held.id.value() == derived.id && held.account.value() == derived.account &&
         held.price.value() == derived.price && held.gpus.value() == derived.gpus &&
         held.remaining.value() == derived.remaining &&
         held.lock_minutes.value() == derived.lock_minutes && held.queue == derived.queue;
}

// The levels of orders in matching order, from the best price.
std::vector<DerivedBooks::Level> Aggregate(const std::vector<InspectedOrder>& orders) {
  std::vector<DerivedBooks::Level> levels;
  for (const InspectedOrder& order : orders) {
    if (levels.empty() || levels.back().price != order.price.value()) {
      levels.push_back({order.price.value(), 0, 0});
    }
    levels.back().gpus += order.remaining.value();
    ++levels.back().orders;
  }
  return levels;
}

// What the run came by, so that it cannot prove nothing.
struct Seen {
  uint64_t orders = 0, levels = 0, deep = 0, flagged = 0, unflagged = 0;
};

// Whether L3, L2 and L1 of one side are the engine's.
bool SideAgrees(const Inspector& inspector, const DerivedBooks& derived, uint32_t instrument,
                Side side, Seen& seen) {
  const auto word = static_cast<uint8_t>(side);
  const std::vector<InspectedOrder> held = inspector.Queue(InstrumentId(instrument), side);
  const std::vector<DerivedBooks::Level> levels = Aggregate(held);
  const auto best = derived.Best(instrument, word);
  seen.orders += held.size();
  seen.levels += levels.size();
  if (levels.size() > 2 && held.size() > levels.size()) ++seen.deep;
  const bool same_best = levels.empty() ? !best : best == levels.front();
  return std::ranges::equal(held, derived.Orders(instrument, word), Same) &&
         derived.Levels(instrument, word) == levels && same_best;
}

void CountFlags(std::span<const std::byte> events, Seen& seen) {
  for (const wire::RecordView event : wire::Records(events)) {
    if (event.type() != wire::RecordType::kBookLevelChanged) continue;
    ++(event.as<wire::BookLevelChanged>().top_of_book() != 0 ? seen.flagged : seen.unflagged);
  }
}

TEST_CASE(
    "L3, L2 and L1 derived from the events alone are the engine's books, and so is the flag") {
  Seen seen;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomMarket market(seed);
    Differential differential(market.limits());
    DerivedBooks derived;
    for (size_t i = 0; i < kCommands; ++i) {
      const wire::CommandRecord command = market.Next(differential.reference());
      CAPTURE(seed);
      CAPTURE(i);
      CAPTURE(FormatRecord(command.view()));
      REQUIRE(!differential.Apply(command));
      derived.Apply(differential.events());
      CountFlags(differential.events(), seen);
      REQUIRE_MESSAGE(derived.faults().empty(), derived.faults()
                                                    << FormatRecords(differential.events()));
      const Inspector inspector(differential.engine());
      for (const reference::Instrument& instrument : differential.reference().instruments()) {
        CAPTURE(instrument.id);
        REQUIRE(derived.instruments().contains(instrument.id));
        for (const Side side : {Side::kBuy, Side::kSell}) {
          const bool agrees = SideAgrees(inspector, derived, instrument.id, side, seen);
          REQUIRE_MESSAGE(agrees, Name(side) << "\n" << FormatRecords(differential.events()));
        }
      }
      REQUIRE(derived.instruments().size() == differential.reference().instruments().size());
    }
  }
  CHECK(seen.orders > 100'000);
  CHECK(seen.deep > 10'000);  // several levels, some with several orders
  CHECK(seen.flagged > 10'000);
  CHECK(seen.unflagged > 5'000);
}

}  // namespace
}  // namespace warpbook::engine
