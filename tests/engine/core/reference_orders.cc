// The reference's orders: acceptance, the walk, and what comes of it.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int kGtc = 0, kGtd = 1, kIoc = 2, kFok = 3;
constexpr int kCancelNewest = 0, kCancelOldest = 1, kCancelBoth = 2;

// The command without what does not belong to the order itself.
std::array<uint8_t, sizeof(wire::PlaceOrder)> ContentOf(const wire::PlaceOrder& c) {
  wire::PlaceOrder content = c;
  content.mutable_header() = wire::CommandHeader();
  content.mutate_deadline_us(0);
  content.mutate_validate_only(0);
  PutBytes(content.mutable_client_order_id(), Bytes32{});
  std::memset(content.mutable_padding()->Data(), 0, content.padding()->size());
  std::array<uint8_t, sizeof content> bytes;
  std::memcpy(bytes.data(), &content, sizeof content);
  return bytes;
}

bool Malformed(const wire::PlaceOrder& c) {
  return c.side() > 1 || c.type() > 1 || c.time_in_force() > 3 || c.tier() > 2 ||
         c.min_assurance() > 2 || c.self_trade_prevention() > 3 || c.post_only() > 1 ||
         c.validate_only() > 1 || !IsText(ToBytes(c.client_order_id()));
}

}  // namespace

int64_t ReferenceMarket::StartNow(const Instrument& instrument) const {
  const int64_t earliest = (now_ + instrument.notice + kMinute - 1) / kMinute * kMinute;
  return std::max(instrument.start, earliest);
}

int32_t ReferenceMarket::MinutesNow(const Instrument& instrument) const {
  return static_cast<int32_t>((instrument.end - StartNow(instrument)) / kMinute);
}

int64_t ReferenceMarket::NodeLeft(uint64_t node, uint32_t instrument) const {
  int64_t left = nodes_[node - 1].gpus;
  for (const Order& order : orders_) {
    if (order.node == node && order.instrument == instrument) left -= order.left;
  }
  for (const Lease& lease : leases_) {
    if (lease.node == node && lease.instrument == instrument) left -= lease.gpus;
  }
  return left;
}

bool ReferenceMarket::Trades(const Order& incoming, int32_t left, const Order& resting) const {
  const Order& bid = incoming.side == 0 ? incoming : resting;
  const Order& ask = incoming.side == 0 ? resting : incoming;
  const int32_t gpus = std::min(left, resting.left);
  return ask.price <= bid.price && ask.queue <= bid.min_assurance && gpus >= incoming.min_fill &&
         gpus >= resting.min_fill;
}

// `whoever`: as if nobody owned anything (post-only).
ReferenceMarket::Walk ReferenceMarket::PlanWalk(const Order& incoming, bool whoever) const {
  Walk walk;
  walk.left = incoming.left;
  for (const Order& resting : Queue(incoming.instrument, 1 - incoming.side)) {
    if (walk.left == 0 || walk.below_min_fill || walk.self_trade) break;
    if (!Trades(incoming, walk.left, resting)) continue;
    const int32_t gpus = std::min(walk.left, resting.left);
    if (whoever || resting.owner != incoming.owner) {
      walk.steps.push_back({Walk::Step::kTrade, resting.id, gpus});
      ++walk.trades;
      walk.left -= gpus;
    } else if (incoming.time_in_force == kFok) {
      if (incoming.stp == kCancelOldest) {
        walk.steps.push_back({Walk::Step::kCancel, resting.id, 0});
      } else {
        walk.met_own = true;
      }
    } else if (incoming.stp == kCancelNewest) {
      walk.self_trade = true;
    } else if (incoming.stp == kCancelOldest) {
      walk.steps.push_back({Walk::Step::kCancel, resting.id, 0});
    } else if (incoming.stp == kCancelBoth) {
      walk.steps.push_back({Walk::Step::kCancel, resting.id, 0});
      walk.self_trade = true;
    } else {
      walk.steps.push_back({Walk::Step::kDecrement, resting.id, gpus});
      walk.left -= gpus;
    }
    walk.below_min_fill = walk.left > 0 && walk.left < incoming.min_fill;
  }
  return walk;
}

