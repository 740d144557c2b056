// The matching rule: price, then tier, then time (1-market, Matching rule and Orders). A walk only
// reads the book and answers with a plan, so that every refusal that depends on it (fill-or-kill,
// post-only, room for leases) is made before the first effect; order_effects.h carries plans out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/core/order_book.h"

namespace warpbook::engine {

constexpr Side Opposite(Side side) { return side == Side::kBuy ? Side::kSell : Side::kBuy; }

// What the walk needs to know of an order that may trade now.
struct IncomingOrder {
  OwnerId owner;
  Side side = Side::kBuy;
  Price price;
  Quantity remaining;
  Quantity min_fill;
  Assurance assurance = Assurance::kAttested;    // an ask's
  Assurance min_assurance = Assurance::kListed;  // a bid's
  SelfTradePrevention self_trade_prevention = SelfTradePrevention::kCancelNewest;
  bool fill_or_kill = false;
};

enum class MatchAction : uint8_t {
  kFill,           // trade `gpus` at the resting order's price
  kCancelResting,  // self-trade prevention takes the resting order
  kDecrement,      // self-trade prevention takes `gpus` off both
};

struct MatchStep {
  MatchAction action = MatchAction::kFill;
  Order* resting = nullptr;
  Quantity gpus;
};

// What an incoming order does, in order. A resting order occurs at most once.
struct MatchPlan {
  std::vector<MatchStep> steps;
  uint32_t fills = 0;
  // What is left of the incoming order after the steps.
  Quantity remaining;
  // Why the walk itself cancels what is left (kSelfTrade or kBelowMinFill).
  std::optional<CancelReason> cancel_remainder;
  // A fill-or-kill order met an order of its owner that does not let it pass.
  bool meets_own_order = false;

  // A plan that does nothing; `remaining` is then that of the order.
  void Clear() {
    steps.clear();
    fills = 0;
    cancel_remainder.reset();
    meets_own_order = false;
  }
};

// Whether the two could trade by price, assurance and both minimum fills, whoever owns them.
bool CouldTrade(const IncomingOrder& incoming, const Order& resting);

// Whether a limit, as ticks of the grid, reaches the other side's best price: only then may
// anything trade.
inline bool ReachesBest(const OrderBook& book, Side side, uint32_t ticks) {
  const PriceLadder& opposite = book.ladder(Opposite(side));
  return opposite.Best() != nullptr && opposite.Best()->rank() <= opposite.RankAt(ticks);
}

// Whether anything that rests could trade with the order, orders of its own owner included.
bool AnyCouldTrade(const OrderBook& book, const IncomingOrder& incoming);

// Plans the walk of an incoming order.
void PlanMatch(const OrderBook& book, const IncomingOrder& incoming, MatchPlan& plan);

}  // namespace warpbook::engine
