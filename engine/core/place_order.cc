// PlaceOrder: its checks, in the declared order, and its effects.
#include <algorithm>
#include <optional>

#include "engine/core/check_rows.h"
#include "engine/core/handlers.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

// What the checks read, and what they find out on the way.
struct PlaceCheck {
  const Context& context;
  const wire::PlaceOrder& command;
  const ClientOrderId* client_order_id;  // null: none
  Account* account = nullptr;
  Instrument* instrument = nullptr;   // null: unknown, or its window is over
  Node* node = nullptr;               // null: none named, or none of this account
  Lease* lease = nullptr;             // that an ask resells; null likewise
  Price price;                        // a market order's 0 is the band's far edge
  uint32_t ticks = PriceGrid::kNone;  // the price's place on the instrument's grid
  Minutes minutes;                    // that a fill delivers, where the instrument is there
  Credits claim;                      // what the order will take: lock or exposure
  MatchPlan& plan;                    // made by the check of fill-or-kill, for the ones behind it
  int64_t detail = 0;

  PlaceCheck(const Context& the_context, const wire::PlaceOrder& the_command,
             const ClientOrderId* the_client_order_id);

  Side side() const { return static_cast<Side>(command.side()); }
  bool is_ask() const { return side() == Side::kSell; }
  Tier tier() const { return static_cast<Tier>(command.tier()); }
  OrderType type() const { return static_cast<OrderType>(command.type()); }
  TimeInForce time_in_force() const { return static_cast<TimeInForce>(command.time_in_force()); }
  bool may_rest() const { return MayRest(time_in_force()); }
  Quantity gpus() const { return Quantity(command.gpus()); }
  const EngineLimits& limits() const { return context.state.limits; }

  // An ask names either a node or a lease.
  bool is_resale() const { return is_ask() && command.lease_id() != 0; }
  bool is_node_ask() const { return is_ask() && command.lease_id() == 0; }

  // Whether what the ask names can back it on the instrument: only then do its assurance and the
  // walk mean something.
  bool backing_fits() const {
    if (!is_ask()) return true;
    return is_resale() ? lease_fits() : node_fits();
  }
  bool node_fits() const {
    return node != nullptr && node->approved && node->class_id == instrument->class_id &&
           node->region_id == instrument->region_id;
  }
  bool lease_fits() const {
    return lease != nullptr && lease->instrument == instrument->id &&
           lease->state == LeaseState::kReserved && context.now < instrument->ResaleEnd();
  }
  // Of an ask: its node's, or that of the lease that it resells.
  Assurance assurance() const {
    if (lease != nullptr) return lease->assurance;
    return node == nullptr ? Assurance::kAttested : node->assurance;
  }
  IncomingOrder incoming() const {
    return {account->owner,
            side(),
            price,
            gpus(),
            Quantity(command.min_fill()),
            assurance(),
            static_cast<Assurance>(command.min_assurance()),
            static_cast<SelfTradePrevention>(command.self_trade_prevention()),
            time_in_force() == TimeInForce::kFok};
  }
};

PlaceCheck::PlaceCheck(const Context& the_context, const wire::PlaceOrder& the_command,
                       const ClientOrderId* the_client_order_id)
    : context(the_context),
      command(the_command),
      client_order_id(the_client_order_id),
      account(the_context.state.accounts.Find(AccountId(the_command.header().account_id()))),
      instrument(the_context.state.instruments.Find(InstrumentId(the_command.instrument_id()))),
      price(the_command.price()),
      plan(the_context.state.plan) {
  if (command.node_id() != 0) {
    node = context.state.accounts.FindNode(NodeId(command.node_id()));
    if (node != nullptr && node->account != account) node = nullptr;
  }
  if (is_resale()) [[unlikely]] {
    lease = context.state.leases.Find(LeaseId(command.lease_id()));
    if (lease != nullptr && lease->buyer != account) lease = nullptr;
  }
  if (instrument == nullptr) return;
  minutes = instrument->MinutesAt(context.now);
  if (type() == OrderType::kMarket && price == Price(0)) {
    price = is_ask() ? instrument->grid().low() : instrument->grid().high();
  }
  ticks = instrument->grid().Find(price);
  if (ticks != PriceGrid::kNone) instrument->book.ladder(side()).Prefetch(ticks);
}

bool ReusesClientOrderId(PlaceCheck& check) {
  const ClientOrderId* id = check.client_order_id;
  return id != nullptr && check.context.state.client_order_ids.Find(check.account->id, *id);
}

