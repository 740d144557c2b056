#include "engine/core/matching_rules.h"

#include <algorithm>

namespace warpbook::engine {
namespace {

// Visits the opposite orders within the incoming one's limit in matching order, until `visit` says
// no. Queues of asks below a bid's minimum assurance are left out.
template <typename Visit>
void ForEachReached(const OrderBook& book, const IncomingOrder& incoming, Visit visit) {
  const PriceLadder& ladder = book.ladder(Opposite(incoming.side));
  const size_t queues =
      incoming.side == Side::kBuy ? static_cast<size_t>(incoming.min_assurance) + 1 : kTierCount;
  const uint32_t last = ladder.RankOf(incoming.price);
  for (const PriceLevel* level = ladder.Best(); level != nullptr && level->rank() <= last;
       level = ladder.Next(*level)) {
    for (size_t queue = 0; queue < queues; ++queue) {
      for (Order* order = level->queues[queue].head; order != nullptr; order = order->queue_next) {
        if (!visit(order)) return;
      }
    }
  }
}

bool AssuranceSuffices(const IncomingOrder& incoming, const Order& resting) {
  return incoming.side == Side::kBuy ? resting.assurance <= incoming.min_assurance
                                     : incoming.assurance <= resting.min_assurance;
}

// Plans what happens between an order and a resting one of its own owner, under the incoming
// order's mode. Returns whether the walk goes on.
bool PlanSelfTrade(const IncomingOrder& incoming, Order* resting, MatchPlan& plan) {
  switch (incoming.self_trade_prevention) {
    case SelfTradePrevention::kCancelNewest:
      plan.cancel_remainder = CancelReason::kSelfTrade;
      return false;
    case SelfTradePrevention::kCancelOldest:
      plan.steps.push_back({MatchAction::kCancelResting, resting, resting->remaining});
      return true;
    case SelfTradePrevention::kCancelBoth:
      plan.steps.push_back({MatchAction::kCancelResting, resting, resting->remaining});
      plan.cancel_remainder = CancelReason::kSelfTrade;
      return false;
    case SelfTradePrevention::kDecrement:
      break;
  }
  const Quantity gpus = std::min(plan.remaining, resting->remaining);
  plan.steps.push_back({MatchAction::kDecrement, resting, gpus});
  plan.remaining -= gpus;
  return true;
}

}  // namespace

bool CouldTrade(const IncomingOrder& incoming, const Order& resting) {
  const bool reaches = incoming.side == Side::kBuy ? resting.price <= incoming.price
                                                   : resting.price >= incoming.price;
  const Quantity fill = std::min(incoming.remaining, resting.remaining);
  return reaches && AssuranceSuffices(incoming, resting) && fill >= incoming.min_fill &&
         fill >= resting.min_fill;
}

bool AnyCouldTrade(const OrderBook& book, const IncomingOrder& incoming) {
  bool any = false;
  ForEachReached(book, incoming, [&](Order* resting) {
    any = CouldTrade(incoming, *resting);
    return !any;
  });
  return any;
}

void PlanMatch(const OrderBook& book, const IncomingOrder& incoming, MatchPlan& plan) {
  plan.Clear();
  plan.remaining = incoming.remaining;
  IncomingOrder order = incoming;
  ForEachReached(book, incoming, [&](Order* resting) {
    order.remaining = plan.remaining;
    if (!CouldTrade(order, *resting)) return true;
    if (resting->owner == order.owner) {
      if (order.fill_or_kill && order.self_trade_prevention != SelfTradePrevention::kCancelOldest) {
        plan.meets_own_order = true;
        return true;
      }
      if (!PlanSelfTrade(order, resting, plan)) return false;
    } else {
      const Quantity gpus = std::min(plan.remaining, resting->remaining);
      plan.steps.push_back({MatchAction::kFill, resting, gpus});
      plan.remaining -= gpus;
      ++plan.fills;
    }
    if (plan.remaining == Quantity(0)) return false;
    if (plan.remaining < order.min_fill) {
      plan.cancel_remainder = CancelReason::kBelowMinFill;
      return false;
    }
    return true;
  });
}

}  // namespace warpbook::engine
