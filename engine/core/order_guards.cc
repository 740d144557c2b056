// SetOrderGuard and WithdrawOrder: what the gateway does for members that are not heard of any
// more. Guards are no part of the state: the gateway keeps them.
#include "engine/core/handlers.h"
#include "engine/core/order_checks.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

bool IsWellFormed(const wire::SetOrderGuard& command) {
  const bool has_session = command.session() != 0;
  const bool has_deadline = command.deadline_us() != 0;
  if (command.deadline_us() < 0) return false;
  switch (static_cast<OrderGuardMode>(command.mode())) {
    case OrderGuardMode::kOff:
      return !has_session || !has_deadline;
    case OrderGuardMode::kSession:
    case OrderGuardMode::kAccount:
      return has_session && !has_deadline;
    case OrderGuardMode::kTimer:
      return !has_session && has_deadline;
  }
  return false;
}

}  // namespace

Refusal Handle(Context& context, const wire::SetOrderGuard& command) {
  if (!IsWellFormed(command)) return {RejectReason::kMalformedCommand};
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  context.events.Accept(command.header(), wire::RecordType::kSetOrderGuard, 0);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::WithdrawOrder& command) {
  const auto reason = static_cast<CancelReason>(command.reason());
  if (reason != CancelReason::kDisconnected && reason != CancelReason::kTimer) {
    return {RejectReason::kMalformedCommand};
  }
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  const Account* account = context.state.accounts.Find(AccountId(command.target_account_id()));
  Order* order = account == nullptr ? nullptr
                                    : FindOrder(context.state, *account,
                                                OrderId(command.order_id()), ClientOrderId());
  if (order == nullptr) return {RejectReason::kUnknownOrder};
  CancelOrder(context, *order, reason, command.header().tag());
  return kNoRefusal;
}

}  // namespace warpbook::engine
