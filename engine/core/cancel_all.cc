// CancelAllOrders. It concerns one account, so what it does is bounded by orders_per_account_max.
#include "engine/core/handlers.h"
#include "engine/core/order_checks.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

constexpr uint8_t kBothSides = 2;

// What the gateway asks for in the exchange's name, for a session of the account.
bool IsOfSession(CancelReason reason) {
  return reason == CancelReason::kDisconnected || reason == CancelReason::kTimer;
}

// Whose orders are to go: the account that sends the command or, from an operator and from the
// exchange, the member that it names.
Sender FindTarget(Context& context, const wire::CancelAllOrders& command) {
  Accounts& accounts = context.state.accounts;
  const AccountId from = AccountId(command.header().account_id());
  const AccountId named = AccountId(command.target_account_id());
  Account* sender = accounts.Find(from);
  if (from && sender == nullptr) return {nullptr, {RejectReason::kUnknownAccount}};
  const bool is_member = sender != nullptr && sender->kind == AccountKind::kMember;
  const bool is_operator = sender != nullptr && sender->kind == AccountKind::kOperator;
  const bool may_ask = IsOfSession(static_cast<CancelReason>(command.reason()))
                           ? !from
                           : is_operator || (is_member && (!named || named == from));
  if (!may_ask) return {nullptr, {RejectReason::kNotPermitted}};
  Account* target = is_member ? sender : accounts.Find(named);
  if (target == nullptr) return {nullptr, {RejectReason::kUnknownAccount}};
  if (target->kind != AccountKind::kMember) return {nullptr, {RejectReason::kNotPermitted}};
  return {target, kNoRefusal};
}

bool Matches(const wire::CancelAllOrders& command, const Order& order) {
  const Instrument& instrument = *order.instrument;
  return (command.instrument_id() == 0 || command.instrument_id() == instrument.id.value()) &&
         (command.class_id() == 0 || command.class_id() == instrument.class_id.value()) &&
         (command.side() == kBothSides || command.side() == static_cast<uint8_t>(order.side));
}

}  // namespace

Refusal Handle(Context& context, const wire::CancelAllOrders& command) {
  const auto reason = static_cast<CancelReason>(command.reason());
  if (reason != CancelReason::kRequested && !IsOfSession(reason)) {
    return {RejectReason::kMalformedCommand};
  }
  if (command.side() > kBothSides) return {RejectReason::kMalformedCommand};
  if (DeadlinePassed(context, Timestamp(command.deadline_us()))) {
    return {RejectReason::kDeadlinePassed};
  }
  const Sender target = FindTarget(context, command);
  if (target.refusal) return target.refusal;
  const InstrumentId instrument = InstrumentId(command.instrument_id());
  if (instrument && !context.state.instruments.IsKnown(instrument)) {
    return {RejectReason::kUnknownInstrument};
  }
  // The reply comes first and says how many: they are counted before the first one goes.
  uint64_t count = 0;
  for (const Order* order = target.account->first_order; order != nullptr;
       order = order->account_next) {
    if (Matches(command, *order)) ++count;
  }
  context.events.Accept(command.header(), wire::RecordType::kCancelAllOrders, count);
  for (Order* order = target.account->first_order; order != nullptr;) {
    Order* next = order->account_next;
    if (Matches(command, *order)) CancelOrder(context, *order, reason, 0);
    order = next;
  }
  return kNoRefusal;
}

}  // namespace warpbook::engine