bool HasWrongMinFill(PlaceCheck& check) {
  return check.command.min_fill() < 0 || check.command.min_fill() > check.command.gpus();
}

bool HasWrongExpiry(PlaceCheck& check) {
  const Timestamp expires = Timestamp(check.command.expires_us());
  return check.time_in_force() == TimeInForce::kGtd ? expires <= check.context.now
                                                    : expires != Timestamp();
}

bool HasFieldOfOtherSide(PlaceCheck& check) {
  const wire::PlaceOrder& command = check.command;
  if (check.is_ask()) {
    return command.tier() != static_cast<uint8_t>(Tier::kPremium) ||
           command.min_assurance() != static_cast<uint8_t>(Assurance::kListed);
  }
  return command.node_id() != 0 || command.lease_id() != 0;
}

bool ExceedsOrders(PlaceCheck& check) {
  const uint32_t limit = check.limits().orders_per_account_max;
  return FailsWith(check, check.may_rest() && check.account->order_count >= limit, limit);
}

bool ExceedsOrdersInBook(PlaceCheck& check) {
  const uint32_t limit = check.limits().orders_per_account_and_book_max;
  // All its orders together may already be few enough.
  if (check.account->order_count < limit || !check.may_rest()) return false;
  const uint32_t* count = check.account->orders_in_book.Find(check.instrument->id);
  return FailsWith(check, count != nullptr && *count >= limit, limit);
}

bool PostOnlyWouldTrade(PlaceCheck& check) {
  return check.command.post_only() != 0 && check.backing_fits() &&
         AnyCouldTrade(check.instrument->book, check.incoming());
}

// Makes the plan that the checks behind it, and then the effects, go by.
bool FokNotFillable(PlaceCheck& check) {
  const bool fits = check.backing_fits();
  if (!fits || !ReachesBest(check.instrument->book, check.side(), check.ticks)) {
    check.plan.Clear();
    return fits && check.time_in_force() == TimeInForce::kFok;
  }
  PlanMatch(check.instrument->book, check.incoming(), check.plan);
  return check.time_in_force() == TimeInForce::kFok && check.plan.remaining > Quantity(0);
}

bool NamesLeaseNotResalable(PlaceCheck& check) {
  return FailsWith(check, check.is_resale() && !check.lease_fits(),
                   check.instrument->ResaleEnd().micros());
}

bool MakesChainTooLong(PlaceCheck& check) {
  if (!check.is_resale()) return false;
  const uint32_t limit = check.limits().resales_per_lease_max;
  return FailsWith(check, check.lease->legs().size() >= limit, limit);
}

bool ExceedsLease(PlaceCheck& check) {
  if (!check.is_resale()) return false;
  const Quantity left = check.lease->gpus - check.lease->resale_open;
  return FailsWith(check, check.gpus() > left, left.value());
}

bool ExceedsCapacity(PlaceCheck& check) {
  if (!check.is_node_ask()) return false;
  const NodeUse use = UseOf(*check.node, *check.instrument);
  const Quantity left = check.node->gpus - use.open - use.sold;
  return FailsWith(check, check.gpus() > left, std::max(left, Quantity(0)).value());
}

bool ExceedsBondedLimit(PlaceCheck& check) {
  if (!check.is_node_ask()) return false;
  const Credits left = check.account->bonded_limit - check.account->exposure;
  check.claim = OrderValue(check.price, check.gpus(), check.minutes);
  const Credits counted =
      AcceptanceExposure(*check.instrument, check.price, check.gpus(), check.minutes);
  return FailsWith(check, counted > left, std::max(left, Credits(0)).value());
}

bool ExceedsCredits(PlaceCheck& check) {
  if (check.is_ask()) return false;
  check.claim = BidLock(check.price, check.gpus(), check.minutes, check.tier());
  return FailsWith(check, check.claim > check.account->free, check.account->free.value());
}

bool OverflowsLevel(PlaceCheck& check) {
  const OrderBook& book = check.instrument->book;
  return check.may_rest() && MayOverflow(book.order_count(check.side())) &&
         LevelOverflows(book.GpusAt(check.side(), check.price), check.gpus());
}

bool FindsEngineFull(PlaceCheck& check) {
  const State& state = check.context.state;
  return (check.may_rest() && state.orders.size() >= state.limits.resting_orders_max) ||
         LeasesOverflow(state, check.plan) ||
         (check.client_order_id != nullptr &&
          state.client_order_ids.size() >= state.limits.client_order_ids_max);
}

