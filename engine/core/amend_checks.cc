#include "engine/core/check_rows.h"

namespace warpbook::engine {
namespace {

bool AmendPostOnlyWouldTrade(AmendCheck& check) {
  return check.order->post_only && !check.keeps_priority && check.remaining > Quantity(0) &&
         AnyCouldTrade(check.order->instrument->book, check.incoming());
}

bool AmendExceedsCapacity(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kBuy) return false;
  const NodeUse use = UseOf(*order.node, *order.instrument);
  const Quantity left = order.node->gpus - use.open - use.sold;
  check.detail = std::max(left, Quantity(0)).value();
  return check.remaining - order.remaining > left;
}

bool AmendExceedsBondedLimit(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kBuy) return false;
  const Credits left = order.account->bonded_limit - order.account->exposure;
  check.detail = std::max(left, Credits(0)).value();
  const Credits after =
      check.keeps_priority
          ? OrderValue(check.price, check.remaining, check.minutes())
          : AcceptanceExposure(*order.instrument, check.price, check.remaining, check.minutes());
  return after - AskExposure(order) > left;
}

bool AmendExceedsCredits(AmendCheck& check) {
  const Order& order = *check.order;
  if (order.side == Side::kSell) return false;
  check.detail = order.account->free.value();
  return BidLock(check.price, check.remaining, check.minutes(), order.tier) - BidLock(order) >
         order.account->free;
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
  check.plan.Clear();
  if (!check.keeps_priority && check.remaining > Quantity(0)) {
    PlanMatch(check.order->instrument->book, check.incoming(), check.plan);
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
     [](AmendCheck& c) {
       c.detail = c.order->instrument->tick.value();
       return c.price.value() % c.order->instrument->tick.value() != 0;
     }},
    {RejectReason::kPriceOutsideBand,
     [](AmendCheck& c) { return OutsideBand(*c.order->instrument, c.price); }},
    {RejectReason::kPostOnlyWouldTrade, AmendPostOnlyWouldTrade},
    {RejectReason::kInsufficientCapacity, AmendExceedsCapacity},
    {RejectReason::kBondedLimitExceeded, AmendExceedsBondedLimit},
    {RejectReason::kInsufficientCredits, AmendExceedsCredits},
    {RejectReason::kAmountOverflow, AmendOverflowsLevel},
    {RejectReason::kEngineFull, AmendFindsEngineFull},
};
static_assert(Follow<AmendCheck>(kAmendRows, kAmendOrderPrecedence));

}  // namespace

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

Order* FindOrder(State& state, const Account& account, OrderId id,
                 const ClientOrderId& client_order_id) {
  if (!id) {
    if (client_order_id.empty() || account.client_order_ids == nullptr) return nullptr;
    const ClientOrderIds::Entry* entry = account.client_order_ids->Find(client_order_id);
    if (entry == nullptr || !entry->live) return nullptr;
    id = entry->order;
  }
  Order* order = state.orders.Find(id);
  return order == nullptr || order->account != &account ? nullptr : order;
}

Refusal RunChecks(AmendCheck& check) { return Run<kAmendRows>(check); }

}  // namespace warpbook::engine
