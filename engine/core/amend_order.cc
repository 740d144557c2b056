// AmendOrder: its checks, in the declared order, and its effects.
#include <algorithm>

#include "engine/core/check_rows.h"
#include "engine/core/handlers.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

struct AmendCheck {
  const Context& context;
  const wire::AmendOrder& command;
  Account* account;
  Order* order;  // null: unknown, or somebody else's
  // As they would be.
  Price price;
  uint32_t ticks = PriceGrid::kNone;
  Quantity remaining;  // 0: the amend cancels
  bool keeps_priority = true;
  MatchPlan& plan;
  int64_t detail = 0;

  // `client_order_id`: as parsed from the command.
  AmendCheck(const Context& context, const wire::AmendOrder& command,
             const ClientOrderId& client_order_id);
  IncomingOrder incoming() const;
  Minutes minutes() const { return order->instrument->MinutesAt(context.now); }
};

bool AmendPostOnlyWouldTrade(AmendCheck& check) {
  return check.order->post_only && !check.keeps_priority && check.remaining > Quantity(0) &&
         AnyCouldTrade(check.order->instrument->book, check.incoming());
}

bool AmendExceedsLease(AmendCheck& check) {
  const Order& order = *check.order;
  if (!order.is_resale) return false;
  const Quantity left = order.lease->gpus - order.lease->resale_open;
  return FailsWith(check, check.remaining - order.remaining > left, left.value());
}

bool AmendExceedsCapacity(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kBuy || order.is_resale) return false;
  const NodeUse use = UseOf(*order.node, *order.instrument);
  const Quantity left = order.node->gpus - use.open - use.sold;
  return FailsWith(check, check.remaining - order.remaining > left,
                   std::max(left, Quantity(0)).value());
}

bool AmendExceedsBondedLimit(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kBuy || order.is_resale) return false;
  const Credits left = order.account->bonded_limit - order.account->exposure;
  const Credits after =
      check.keeps_priority
          ? OrderValue(check.price, check.remaining, check.minutes())
          : AcceptanceExposure(*order.instrument, check.price, check.remaining, check.minutes());
  return FailsWith(check, after - AskExposure(order) > left, std::max(left, Credits(0)).value());
}

bool AmendExceedsCredits(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kSell) return false;
  const Credits more =
      BidLock(check.price, check.remaining, check.minutes(), order.tier) - BidLock(order);
  return FailsWith(check, more > order.account->free, order.account->free.value());
}

bool AmendOverflowsLevel(AmendCheck& check) {
  const Order& order = *check.order;
  if (!MayOverflow(order.instrument->book.order_count(order.side))) return false;
  Quantity resting = order.instrument->book.GpusAt(order.side, check.price);
  if (check.price == order.price) resting -= order.remaining;
  return LevelOverflows(resting, check.remaining);
}

// Makes the plan that the effects go by.
bool AmendFindsEngineFull(AmendCheck& check) {
  const OrderBook& book = check.order->instrument->book;
  if (!check.keeps_priority && check.remaining > Quantity(0) &&
      ReachesBest(book, check.order->side, check.ticks)) {
    PlanMatch(book, check.incoming(), check.plan);
  } else {
    check.plan.Clear();
  }
  return LeasesOverflow(check.context.state, check.plan);
}

