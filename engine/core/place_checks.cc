#include "engine/core/check_rows.h"

namespace warpbook::engine {
namespace {

bool IsAsk(const PlaceCheck& check) { return check.request.content.side == Side::kSell; }

bool MayRest(const PlaceCheck& check) {
  const TimeInForce time_in_force = check.request.content.time_in_force;
  return time_in_force == TimeInForce::kGtc || time_in_force == TimeInForce::kGtd;
}

const EngineLimits& Limits(const PlaceCheck& check) { return check.context.state.limits; }

bool PlaceReusesClientOrderId(PlaceCheck& check) {
  const ClientOrderIds* ids = check.account->client_order_ids.get();
  return !check.request.client_order_id.empty() && ids != nullptr &&
         ids->Find(check.request.client_order_id) != nullptr;
}

bool PlaceHasWrongMinFill(PlaceCheck& check) {
  const OrderContent& content = check.request.content;
  return content.min_fill < Quantity(0) || content.min_fill > content.gpus;
}

bool PlaceHasWrongExpiry(PlaceCheck& check) {
  const OrderContent& content = check.request.content;
  return content.time_in_force == TimeInForce::kGtd ? content.expires <= check.context.now
                                                    : content.expires != Timestamp();
}

bool PlaceHasFieldOfOtherSide(PlaceCheck& check) {
  const OrderContent& content = check.request.content;
  if (IsAsk(check)) {
    return content.tier != Tier::kPremium || content.min_assurance != Assurance::kListed;
  }
  return bool{content.node} || bool{content.lease};
}

bool PlaceExceedsOrders(PlaceCheck& check) {
  check.detail = Limits(check).orders_per_account_max;
  return MayRest(check) && check.account->order_count >= Limits(check).orders_per_account_max;
}

bool PlaceExceedsOrdersInBook(PlaceCheck& check) {
  check.detail = Limits(check).orders_per_account_and_book_max;
  const auto it = check.account->orders_in_book.find(check.instrument->id);
  const uint32_t count = it == check.account->orders_in_book.end() ? 0 : it->second;
  return MayRest(check) && count >= Limits(check).orders_per_account_and_book_max;
}

bool PlacePostOnlyWouldTrade(PlaceCheck& check) {
  return check.request.content.post_only && check.node_fits() &&
         AnyCouldTrade(check.instrument->book, check.incoming());
}

// Makes the plan that the checks behind it, and then the effects, go by.
bool PlaceFokNotFillable(PlaceCheck& check) {
  check.plan.Clear();
  if (!check.node_fits()) return false;
  PlanMatch(check.instrument->book, check.incoming(), check.plan);
  return check.request.content.time_in_force == TimeInForce::kFok &&
         check.plan.remaining > Quantity(0);
}

bool PlaceExceedsCapacity(PlaceCheck& check) {
  if (!IsAsk(check)) return false;
  const NodeUse use = UseOf(*check.node, *check.instrument);
  const Quantity left = check.node->gpus - use.open - use.sold;
  check.detail = std::max(left, Quantity(0)).value();
  return check.request.content.gpus > left;
}

bool PlaceExceedsBondedLimit(PlaceCheck& check) {
  if (!IsAsk(check)) return false;
  const Credits left = check.account->bonded_limit - check.account->exposure;
  check.detail = std::max(left, Credits(0)).value();
  return AcceptanceExposure(*check.instrument, check.price, check.request.content.gpus,
                            check.minutes) > left;
}

bool PlaceExceedsCredits(PlaceCheck& check) {
  if (IsAsk(check)) return false;
  const OrderContent& content = check.request.content;
  check.detail = check.account->free.value();
  return BidLock(check.price, content.gpus, check.minutes, content.tier) > check.account->free;
}

bool PlaceOverflowsLevel(PlaceCheck& check) {
  const OrderContent& content = check.request.content;
  return MayRest(check) && MayOverflow(check.instrument->book.order_count(content.side)) &&
         LevelOverflows(check.instrument->book.GpusAt(content.side, check.price), content.gpus);
}

bool PlaceFindsEngineFull(PlaceCheck& check) {
  const State& state = check.context.state;
  return (MayRest(check) && state.orders.size() >= state.limits.resting_orders_max) ||
         LeasesOverflow(state, check.plan) ||
         (!check.request.client_order_id.empty() &&
          state.client_order_id_count >= state.limits.client_order_ids_max);
}

constexpr CheckRow<PlaceCheck> kPlaceRows[] = {
    {RejectReason::kDeadlinePassed,
     [](PlaceCheck& c) { return DeadlinePassed(c.context, c.request.deadline); }},
    {RejectReason::kUnknownAccount, [](PlaceCheck& c) { return c.account == nullptr; }},
    {RejectReason::kNotPermitted,
     [](PlaceCheck& c) { return c.account->kind != AccountKind::kMember; }},
    {RejectReason::kUnknownInstrument,
     [](PlaceCheck& c) {
       return !c.context.state.instruments.IsKnown(c.request.content.instrument);
     }},
    {RejectReason::kClientOrderIdReused, PlaceReusesClientOrderId},
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
     [](PlaceCheck& c) {
       return c.request.content.gpus <= Quantity(0) || c.request.content.gpus > kMaxQuantity;
     }},
    {RejectReason::kInvalidMinFill, PlaceHasWrongMinFill},
    {RejectReason::kPriceNotPositive, [](PlaceCheck& c) { return c.price <= Price(0); }},
    {RejectReason::kPriceOffTick,
     [](PlaceCheck& c) {
       c.detail = c.instrument->tick.value();
       return c.price.value() % c.instrument->tick.value() != 0;
     }},
    {RejectReason::kPriceOutsideBand,
     [](PlaceCheck& c) { return OutsideBand(*c.instrument, c.price); }},
    {RejectReason::kMarketNeedsIocOrFok,
     [](PlaceCheck& c) { return c.request.content.type == OrderType::kMarket && MayRest(c); }},
    {RejectReason::kPostOnlyNeedsResting,
     [](PlaceCheck& c) { return c.request.content.post_only && !MayRest(c); }},
    {RejectReason::kExpiryInPast, PlaceHasWrongExpiry},
    {RejectReason::kFieldNotForSide, PlaceHasFieldOfOtherSide},
    {RejectReason::kAskNeedsNodeOrLease,
     [](PlaceCheck& c) {
       return IsAsk(c) && bool{c.request.content.node} == bool{c.request.content.lease};
     }},
    {RejectReason::kResaleNotAvailable,
     [](PlaceCheck& c) { return bool{c.request.content.lease}; }},
    {RejectReason::kTooManyOrders, PlaceExceedsOrders},
    {RejectReason::kTooManyOrdersInBook, PlaceExceedsOrdersInBook},
    {RejectReason::kPostOnlyWouldTrade, PlacePostOnlyWouldTrade},
    {RejectReason::kFokNotFillable, PlaceFokNotFillable},
    {RejectReason::kFokMeetsOwnOrder, [](PlaceCheck& c) { return c.plan.meets_own_order; }},
    {RejectReason::kUnknownNode, [](PlaceCheck& c) { return IsAsk(c) && c.node == nullptr; }},
    {RejectReason::kNodeNotApproved,
     [](PlaceCheck& c) { return c.node != nullptr && !c.node->approved; }},
    {RejectReason::kNodeWrongInstrument, [](PlaceCheck& c) { return !c.node_fits(); }},
    {RejectReason::kInsufficientCapacity, PlaceExceedsCapacity},
    {RejectReason::kBondedLimitExceeded, PlaceExceedsBondedLimit},
    {RejectReason::kInsufficientCredits, PlaceExceedsCredits},
    {RejectReason::kAmountOverflow, PlaceOverflowsLevel},
    {RejectReason::kEngineFull, PlaceFindsEngineFull},
};
static_assert(Follow<PlaceCheck>(kPlaceRows, kPlaceOrderPrecedence));

}  // namespace

