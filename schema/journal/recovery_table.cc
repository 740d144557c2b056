#include "schema/journal/recovery_table.h"

#include <cstddef>

#include "schema/base/check.h"

namespace warpbook::journal {
namespace {

template <typename T>
constexpr bool Fits(const std::optional<T>& wanted, T is) {
  return !wanted || *wanted == is;
}

// The index of the row that decides; beyond the table where none fits.
constexpr size_t Find(const StopFacts& facts) {
  for (size_t i = 0; i < kStopTable.size(); ++i) {
    const StopRow& row = kStopTable[i];
    if (Fits(row.spot, facts.spot) && Fits(row.later_batch, facts.later_batch) &&
        Fits(row.successor, facts.successor) && Fits(row.known_durable, facts.known_durable)) {
      return i;
    }
  }
  return kStopTable.size();
}

constexpr bool IsComplete() {
  for (const Spot spot : {Spot::kNothing, Spot::kDamaged, Spot::kStranger}) {
    for (const Successor successor :
         {Successor::kNone, Successor::kContinues, Successor::kBroken}) {
      for (const bool later_batch : {false, true}) {
        for (const bool known_durable : {false, true}) {
          if (Find({spot, later_batch, successor, known_durable}) == kStopTable.size())
            return false;
        }
      }
    }
  }
  return true;
}
static_assert(IsComplete());

}  // namespace

const StopRow& Decide(const StopFacts& facts) {
  const size_t row = Find(facts);
  WARPBOOK_CHECK(row < kStopTable.size());
  return kStopTable[row];
}

}  // namespace warpbook::journal