constexpr CheckRow<AmendCheck> kAmendRows[] = {
    {RejectReason::kDeadlinePassed,
     [](AmendCheck& c) { return DeadlinePassed(c.context, Timestamp(c.command.deadline_us())); }},
    {RejectReason::kUnknownAccount, [](AmendCheck& c) { return c.account == nullptr; }},
    {RejectReason::kNotPermitted,
     [](AmendCheck& c) { return c.account->kind != AccountKind::kMember; }},
    {RejectReason::kUnknownOrder, [](AmendCheck& c) { return c.order == nullptr; }},
    {RejectReason::kInstrumentHalted,
     [](AmendCheck& c) { return c.order->instrument->state == InstrumentState::kHalted; }},
    {RejectReason::kInvalidQuantity,
     [](AmendCheck& c) { return c.command.gpus() < 0 || c.command.gpus() > kMaxQuantity.value(); }},
    {RejectReason::kInvalidMinFill,
     [](AmendCheck& c) { return c.remaining > Quantity(0) && c.remaining < c.order->min_fill; }},
    {RejectReason::kPriceNotPositive, [](AmendCheck& c) { return c.price <= Price(0); }},
    {RejectReason::kPriceOffTick,
     [](AmendCheck& c) { return c.ticks == PriceGrid::kNone && OffTick(c, *c.order->instrument); }},
    {RejectReason::kPriceOutsideBand, [](AmendCheck& c) { return c.ticks == PriceGrid::kNone; }},
    {RejectReason::kPostOnlyWouldTrade, AmendPostOnlyWouldTrade},
    {RejectReason::kInsufficientLeaseGpus, AmendExceedsLease},
    {RejectReason::kInsufficientCapacity, AmendExceedsCapacity},
    {RejectReason::kBondedLimitExceeded, AmendExceedsBondedLimit},
    {RejectReason::kInsufficientCredits, AmendExceedsCredits},
    {RejectReason::kAmountOverflow, AmendOverflowsLevel},
    {RejectReason::kEngineFull, AmendFindsEngineFull},
};
static_assert(Follow<AmendCheck>(kAmendRows, kAmendOrderPrecedence));

AmendCheck::AmendCheck(const Context& the_context, const wire::AmendOrder& the_command,
                       const ClientOrderId& client_order_id)
    : context(the_context),
      command(the_command),
      account(the_context.state.accounts.Find(AccountId(the_command.header().account_id()))),
      order(account == nullptr ? nullptr
                               : FindOrder(the_context.state, *account,
                                           OrderId(the_command.order_id()), client_order_id)),
      plan(the_context.state.plan) {
  if (order == nullptr) return;
  price = command.price() == 0 ? order->price : Price(command.price());
  ticks = order->instrument->grid().Find(price);
  const Quantity total = command.gpus() == 0 ? order->gpus : Quantity(command.gpus());
  remaining = total <= order->filled() ? Quantity(0) : total - order->filled();
  keeps_priority = price == order->price && remaining <= order->remaining;
}

IncomingOrder AmendCheck::incoming() const {
  return {order->owner,
          order->side,
          price,
          remaining,
          order->min_fill,
          order->assurance,
          order->min_assurance,
          order->self_trade_prevention,
          /*fill_or_kill=*/false};
}

}  // namespace

Refusal Handle(Context& context, const wire::AmendOrder& command) {
  const auto client_order_id = ClientOrderId::FromBytes(command.client_order_id()->Data());
  if (!client_order_id || command.validate_only() > 1) return {RejectReason::kMalformedCommand};
  AmendCheck check(context, command, *client_order_id);
  if (const Refusal refusal = Run<kAmendRows>(check)) return refusal;
  Order& order = *check.order;
  if (command.validate_only() != 0) {
    context.events.Accept(command.header(), wire::RecordType::kAmendOrder, order.id.value());
    return kNoRefusal;
  }
  const uint64_t tag = command.header().tag();
  if (check.remaining == Quantity(0)) {
    CancelOrder(context, order, CancelReason::kAmendedToFilled, tag);
    return kNoRefusal;
  }
  const Claim before = ClaimOf(order);
  const Quantity filled = order.filled();
  if (check.keeps_priority) {
    TakeGpus(context, order, order.remaining - check.remaining);
  } else {
    LeaveBook(context, order);
    order.price = check.price;
    order.remaining = check.remaining;
  }
  order.gpus = filled + check.remaining;
  order.lock_minutes = check.minutes();
  EmitOrderAmended(context, order, tag, check.keeps_priority);
  UpdateClaim(context, order, before);
  if (!check.keeps_priority) ExecutePlan(context, order, check.plan);
  return kNoRefusal;
}

}  // namespace warpbook::engine