constexpr CheckRow<PlaceCheck> kPlaceRows[] = {
    {RejectReason::kDeadlinePassed,
     [](PlaceCheck& c) { return DeadlinePassed(c.context, Timestamp(c.command.deadline_us())); }},
    {RejectReason::kUnknownAccount, [](PlaceCheck& c) { return c.account == nullptr; }},
    {RejectReason::kNotPermitted,
     [](PlaceCheck& c) { return c.account->kind != AccountKind::kMember; }},
    {RejectReason::kOwnerNotVerified,
     [](PlaceCheck& c) { return c.is_ask() && c.account->must_be_verified; }},
    {RejectReason::kUnknownInstrument,
     [](PlaceCheck& c) {
       return c.instrument == nullptr &&
              !c.context.state.instruments.IsKnown(InstrumentId(c.command.instrument_id()));
     }},
    {RejectReason::kClientOrderIdReused, ReusesClientOrderId},
    {RejectReason::kInstrumentHalted,
     [](PlaceCheck& c) {
       return c.instrument != nullptr && c.instrument->state == InstrumentState::kHalted;
     }},
    {RejectReason::kInstrumentGateClosed,
     [](PlaceCheck& c) {
       return c.instrument != nullptr && c.instrument->state == InstrumentState::kGateClosed;
     }},
    {RejectReason::kInstrumentClosed, [](PlaceCheck& c) { return c.instrument == nullptr; }},
    {RejectReason::kInvalidQuantity,
     [](PlaceCheck& c) { return c.gpus() <= Quantity(0) || c.gpus() > kMaxQuantity; }},
    {RejectReason::kInvalidMinFill, HasWrongMinFill},
    {RejectReason::kPriceNotPositive, [](PlaceCheck& c) { return c.price <= Price(0); }},
    {RejectReason::kPriceOffTick,
     [](PlaceCheck& c) { return c.ticks == PriceGrid::kNone && OffTick(c, *c.instrument); }},
    {RejectReason::kPriceOutsideBand, [](PlaceCheck& c) { return c.ticks == PriceGrid::kNone; }},
    {RejectReason::kMarketNeedsIocOrFok,
     [](PlaceCheck& c) { return c.type() == OrderType::kMarket && c.may_rest(); }},
    {RejectReason::kPostOnlyNeedsResting,
     [](PlaceCheck& c) { return c.command.post_only() != 0 && !c.may_rest(); }},
    {RejectReason::kExpiryInPast, HasWrongExpiry},
    {RejectReason::kFieldNotForSide, HasFieldOfOtherSide},
    {RejectReason::kAskNeedsNodeOrLease,
     [](PlaceCheck& c) {
       return c.is_ask() && (c.command.node_id() != 0) == (c.command.lease_id() != 0);
     }},
    {RejectReason::kTooManyOrders, ExceedsOrders},
    {RejectReason::kTooManyOrdersInBook, ExceedsOrdersInBook},
    {RejectReason::kPostOnlyWouldTrade, PostOnlyWouldTrade},
    {RejectReason::kFokNotFillable, FokNotFillable},
    {RejectReason::kFokMeetsOwnOrder, [](PlaceCheck& c) { return c.plan.meets_own_order; }},
    {RejectReason::kUnknownLease,
     [](PlaceCheck& c) { return c.is_resale() && c.lease == nullptr; }},
    {RejectReason::kLeaseNotResalable, NamesLeaseNotResalable},
    {RejectReason::kResaleChainTooLong, MakesChainTooLong},
    {RejectReason::kInsufficientLeaseGpus, ExceedsLease},
    {RejectReason::kUnknownNode,
     [](PlaceCheck& c) { return c.is_node_ask() && c.node == nullptr; }},
    {RejectReason::kNodeNotApproved,
     [](PlaceCheck& c) { return c.node != nullptr && !c.node->approved; }},
    {RejectReason::kNodeWrongInstrument,
     [](PlaceCheck& c) { return c.is_node_ask() && !c.node_fits(); }},
    {RejectReason::kInsufficientCapacity, ExceedsCapacity},
    {RejectReason::kBondedLimitExceeded, ExceedsBondedLimit},
    {RejectReason::kInsufficientCredits, ExceedsCredits},
    {RejectReason::kAmountOverflow, OverflowsLevel},
    {RejectReason::kEngineFull, FindsEngineFull},
};
static_assert(Follow<PlaceCheck>(kPlaceRows, kPlaceOrderPrecedence));