std::optional<PlaceRequest> ParsePlaceOrder(const wire::PlaceOrder& command) {
  const auto client_order_id = ClientOrderId::FromBytes(command.client_order_id()->Data());
  if (!client_order_id) return std::nullopt;
  PlaceRequest request;
  request.content = {Price(command.price()),
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
  request.client_order_id = *client_order_id;
  request.deadline = Timestamp(command.deadline_us());
  request.validate_only = command.validate_only() == 1;
  const OrderContent& content = request.content;
  const bool valid = IsValid(content.side) && IsValid(content.type) &&
                     IsValid(content.time_in_force) && IsValid(content.tier) &&
                     IsValid(content.min_assurance) && IsValid(content.self_trade_prevention) &&
                     command.post_only() <= 1 && command.validate_only() <= 1;
  if (!valid) return std::nullopt;
  return request;
}

PlaceCheck::PlaceCheck(const Context& the_context, const PlaceRequest& the_request,
                       AccountId account_id)
    : context(the_context),
      request(the_request),
      account(the_context.state.accounts.Find(account_id)),
      instrument(the_context.state.instruments.Find(the_request.content.instrument)),
      node(the_context.state.accounts.FindNode(the_request.content.node)),
      price(the_request.content.price),
      plan(the_context.state.plan) {
  if (node != nullptr && node->account != account) node = nullptr;
  const OrderContent& content = request.content;
  if (instrument != nullptr) minutes = instrument->MinutesAt(context.now);
  if (instrument != nullptr && content.type == OrderType::kMarket && price == Price(0)) {
    price = content.side == Side::kBuy ? instrument->band_high : instrument->band_low;
  }
}

bool PlaceCheck::node_fits() const {
  return !IsAsk(*this) ||
         (node != nullptr && node->approved && node->class_id == instrument->class_id &&
          node->region_id == instrument->region_id);
}

IncomingOrder PlaceCheck::incoming() const {
  const OrderContent& content = request.content;
  return {account->owner,
          content.side,
          price,
          content.gpus,
          content.min_fill,
          node == nullptr ? Assurance::kAttested : node->assurance,
          content.min_assurance,
          content.self_trade_prevention,
          content.time_in_force == TimeInForce::kFok};
}

Refusal RunChecks(PlaceCheck& check) { return Run<kPlaceRows>(check); }

}  // namespace warpbook::engine