ReferenceMarket::Answer ReferenceMarket::JudgeAsk(const Order& order) const {
  if (order.node == 0 || order.node > nodes_.size()) return {RejectReason::kUnknownNode};
  const Node& node = nodes_[order.node - 1];
  if (node.account != order.account) return {RejectReason::kUnknownNode};
  if (!node.approved) return {RejectReason::kNodeNotApproved};
  for (const Instrument& instrument : instruments_) {
    if (instrument.id != order.instrument) continue;
    if (instrument.class_id != node.class_id || instrument.region_id != node.region_id) {
      return {RejectReason::kNodeWrongInstrument};
    }
  }
  return {};
}

// Who asks for what, and whether that may be traded now.
ReferenceMarket::Answer ReferenceMarket::JudgePlace(const wire::PlaceOrder& c, Order& order,
                                                    Walk& walk) const {
  const Account* account = Find(c.header().account_id());
  if (c.deadline_us() != 0 && now_ > c.deadline_us()) return {RejectReason::kDeadlinePassed};
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  if (c.side() == 1 && account->large && !account->verified) {
    return {RejectReason::kOwnerNotVerified};
  }
  if (c.instrument_id() == 0 || c.instrument_id() > last_instrument_) {
    return {RejectReason::kUnknownInstrument};
  }
  for (const RememberedId& id : remembered_) {
    const Bytes32 client_id = ToBytes(c.client_order_id());
    if (client_id[0] != 0 && id.account == account->id && id.client_id == client_id) {
      return {RejectReason::kClientOrderIdReused};
    }
  }
  const Instrument* instrument = nullptr;
  for (const Instrument& i : instruments_) {
    if (i.id == c.instrument_id()) instrument = &i;
  }
  if (instrument == nullptr) return {RejectReason::kInstrumentClosed};
  if (instrument->state == InstrumentState::kHalted) return {RejectReason::kInstrumentHalted};
  if (instrument->state == InstrumentState::kGateClosed) {
    return {RejectReason::kInstrumentGateClosed};
  }
  const Answer terms = JudgeTerms(c, *instrument);
  if (terms.reason != RejectReason::kNone) return terms;
  order = OrderOf(c, *account, *instrument);
  const Answer count = JudgeCount(order);
  if (count.reason != RejectReason::kNone) return count;
  return JudgeBacking(order, walk);
}

int64_t ReferenceMarket::PriceOf(const wire::PlaceOrder& c, const Instrument& instrument) {
  if (c.type() == 0 || c.price() != 0) return c.price();
  return c.side() == 1 ? instrument.low : instrument.high;
}