// Whether the bytes that stand for enums and flags are all within their vocabularies.
bool IsWellFormed(const wire::PlaceOrder& command) {
  return IsValid(static_cast<Side>(command.side())) &&
         IsValid(static_cast<OrderType>(command.type())) &&
         IsValid(static_cast<TimeInForce>(command.time_in_force())) &&
         IsValid(static_cast<Tier>(command.tier())) &&
         IsValid(static_cast<Assurance>(command.min_assurance())) &&
         IsValid(static_cast<SelfTradePrevention>(command.self_trade_prevention())) &&
         command.post_only() <= 1 && command.validate_only() <= 1;
}

OrderContent ContentOf(const wire::PlaceOrder& command) {
  return {Price(command.price()),
          Timestamp(command.expires_us()),
          NodeId(command.node_id()),
          LeaseId(command.lease_id()),
          InstrumentId(command.instrument_id()),
          Quantity(command.gpus()),
          Quantity(command.min_fill()),
          static_cast<Side>(command.side()),
          static_cast<OrderType>(command.type()),
          static_cast<TimeInForce>(command.time_in_force()),
          static_cast<Tier>(command.tier()),
          static_cast<Assurance>(command.min_assurance()),
          static_cast<SelfTradePrevention>(command.self_trade_prevention()),
          command.post_only() == 1};
}

// The order that the same request has made before; none where it has not.
OrderId FindRepeated(const PlaceCheck& check) {
  if (check.client_order_id == nullptr || check.account == nullptr) return OrderId();
  const auto remembered =
      check.context.state.client_order_ids.Find(check.account->id, *check.client_order_id);
  const bool same = remembered && remembered->content == Fingerprint(ContentOf(check.command));
  return same ? remembered->order : OrderId();
}

Order& MakeOrder(Context& context, const PlaceCheck& check) {
  State& state = context.state;
  const wire::PlaceOrder& command = check.command;
  Order& order = *state.order_memory.Acquire();
  // Each field by itself: a whole new order would be built elsewhere first and copied.
  order.owner = check.account->owner;
  order.price = check.price;
  order.remaining = check.gpus();
  order.gpus = check.gpus();
  order.level = nullptr;
  order.min_fill = Quantity(command.min_fill());
  order.side = check.side();
  order.tier = check.tier();
  order.assurance = check.assurance();
  order.min_assurance = static_cast<Assurance>(command.min_assurance());
  order.id = OrderId(++state.last_order_id);
  order.account = check.account;
  order.instrument = check.instrument;
  order.is_resale = check.lease != nullptr;
  if (order.is_resale) {
    order.lease = check.lease;
  } else {
    order.node = check.node;
  }
  order.expires = order.is_resale ? std::min(check.instrument->gate, check.instrument->ResaleEnd())
                                  : check.instrument->gate;
  if (check.time_in_force() == TimeInForce::kGtd) {
    order.expires = std::min(order.expires, Timestamp(command.expires_us()));
  }
  order.client_order_handle = 0;
  order.lock_minutes = check.minutes;
  order.type = check.type();
  order.time_in_force = check.time_in_force();
  order.self_trade_prevention = static_cast<SelfTradePrevention>(command.self_trade_prevention());
  order.post_only = command.post_only() != 0;
  if (check.client_order_id != nullptr) {
    state.client_order_ids.Add(order, *check.client_order_id, Fingerprint(ContentOf(command)));
  }
  return order;
}

}  // namespace

Refusal Handle(Context& context, const wire::PlaceOrder& command) {
  if (!IsWellFormed(command)) return {RejectReason::kMalformedCommand};
  std::optional<ClientOrderId> client_order_id;
  if (!ClientOrderId::IsZero(command.client_order_id()->Data())) {
    client_order_id = ClientOrderId::FromBytes(command.client_order_id()->Data());
    if (!client_order_id) return {RejectReason::kMalformedCommand};
  }
  const wire::CommandHeader& header = command.header();
  PlaceCheck check(context, command, client_order_id ? &*client_order_id : nullptr);
  if (const OrderId repeated = FindRepeated(check)) {
    context.events.Accept(header, wire::RecordType::kPlaceOrder, repeated.value(),
                          /*duplicate=*/true);
    return kNoRefusal;
  }
  if (const Refusal refusal = Run<kPlaceRows>(check)) return refusal;
  if (command.validate_only() != 0) {
    context.events.Accept(header, wire::RecordType::kPlaceOrder, 0);
    return kNoRefusal;
  }
  Order& order = MakeOrder(context, check);
  AcceptOrder(context, order, check.claim, header.tag());
  ExecutePlan(context, order, check.plan);
  return kNoRefusal;
}

}  // namespace warpbook::engine
