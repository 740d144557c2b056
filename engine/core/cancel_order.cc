// CancelOrder, and how a command names a live order.
#include "engine/core/handlers.h"
#include "engine/core/order_checks.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {

Order* FindOrder(State& state, const Account& account, OrderId id,
                 const ClientOrderId& client_order_id) {
  if (!id) {
    if (client_order_id.empty()) return nullptr;
    const auto remembered = state.client_order_ids.Find(account.id, client_order_id);
    if (!remembered || !remembered->live) return nullptr;
    id = remembered->order;
  }
  Order* order = state.orders.Find(id);
  return order == nullptr || order->account != &account ? nullptr : order;
}

Refusal Handle(Context& context, const wire::CancelOrder& command) {
  const auto client_order_id = ClientOrderId::FromBytes(command.client_order_id()->Data());
  if (!client_order_id) return {RejectReason::kMalformedCommand};
  if (DeadlinePassed(context, Timestamp(command.deadline_us()))) {
    return {RejectReason::kDeadlinePassed};
  }
  const Sender sender = FindSender(context, command.header(), AccountKind::kMember);
  if (sender.refusal) return sender.refusal;
  Order* order =
      FindOrder(context.state, *sender.account, OrderId(command.order_id()), *client_order_id);
  if (order == nullptr) return {RejectReason::kUnknownOrder};
  CancelOrder(context, *order, CancelReason::kRequested, command.header().tag());
  return kNoRefusal;
}

}  // namespace warpbook::engine
