// What the checks of PlaceOrder and AmendOrder share: rows in the declared order, and the questions
// that both ask. For place_order.cc and amend_order.cc alone.
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "engine/core/balances.h"
#include "engine/core/order_checks.h"

namespace warpbook::engine {

template <typename Check>
struct CheckRow {
  RejectReason reason;
  bool (*fails)(Check&);
};

// Whether the rows are those declared, in that order.
template <typename Check>
constexpr bool Follow(std::span<const CheckRow<Check>> rows,
                      std::span<const RejectReason> precedence) {
  return std::ranges::equal(rows, precedence, {}, &CheckRow<Check>::reason);
}

// Whether a check fails; only then is there a detail to tell.
template <typename Check>
bool FailsWith(Check& check, bool fails, int64_t detail) {
  if (fails) [[unlikely]]
    check.detail = detail;
  return fails;
}

// The reason of the first row that fails. The rows are known when this is compiled, so that each
// check can be part of one function.
template <const auto& rows, size_t... i, typename Check>
Refusal RunRows(Check& check, std::index_sequence<i...>) {
  Refusal refusal;
  const auto fails = [&check, &refusal](const CheckRow<Check>& row, auto row_fails) {
    if (!row_fails(check)) [[likely]]
      return false;
    refusal = {row.reason, check.detail};
    return true;
  };
  static_cast<void>((fails(rows[i], [](Check& c) { return rows[i].fails(c); }) || ...));
  return refusal;
}
template <const auto& rows, typename Check>
Refusal Run(Check& check) {
  return RunRows<rows>(check, std::make_index_sequence<std::size(rows)>());
}

// For a price that is not on the grid: whether that is because of the tick.
template <typename Check>
bool OffTick(Check& check, const Instrument& instrument) {
  const int64_t tick = instrument.grid().tick().value();
  return FailsWith(check, check.price.value() % tick != 0, tick);
}

// What an ask counts at its acceptance: at its limit or at the best bid, whichever is more, since
// that is what it may trade at.
inline Credits AcceptanceExposure(const Instrument& instrument, Price price, Quantity gpus,
                                  Minutes minutes) {
  const PriceLadder& bids = instrument.book.ladder(Side::kBuy);
  const Price counted =
      bids.Best() == nullptr ? price : std::max(price, bids.PriceOf(*bids.Best()));
  return OrderValue(counted, gpus, minutes);
}

inline NodeUse UseOf(const Node& node, const Instrument& instrument) {
  const NodeUse* use = node.windows.Find(instrument.id);
  return use == nullptr ? NodeUse() : *use;
}

// Whether so many orders could come near 31 bits together: no need to look for the level if not.
inline bool MayOverflow(size_t orders) {
  return orders >= static_cast<size_t>(std::numeric_limits<int32_t>::max() / kMaxQuantity.value());
}
// Whether a level's total would leave 31 bits.
inline bool LevelOverflows(Quantity resting, Quantity added) {
  return int64_t{resting.value()} + added.value() > std::numeric_limits<int32_t>::max();
}

inline bool LeasesOverflow(const State& state, const MatchPlan& plan) {
  return state.leases.size() + plan.fills > state.limits.leases_max;
}

}  // namespace warpbook::engine
