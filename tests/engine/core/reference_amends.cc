// The reference's amends and cancels.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {

const Order* ReferenceMarket::FindOrder(uint64_t account, uint64_t id,
                                        const Bytes32& client_id) const {
  for (const Order& order : orders_) {
    if (order.account != account) continue;
    if (id != 0 ? order.id == id : client_id[0] != 0 && order.client_id == client_id) {
      return &order;
    }
  }
  return nullptr;
}

// Fills in `after`, the order as it would be, and its walk.
ReferenceMarket::Answer ReferenceMarket::JudgeAmend(const wire::AmendOrder& c, const Order* order,
                                                    Order& after, Walk& walk) const {
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (c.deadline_us() != 0 && now_ > c.deadline_us()) return {RejectReason::kDeadlinePassed};
  if (sender.reason != RejectReason::kNone) return sender;
  if (order == nullptr) return {RejectReason::kUnknownOrder};
  const Instrument& instrument =
      *std::find_if(instruments_.begin(), instruments_.end(),
                    [&](const Instrument& candidate) { return candidate.id == order->instrument; });
  if (instrument.state == InstrumentState::kHalted) return {RejectReason::kInstrumentHalted};
  if (c.gpus() < 0 || c.gpus() > 100'000) return {RejectReason::kInvalidQuantity};
  const int32_t filled = order->total - order->left;
  after = *order;
  if (c.price() != 0) after.price = c.price();
  if (c.gpus() != 0) after.total = std::max(c.gpus(), filled);
  after.left = after.total - filled;
  after.minutes = MinutesNow(instrument);
  if (after.left > 0 && after.left < order->min_fill) return {RejectReason::kInvalidMinFill};
  if (after.price <= 0) return {RejectReason::kPriceNotPositive};
  if (after.price % instrument.tick != 0) return {RejectReason::kPriceOffTick, instrument.tick};
  if (after.price < instrument.low || after.price > instrument.high) {
    return {RejectReason::kPriceOutsideBand};
  }
  const bool moves = after.left > 0 && (after.price != order->price || after.left > order->left);
  if (moves) walk = PlanWalk(after, false);
  if (moves && order->post_only && PlanWalk(after, true).trades > 0) {
    return {RejectReason::kPostOnlyWouldTrade};
  }
  if (order->lease != 0) {
    const int64_t room = LeaseLeft(order->lease);
    if (after.left - order->left > room) return {RejectReason::kInsufficientLeaseGpus, room};
  } else if (order->side == 1) {
    const int64_t room = NodeLeft(order->node, order->instrument);
    if (after.left - order->left > room) {
      return {RejectReason::kInsufficientCapacity, std::max<int64_t>(0, room)};
    }
    const std::vector<Order> bids = Queue(order->instrument, 0);
    const bool may_trade = moves || after.price != order->price;
    const int64_t worst =
        may_trade && !bids.empty() ? std::max(after.price, bids.front().price) : after.price;
    const int128 limit = accounts_[order->account - 1].bonded_limit;
    const int128 others =
        Exposure(order->account) - Value(order->price, order->left, order->minutes);
    if (others + Value(worst, after.left, after.minutes) > limit) {
      return {RejectReason::kBondedLimitExceeded,
              static_cast<int64_t>(std::max<int128>(0, limit - Exposure(order->account)))};
    }
  } else {
    const int64_t old_lock =
        WithSurcharge(Value(order->price, order->left, order->minutes), order->queue);
    const int64_t new_lock =
        WithSurcharge(Value(after.price, after.left, after.minutes), order->queue);
    if (new_lock > Free(order->account) + old_lock) {
      return {RejectReason::kInsufficientCredits, Free(order->account)};
    }
  }
  int64_t level = after.left;
  for (const Order& o : Queue(order->instrument, order->side)) {
    if (o.price == after.price && o.id != order->id) level += o.left;
  }
  if (level > INT32_MAX) return {RejectReason::kAmountOverflow};
  if (leases_.size() + walk.trades > limits_.leases) return {RejectReason::kEngineFull};
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::AmendOrder& c) {
  const Bytes32 client_id = ToBytes(c.client_order_id());
  if (!IsText(client_id) || c.validate_only() > 1) return {RejectReason::kMalformedCommand};
  const Order* order = FindOrder(c.header().account_id(), c.order_id(), client_id);
  Order after;
  Walk walk;
  const Answer answer = JudgeAmend(c, order, after, walk);
  if (answer.reason != RejectReason::kNone) return answer;
  const uint64_t id = order->id;
  if (c.validate_only() == 1) {
    Accept(c.header(), wire::RecordType::kAmendOrder, id);
    return {};
  }
  if (after.left == 0) {
    Cancel(id, CancelReason::kAmendedToFilled, c.header().tag());
    return {};
  }
  const bool kept = after.price == order->price && after.left <= order->left;
  const int64_t free = Free(order->account), locked = Locked(order->account);
  after.resting = kept;
  OrderById(id) = after;
  book_changed_ = true;
  EmitAmended(after, c.header().tag(), kept);
  EmitRelock(after.account, id, free, locked);
  if (!kept) RunWalk(id, walk);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::CancelOrder& c) {
  const Bytes32 client_id = ToBytes(c.client_order_id());
  if (!IsText(client_id)) return {RejectReason::kMalformedCommand};
  if (c.deadline_us() != 0 && now_ > c.deadline_us()) return {RejectReason::kDeadlinePassed};
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  const Order* order = FindOrder(c.header().account_id(), c.order_id(), client_id);
  if (order == nullptr) return {RejectReason::kUnknownOrder};
  Cancel(order->id, CancelReason::kRequested, c.header().tag());
  return {};
}

// requested: a member for itself, or an operator for a member. disconnected, timer: the exchange,
// which is no account, for a member.
ReferenceMarket::Answer ReferenceMarket::Do(const wire::CancelAllOrders& c) {
  const auto reason = static_cast<CancelReason>(c.reason());
  const bool of_session = reason == CancelReason::kDisconnected || reason == CancelReason::kTimer;
  if (reason != CancelReason::kRequested && !of_session) return {RejectReason::kMalformedCommand};
  if (c.side() > 2) return {RejectReason::kMalformedCommand};
  if (c.deadline_us() != 0 && now_ > c.deadline_us()) return {RejectReason::kDeadlinePassed};
  const uint64_t from = c.header().account_id();
  const Account* sender = Find(from);
  if (from != 0 && sender == nullptr) return {RejectReason::kUnknownAccount};
  if (of_session && from != 0) return {RejectReason::kNotPermitted};
  if (!of_session && from == 0) return {RejectReason::kNotPermitted};
  uint64_t whose = c.target_account_id();
  if (sender != nullptr) {
    if (sender->kind == AccountKind::kSettlement) return {RejectReason::kNotPermitted};
    const bool of_another = whose != 0 && whose != from;
    if (sender->kind == AccountKind::kMember && of_another) return {RejectReason::kNotPermitted};
    if (sender->kind == AccountKind::kMember) whose = from;
  }
  if (Find(whose) == nullptr) return {RejectReason::kUnknownAccount};
  if (Find(whose)->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  if (c.instrument_id() > last_instrument_) return {RejectReason::kUnknownInstrument};

  std::vector<uint64_t> ids;
  for (const Order& order : orders_) {
    if (order.account != whose) continue;
    if (c.instrument_id() != 0 && order.instrument != c.instrument_id()) continue;
    if (c.class_id() != 0 && FindInstrument(order.instrument)->class_id != c.class_id()) continue;
    if (c.side() != 2 && order.side != c.side()) continue;
    ids.push_back(order.id);
  }
  Accept(c.header(), wire::RecordType::kCancelAllOrders, ids.size());
  for (const uint64_t id : ids) Cancel(id, reason, 0);
  return {};
}

// The exchange only, for a member whose session ended or whose timer ran out.
ReferenceMarket::Answer ReferenceMarket::Do(const wire::WithdrawOrder& c) {
  const auto reason = static_cast<CancelReason>(c.reason());
  if (reason != CancelReason::kDisconnected && reason != CancelReason::kTimer) {
    return {RejectReason::kMalformedCommand};
  }
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  const Order* order = FindOrder(c.target_account_id(), c.order_id(), Bytes32{});
  if (order == nullptr) return {RejectReason::kUnknownOrder};
  Cancel(order->id, reason, c.header().tag());
  return {};
}

// Nothing comes of it here: the gateway keeps it.
ReferenceMarket::Answer ReferenceMarket::Do(const wire::SetOrderGuard& c) {
  const bool off = c.mode() == 0, of_session = c.mode() == 1 || c.mode() == 2;
  const bool timer = c.mode() == 3;
  if (c.deadline_us() < 0) return {RejectReason::kMalformedCommand};
  if (!off && !of_session && !timer) return {RejectReason::kMalformedCommand};
  if (timer && (c.session() != 0 || c.deadline_us() == 0)) {
    return {RejectReason::kMalformedCommand};
  }
  if (of_session && (c.session() == 0 || c.deadline_us() != 0)) {
    return {RejectReason::kMalformedCommand};
  }
  if (off && c.session() != 0 && c.deadline_us() != 0) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  Accept(c.header(), wire::RecordType::kSetOrderGuard, 0);
  return {};
}

}  // namespace warpbook::reference
