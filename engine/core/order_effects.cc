#include "engine/core/order_effects.h"

#include <algorithm>

#include "engine/core/balances.h"
#include "engine/core/resale.h"

namespace warpbook::engine {
namespace {

template <typename Event>
void CopyClientOrderId(const Context& context, Event& event, const Order& order) {
  if (order.client_order_handle == 0) return;
  context.state.client_order_ids.CopyId(order, event.mutable_client_order_id()->Data());
}

void EmitOrderAccepted(Context& context, const Order& order, uint64_t tag) {
  const auto event = context.events.Private<wire::OrderAccepted>(*order.account);
  event->mutate_tag(tag);
  event->mutate_order_id(order.id.value());
  event->mutate_price(order.price.value());
  event->mutate_expires_us(order.expires.micros());
  if (order.is_resale) {
    event->mutate_backing_id(order.lease->id.value());
  } else if (order.node != nullptr) {
    event->mutate_backing_id(order.node->id.value());
  }
  CopyClientOrderId(context, *event, order);
  SetTail(*event, Halves(order.instrument->id.value(), order.gpus.value()),
          Halves(order.min_fill.value(), order.lock_minutes.value()),
          Bytes(order.side, order.type, order.time_in_force, static_cast<uint8_t>(order.queue()),
                order.min_assurance, order.post_only, order.is_resale));
}

void EmitOrderFilled(Context& context, const Order& order, const Lease& lease, bool is_maker) {
  const auto event = context.events.Private<wire::OrderFilled>(*order.account);
  event->mutate_order_id(order.id.value());
  event->mutate_lease_id(lease.id.value());
  event->mutate_price(lease.price.value());
  event->mutate_notional(lease.notional.value());
  event->mutate_surcharge(order.side == Side::kBuy ? lease.surcharge.value() : 0);
  event->mutate_delivery_start_us(lease.delivery_start.micros());
  event->mutate_delivery_end_us(lease.delivery_end.micros());
  CopyClientOrderId(context, *event, order);
  event->mutate_instrument_id(order.instrument->id.value());
  event->mutate_gpus(lease.gpus.value());
  event->mutate_remaining(order.remaining.value());
  event->mutate_minutes(lease.minutes.value());
  event->mutate_side(static_cast<uint8_t>(order.side));
  event->mutate_is_maker(is_maker ? 1 : 0);
}

void EmitOrderCancelled(Context& context, const Order& order, CancelReason reason, uint64_t tag) {
  const auto event = context.events.Private<wire::OrderCancelled>(*order.account);
  event->mutate_tag(tag);
  event->mutate_order_id(order.id.value());
  CopyClientOrderId(context, *event, order);
  SetTail(*event, Halves(order.instrument->id.value(), order.filled().value()),
          HalfAndBytes(order.remaining.value(), reason, order.side));
}

void EmitTradeExecuted(Context& context, const Order& bid, const Order& ask, const Lease& lease,
                       Side taker_side) {
  const auto event = context.events.Public<wire::TradeExecuted>();
  event->mutate_lease_id(lease.id.value());
  event->mutate_buyer_account_id(bid.account->id.value());
  event->mutate_buyer_owner_id(bid.owner.value());
  event->mutate_provider_account_id(lease.provider->id.value());
  event->mutate_provider_owner_id(lease.provider->owner.value());
  event->mutate_seller_account_id(ask.account->id.value());
  event->mutate_seller_owner_id(ask.owner.value());
  if (ask.is_resale) event->mutate_resold_lease_id(ask.lease->id.value());
  event->mutate_node_id(lease.node->id.value());
  event->mutate_buy_order_id(bid.id.value());
  event->mutate_sell_order_id(ask.id.value());
  event->mutate_price(lease.price.value());
  event->mutate_provider_price(lease.provider_price.value());
  event->mutate_notional(lease.notional.value());
  event->mutate_surcharge(lease.surcharge.value());
  event->mutate_delivery_start_us(lease.delivery_start.micros());
  event->mutate_delivery_end_us(lease.delivery_end.micros());
  event->mutate_instrument_id(lease.instrument.value());
  event->mutate_gpus(lease.gpus.value());
  event->mutate_minutes(lease.minutes.value());
  event->mutate_taker_side(static_cast<uint8_t>(taker_side));
  event->mutate_tier(static_cast<uint8_t>(bid.tier));
  event->mutate_assurance(static_cast<uint8_t>(ask.assurance));
}

// More (or fewer) GPUs of the ask's node are open in the ask's window, or of its lease in asks.
void TakeOpenGpus(const Order& ask, Quantity more) {
  if (ask.is_resale) {
    ask.lease->resale_open += more;
    return;
  }
  NodeUse& use = ask.node->windows.FindOrAdd(ask.instrument->id);
  use.open += more;
  if (use == NodeUse()) ask.node->windows.Erase(ask.instrument->id);
}

// Forgets a live order that has nothing left and no longer rests.
void Finish(Context& context, Order& order) {
  State& state = context.state;
  Account& account = *order.account;
  (order.account_previous == nullptr ? account.first_order : order.account_previous->account_next) =
      order.account_next;
  (order.account_next == nullptr ? account.last_order : order.account_next->account_previous) =
      order.account_previous;
  --account.order_count;
  const InstrumentId instrument = order.instrument->id;
  if (--*account.orders_in_book.Find(instrument) == 0) account.orders_in_book.Erase(instrument);
  if (order.expires < order.instrument->gate) state.expiries.erase({order.expires, order.id});
  if (order.client_order_handle != 0) state.client_order_ids.Finish(order, context.now);
  state.orders.Erase(order.id);
  --state.orders_by_side[static_cast<size_t>(order.side)];
  state.order_memory.Release(&order);
}

Lease& MakeLease(Context& context, const Order& bid, const Order& ask, Price price, Quantity gpus) {
  State& state = context.state;
  Instrument& instrument = *bid.instrument;
  Lease& lease = state.leases.Add(LeaseId(++state.last_lease_id));
  lease.instrument = instrument.id;
  lease.buyer = bid.account;
  lease.provider = ask.account;
  lease.node = ask.node;
  lease.price = price;
  lease.provider_price = price;
  lease.gpus = gpus;
  lease.minutes = instrument.MinutesAt(context.now);
  lease.notional = OrderValue(price, gpus, lease.minutes);
  lease.surcharge = BidLock(price, gpus, lease.minutes, bid.tier) - lease.notional;
  lease.delivery_start = instrument.DeliveryStart(context.now);
  lease.delivery_end = instrument.window_end;
  lease.assurance = ask.assurance;
  instrument.leases.push_back(lease.id);
  return lease;
}

// Trades `gpus` between an order and a resting one, at the resting order's price.
void Fill(Context& context, Order& taker, Order& maker, Quantity gpus) {
  Order& bid = taker.side == Side::kBuy ? taker : maker;
  Order& ask = taker.side == Side::kBuy ? maker : taker;
  Claim bid_before = ClaimOf(bid);
  const Claim ask_before = ClaimOf(ask);
  Lease& lease = ask.is_resale ? MakeResoldLease(context, bid, ask, maker.price, gpus)
                               : MakeLease(context, bid, ask, maker.price, gpus);
  TakeGpus(context, taker, gpus);
  TakeGpus(context, maker, gpus);
  UpdateClaim(context, ask, ask_before);
  if (!ask.is_resale) {
    ask.account->exposure += lease.notional;
    ask.node->windows.FindOrAdd(ask.instrument->id).sold += gpus;
  }

  EmitTradeExecuted(context, bid, ask, lease, taker.side);
  EmitOrderFilled(context, bid, lease, &bid == &maker);
  EmitOrderFilled(context, ask, lease, &ask == &maker);
  const Credits cost = lease.notional + lease.surcharge;
  MoveCredits(context, *bid.account, CreditBucket::kLocked, CreditBucket::kEscrow, cost, lease.id,
              bid.id);
  bid_before.credits -= cost;
  UpdateClaim(context, bid, bid_before);
  if (ask.is_resale) TakeFromResold(context, *ask.lease, lease);

  if (maker.remaining == Quantity(0)) {
    LeaveBook(context, maker);
    Finish(context, maker);
  } else if (maker.remaining < maker.min_fill) {
    CancelOrder(context, maker, CancelReason::kBelowMinFill, 0);
  }
}

// Self-trade prevention takes `gpus` off a live order without a trade. Returns whether it lives on.
bool Decrement(Context& context, Order& order, Quantity gpus) {
  const Quantity left = order.remaining - gpus;
  if (left == Quantity(0) || left < order.min_fill) {
    CancelOrder(context, order,
                left == Quantity(0) ? CancelReason::kSelfTrade : CancelReason::kBelowMinFill, 0);
    return false;
  }
  const Claim before = ClaimOf(order);
  TakeGpus(context, order, gpus);
  order.gpus -= gpus;
  EmitOrderAmended(context, order, 0, /*kept_priority=*/true);
  UpdateClaim(context, order, before);
  return true;
}

}  // namespace

Claim ClaimOf(const Order& order) {
  if (order.side == Side::kBuy) return {BidLock(order), Quantity(0)};
  return {AskExposure(order), order.remaining};
}

void UpdateClaim(Context& context, Order& order, Claim before) {
  const Claim after = ClaimOf(order);
  if (order.side == Side::kSell) {
    order.account->exposure += after.credits - before.credits;
    TakeOpenGpus(order, after.gpus - before.gpus);
    return;
  }
  if (after.credits > before.credits) {
    LockCredits(context, *order.account, after.credits - before.credits, order.id);
  } else {
    ReleaseCredits(context, *order.account, before.credits - after.credits, order.id);
  }
}

void EnterBook(Context& context, Order& order) {
  Instrument& instrument = *order.instrument;
  PriceLadder& ladder = instrument.book.ladder(order.side);
  PriceLevel& level = ladder.FindOrAdd(order.price);
  context.state.book_changes.Note(instrument, order.side, level);
  ladder.Append(level, order);
}

void LeaveBook(Context& context, Order& order) {
  Instrument& instrument = *order.instrument;
  context.state.book_changes.Note(instrument, order.side, *order.level);
  instrument.book.ladder(order.side).Remove(order);
}

void TakeGpus(Context& context, Order& order, Quantity gpus) {
  if (order.level != nullptr) {
    Instrument& instrument = *order.instrument;
    context.state.book_changes.Note(instrument, order.side, *order.level);
    instrument.book.ladder(order.side).Reduce(order, gpus);
  } else {
    order.remaining -= gpus;
  }
}

void AcceptOrder(Context& context, Order& order, Credits claim, uint64_t tag) {
  State& state = context.state;
  Account& account = *order.account;
  state.orders.Insert(&order);
  ++state.orders_by_side[static_cast<size_t>(order.side)];
  // A line holds eight that follow one another: the next one is wanted soon.
  state.orders.Prefetch(OrderId(order.id.value() + 8));
  order.account_previous = account.last_order;
  order.account_next = nullptr;
  (account.last_order == nullptr ? account.first_order : account.last_order->account_next) = &order;
  account.last_order = &order;
  ++account.order_count;
  ++account.orders_in_book.FindOrAdd(order.instrument->id);
  if (order.expires < order.instrument->gate) {
    state.expiries.insert({order.expires, order.id});
    state.next_due = std::min(state.next_due, order.expires);
  }
  EmitOrderAccepted(context, order, tag);
  if (order.side == Side::kBuy) {
    LockCredits(context, account, claim, order.id);
  } else {
    account.exposure += claim;
    TakeOpenGpus(order, order.remaining);
  }
}

void ExecutePlan(Context& context, Order& order, const MatchPlan& plan) {
  if (plan.steps.empty() && !plan.cancel_remainder && MayRest(order.time_in_force)) [[likely]] {
    return EnterBook(context, order);
  }
  bool live = true;
  for (const MatchStep& step : plan.steps) {
    switch (step.action) {
      case MatchAction::kFill:
        Fill(context, order, *step.resting, step.gpus);
        break;
      case MatchAction::kCancelResting:
        CancelOrder(context, *step.resting, CancelReason::kSelfTrade, 0);
        break;
      case MatchAction::kDecrement:
        Decrement(context, *step.resting, step.gpus);
        live = Decrement(context, order, step.gpus);
        break;
    }
  }
  if (!live) return;
  if (order.remaining == Quantity(0)) {
    Finish(context, order);
  } else if (plan.cancel_remainder) {
    CancelOrder(context, order, *plan.cancel_remainder, 0);
  } else if (MayRest(order.time_in_force)) {
    EnterBook(context, order);
  } else {
    CancelOrder(context, order, CancelReason::kIocRemainder, 0);
  }
}

void CancelOrder(Context& context, Order& order, CancelReason reason, uint64_t tag) {
  EmitOrderCancelled(context, order, reason, tag);
  if (order.side == Side::kBuy) {
    ReleaseCredits(context, *order.account, BidLock(order), order.id);
  } else {
    order.account->exposure -= AskExposure(order);
    TakeOpenGpus(order, -order.remaining);
  }
  if (order.level != nullptr) LeaveBook(context, order);
  Finish(context, order);
}

void EmitOrderAmended(Context& context, const Order& order, uint64_t tag, bool kept_priority) {
  const auto event = context.events.Private<wire::OrderAmended>(*order.account);
  event->mutate_tag(tag);
  event->mutate_order_id(order.id.value());
  event->mutate_price(order.price.value());
  CopyClientOrderId(context, *event, order);
  SetTail(*event, Halves(order.instrument->id.value(), order.gpus.value()),
          Halves(order.remaining.value(), order.lock_minutes.value()), Bytes(kept_priority));
}

}  // namespace warpbook::engine