// Each field, and the fields with each other.
ReferenceMarket::Answer ReferenceMarket::JudgeTerms(const wire::PlaceOrder& c,
                                                    const Instrument& instrument) const {
  const bool ask = c.side() == 1;
  const bool rests = c.time_in_force() == kGtc || c.time_in_force() == kGtd;
  const int64_t price = PriceOf(c, instrument);
  if (c.gpus() < 1 || c.gpus() > 100'000) return {RejectReason::kInvalidQuantity};
  if (c.min_fill() < 0 || c.min_fill() > c.gpus()) return {RejectReason::kInvalidMinFill};
  if (price <= 0) return {RejectReason::kPriceNotPositive};
  if (price % instrument.tick != 0) return {RejectReason::kPriceOffTick, instrument.tick};
  if (price < instrument.low || price > instrument.high) {
    return {RejectReason::kPriceOutsideBand};
  }
  if (c.type() == 1 && rests) return {RejectReason::kMarketNeedsIocOrFok};
  if (c.post_only() && !rests) return {RejectReason::kPostOnlyNeedsResting};
  const bool gtd = c.time_in_force() == kGtd;
  if (gtd ? c.expires_us() <= now_ : c.expires_us() != 0) return {RejectReason::kExpiryInPast};
  if (ask && (c.tier() != 0 || c.min_assurance() != 2)) return {RejectReason::kFieldNotForSide};
  if (!ask && (c.node_id() != 0 || c.lease_id() != 0)) return {RejectReason::kFieldNotForSide};
  if (ask && (c.node_id() == 0) == (c.lease_id() == 0)) {
    return {RejectReason::kAskNeedsNodeOrLease};
  }
  return {};
}

Order ReferenceMarket::OrderOf(const wire::PlaceOrder& c, const Account& account,
                               const Instrument& instrument) const {
  Order order;
  order.account = account.id;
  order.owner = account.owner;
  order.node = c.node_id();
  order.lease = c.lease_id();
  order.instrument = instrument.id;
  order.price = PriceOf(c, instrument);
  order.expires =
      c.time_in_force() == kGtd ? std::min(c.expires_us(), instrument.gate) : instrument.gate;
  if (order.lease != 0)
    order.expires = std::min(order.expires, instrument.start - instrument.notice);
  order.total = order.left = c.gpus();
  order.min_fill = c.min_fill();
  order.minutes = MinutesNow(instrument);
  order.side = c.side();
  order.type = c.type();
  order.time_in_force = c.time_in_force();
  order.queue = c.tier();
  order.min_assurance = c.min_assurance();
  order.stp = c.self_trade_prevention();
  order.post_only = c.post_only() != 0;
  order.client_id = ToBytes(c.client_order_id());
  return order;
}

// How many orders the account has open already.
ReferenceMarket::Answer ReferenceMarket::JudgeCount(const Order& order) const {
  size_t mine = 0, mine_here = 0;
  for (const Order& other : orders_) {
    if (other.account != order.account) continue;
    ++mine;
    if (other.instrument == order.instrument) ++mine_here;
  }
  const bool rests = order.time_in_force == kGtc || order.time_in_force == kGtd;
  if (rests && mine >= limits_.orders_per_account) {
    return {RejectReason::kTooManyOrders, static_cast<int64_t>(limits_.orders_per_account)};
  }
  if (rests && mine_here >= limits_.orders_per_account_and_book) {
    return {RejectReason::kTooManyOrdersInBook,
            static_cast<int64_t>(limits_.orders_per_account_and_book)};
  }
  return {};
}

// The walk, and what stands behind the order. An ask gets its node's or lease's assurance.
ReferenceMarket::Answer ReferenceMarket::JudgeBacking(Order& order, Walk& walk) const {
  const bool resale = order.lease != 0;
  const bool ask = order.side == 1 && !resale;
  const bool rests = order.time_in_force == kGtc || order.time_in_force == kGtd;
  const Instrument& instrument =
      *std::find_if(instruments_.begin(), instruments_.end(),
                    [&](const Instrument& i) { return i.id == order.instrument; });
  const Answer node_answer = ask      ? JudgeAsk(order)
                             : resale ? JudgeResale(order, instrument)
                                      : Answer();
  if (node_answer.reason != RejectReason::kNone) return node_answer;
  const Lease* lease = nullptr;
  for (const Lease& l : leases_) {
    if (resale && l.id == order.lease) lease = &l;
  }
  if (ask) order.queue = nodes_[order.node - 1].assurance;
  if (resale) order.queue = lease->assurance;
  if (order.post_only && PlanWalk(order, true).trades > 0) {
    return {RejectReason::kPostOnlyWouldTrade};
  }
  walk = PlanWalk(order, false);
  if (order.time_in_force == kFok && walk.left > 0) return {RejectReason::kFokNotFillable};
  if (walk.met_own) return {RejectReason::kFokMeetsOwnOrder};
  if (resale) {
    const auto chain = static_cast<int64_t>(limits_.resales_per_lease);
    if (static_cast<int64_t>(lease->steps.size()) >= chain) {
      return {RejectReason::kResaleChainTooLong, chain};
    }
    const int64_t left = LeaseLeft(order.lease);
    if (order.left > left) return {RejectReason::kInsufficientLeaseGpus, left};
  } else if (ask) {
    const int64_t left = std::max<int64_t>(0, NodeLeft(order.node, order.instrument));
    if (order.left > left) return {RejectReason::kInsufficientCapacity, left};
    const std::vector<Order> bids = Queue(order.instrument, 0);
    const int64_t worst = bids.empty() ? order.price : std::max(order.price, bids.front().price);
    const int128 room = accounts_[order.account - 1].bonded_limit - Exposure(order.account);
    if (Value(worst, order.left, order.minutes) > room) {
      return {RejectReason::kBondedLimitExceeded, static_cast<int64_t>(std::max<int128>(0, room))};
    }
  } else {
    const int64_t lock = WithSurcharge(Value(order.price, order.left, order.minutes), order.queue);
    const int64_t free = Free(order.account);
    if (lock > free) return {RejectReason::kInsufficientCredits, free};
  }
  int64_t level = order.left;
  for (const Order& o : Queue(order.instrument, order.side)) {
    if (o.price == order.price) level += o.left;
  }
  if (rests && level > INT32_MAX) return {RejectReason::kAmountOverflow};
  if (rests && orders_.size() >= limits_.resting_orders) return {RejectReason::kEngineFull};
  if (leases_.size() + walk.trades > limits_.leases) return {RejectReason::kEngineFull};
  if (order.client_id[0] != 0 && remembered_.size() >= limits_.client_order_ids) {
    return {RejectReason::kEngineFull};
  }
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PlaceOrder& c) {
  if (Malformed(c)) return {RejectReason::kMalformedCommand};
  for (const RememberedId& id : remembered_) {
    if (id.client_id[0] != 0 && id.account == c.header().account_id() &&
        id.client_id == ToBytes(c.client_order_id()) && id.content == ContentOf(c)) {
      Accept(c.header(), wire::RecordType::kPlaceOrder, id.order, true);
      return {};
    }
  }
  Order order;
  Walk walk;
  const Answer answer = JudgePlace(c, order, walk);
  if (answer.reason != RejectReason::kNone) return answer;
  if (c.validate_only()) {
    Accept(c.header(), wire::RecordType::kPlaceOrder, 0);
    return {};
  }
  const int64_t free = Free(order.account), locked = Locked(order.account);
  order.id = ++last_order_;
  orders_.push_back(order);
  if (order.client_id[0] != 0) {
    remembered_.push_back({order.account, order.client_id, ContentOf(c), order.id, true, 0});
  }
  wire::OrderAccepted event;
  event.mutate_tag(c.header().tag());
  event.mutate_order_id(order.id);
  event.mutate_price(order.price);
  event.mutate_expires_us(order.expires);
  event.mutate_backing_id(order.lease != 0 ? order.lease : order.node);
  event.mutate_is_resale(order.lease != 0);
  PutBytes(event.mutable_client_order_id(), order.client_id);
  event.mutate_instrument_id(order.instrument);
  event.mutate_gpus(order.total);
  event.mutate_min_fill(order.min_fill);
  event.mutate_lock_minutes(order.minutes);
  event.mutate_side(c.side());
  event.mutate_type(c.type());
  event.mutate_time_in_force(c.time_in_force());
  event.mutate_tier(static_cast<uint8_t>(order.queue));
  event.mutate_min_assurance(c.min_assurance());
  event.mutate_post_only(c.post_only());
  EmitPrivate(event, order.account);
  EmitRelock(order.account, order.id, free, locked);
  RunWalk(order.id, walk);
  return {};
}

void ReferenceMarket::EmitRelock(uint64_t account, uint64_t order, int64_t free, int64_t locked) {
  const int64_t free_now = Free(account), locked_now = Locked(account);
  const bool more = locked_now > locked;
  EmitMoved(account, more ? CreditBucket::kFree : CreditBucket::kLocked,
            more ? CreditBucket::kLocked : CreditBucket::kFree,
            more ? free - free_now : free_now - free, 0, order, free_now, locked_now);
}

void ReferenceMarket::RunWalk(uint64_t id, const Walk& walk) {
  for (const Walk::Step& step : walk.steps) {
    if (step.what == Walk::Step::kTrade) Trade(id, step.resting, step.gpus);
    if (step.what == Walk::Step::kCancel) Cancel(step.resting, CancelReason::kSelfTrade, 0);
    if (step.what == Walk::Step::kDecrement) {
      Decrement(step.resting, step.gpus);
      Decrement(id, step.gpus);
    }
  }
  const auto it = std::find_if(orders_.begin(), orders_.end(),
                               [&](const Order& order) { return order.id == id; });
  if (it == orders_.end()) return;
  if (it->left == 0) {
    Remove(id);
  } else if (walk.below_min_fill) {
    Cancel(id, CancelReason::kBelowMinFill, 0);
  } else if (walk.self_trade) {
    Cancel(id, CancelReason::kSelfTrade, 0);
  } else if (it->time_in_force == kIoc) {
    Cancel(id, CancelReason::kIocRemainder, 0);
  } else {
    it->resting = true;
    it->arrival = ++arrivals_;
    book_changed_ = true;
  }
}

void ReferenceMarket::Trade(uint64_t taker_id, uint64_t maker_id, int32_t gpus) {
  Order& taker = OrderById(taker_id);
  Order& maker = OrderById(maker_id);
  Order& bid = taker.side == 0 ? taker : maker;
  Order& ask = taker.side == 0 ? maker : taker;
  const Instrument& instrument = *FindInstrument(bid.instrument);
  const int64_t free = Free(bid.account), locked = Locked(bid.account);
  Lease lease;
  lease.provider = ask.account;
  lease.node = ask.node;
  lease.first_price = maker.price;
  lease.assurance = ask.queue;
  if (ask.lease != 0) {
    // The same GPUs of the same provider, at the same first price; one more has resold them.
    lease = *FindLease(ask.lease);
    if (lease.price != maker.price) {
      lease.steps.push_back({ask.account, lease.price, maker.price});
    }
  }
  lease.id = ++last_lease_;
  lease.buyer = bid.account;
  lease.instrument = instrument.id;
  lease.price = maker.price;
  lease.gpus = gpus;
  lease.minutes = MinutesNow(instrument);
  lease.notional = Value(lease.price, gpus, lease.minutes);
  lease.surcharge = WithSurcharge(lease.notional, bid.queue) - lease.notional;
  lease.start = StartNow(instrument);
  lease.end = instrument.end;
  leases_.push_back(lease);
  const Lease resold = ask.lease == 0 ? Lease() : TakeFrom(*FindLease(ask.lease), gpus);
  bid.left -= gpus;
  ask.left -= gpus;
  book_changed_ = true;

  wire::TradeExecuted event;
  event.mutate_lease_id(lease.id);
  event.mutate_buyer_account_id(bid.account);
  event.mutate_buyer_owner_id(bid.owner);
  event.mutate_provider_account_id(lease.provider);
  event.mutate_provider_owner_id(accounts_[lease.provider - 1].owner);
  event.mutate_seller_account_id(ask.account);
  event.mutate_seller_owner_id(ask.owner);
  event.mutate_resold_lease_id(ask.lease);
  event.mutate_provider_price(lease.first_price);
  event.mutate_node_id(lease.node);
  event.mutate_buy_order_id(bid.id);
  event.mutate_sell_order_id(ask.id);
  event.mutate_price(lease.price);
  event.mutate_notional(lease.notional);
  event.mutate_surcharge(lease.surcharge);
  event.mutate_delivery_start_us(lease.start);
  event.mutate_delivery_end_us(lease.end);
  event.mutate_instrument_id(instrument.id);
  event.mutate_gpus(gpus);
  event.mutate_minutes(lease.minutes);
  event.mutate_taker_side(static_cast<uint8_t>(taker.side));
  event.mutate_tier(static_cast<uint8_t>(bid.queue));
  event.mutate_assurance(static_cast<uint8_t>(ask.queue));
  EmitPublic(event);
  for (const Order* order : {&bid, &ask}) {
    wire::OrderFilled filled;
    filled.mutate_order_id(order->id);
    filled.mutate_lease_id(lease.id);
    filled.mutate_price(lease.price);
    filled.mutate_notional(lease.notional);
    filled.mutate_surcharge(order == &bid ? lease.surcharge : 0);
    filled.mutate_delivery_start_us(lease.start);
    filled.mutate_delivery_end_us(lease.end);
    PutBytes(filled.mutable_client_order_id(), order->client_id);
    filled.mutate_instrument_id(instrument.id);
    filled.mutate_gpus(gpus);
    filled.mutate_remaining(order->left);
    filled.mutate_minutes(lease.minutes);
    filled.mutate_side(static_cast<uint8_t>(order->side));
    filled.mutate_is_maker(order == &maker);
    EmitPrivate(filled, order->account);
  }
  const int64_t cost = lease.notional + lease.surcharge;
  EmitMoved(bid.account, CreditBucket::kLocked, CreditBucket::kEscrow, cost, lease.id, bid.id, free,
            locked - cost);
  EmitMoved(bid.account, CreditBucket::kLocked, CreditBucket::kFree, Free(bid.account) - free, 0,
            bid.id, Free(bid.account), Locked(bid.account));
  if (ask.lease != 0) TellResale(resold, lease);
  if (maker.left == 0) {
    Remove(maker_id);
  } else if (maker.left < maker.min_fill) {
    Cancel(maker_id, CancelReason::kBelowMinFill, 0);
  }
}

void ReferenceMarket::Decrement(uint64_t id, int32_t gpus) {
  Order& order = OrderById(id);
  if (order.left == gpus) {
    Cancel(id, CancelReason::kSelfTrade, 0);
  } else if (order.left - gpus < order.min_fill) {
    Cancel(id, CancelReason::kBelowMinFill, 0);
  } else {
    const int64_t free = Free(order.account), locked = Locked(order.account);
    order.left -= gpus;
    order.total -= gpus;
    book_changed_ = true;
    EmitAmended(order, 0, true);
    EmitRelock(order.account, order.id, free, locked);
  }
}

void ReferenceMarket::EmitAmended(const Order& order, uint64_t tag, bool kept) {
  wire::OrderAmended event;
  event.mutate_tag(tag);
  event.mutate_order_id(order.id);
  event.mutate_price(order.price);
  PutBytes(event.mutable_client_order_id(), order.client_id);
  event.mutate_instrument_id(order.instrument);
  event.mutate_gpus(order.total);
  event.mutate_remaining(order.left);
  event.mutate_lock_minutes(order.minutes);
  event.mutate_kept_priority(kept);
  EmitPrivate(event, order.account);
}

void ReferenceMarket::Cancel(uint64_t id, CancelReason reason, uint64_t tag) {
  const Order order = OrderById(id);
  wire::OrderCancelled event;
  event.mutate_tag(tag);
  event.mutate_order_id(id);
  PutBytes(event.mutable_client_order_id(), order.client_id);
  event.mutate_instrument_id(order.instrument);
  event.mutate_filled(order.total - order.left);
  event.mutate_remaining(order.left);
  event.mutate_reason(static_cast<uint8_t>(reason));
  event.mutate_side(static_cast<uint8_t>(order.side));
  EmitPrivate(event, order.account);
  const int64_t free = Free(order.account), locked = Locked(order.account);
  Remove(id);
  EmitRelock(order.account, id, free, locked);
}

void ReferenceMarket::Remove(uint64_t id) {
  std::erase_if(orders_, [&](const Order& order) { return order.id == id; });
  book_changed_ = true;
  for (size_t i = 0; i < remembered_.size(); ++i) {
    if (!remembered_[i].live || remembered_[i].order != id) continue;
    RememberedId finished = remembered_[i];
    finished.live = false;
    finished.finished = now_;
    remembered_.erase(remembered_.begin() + static_cast<int64_t>(i));
    remembered_.push_back(finished);
    return;
  }
}

Order& ReferenceMarket::OrderById(uint64_t id) {
  return *std::find_if(orders_.begin(), orders_.end(),
                       [&](const Order& order) { return order.id == id; });
}

}  // namespace warpbook::reference
