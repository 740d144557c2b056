#include "schema/journal/recovery_table.h"

#include "schema/base/check.h"

namespace warpbook::journal {
namespace {

template <typename T>
constexpr bool Fits(const std::optional<T>& wanted, T is) {
  return !wanted || *wanted == is;
}

constexpr const StopRow* Find(const StopFacts& facts) {
  for (const StopRow& row : kStopTable) {
    if (Fits(row.spot, facts.spot) && Fits(row.later_batch, facts.later_batch) &&
        Fits(row.successor, facts.successor) && Fits(row.known_durable, facts.known_durable)) {
      return &row;
    }
  }
  return nullptr;
}

constexpr bool IsComplete() {
  for (const Spot spot : {Spot::kNothing, Spot::kDamaged, Spot::kStranger}) {
    for (const Successor successor :
         {Successor::kNone, Successor::kContinues, Successor::kBroken}) {
      for (const bool later_batch : {false, true}) {
        for (const bool known_durable : {false, true}) {
          if (Find({spot, later_batch, successor, known_durable}) == nullptr) return false;
        }
      }
    }
  }
  return true;
}
static_assert(IsComplete());

}  // namespace

const StopRow& Decide(const StopFacts& facts) {
  const StopRow* row = Find(facts);
  WARPBOOK_CHECK(row != nullptr);
  return *row;
}

}  // namespace warpbook::journal
