#include <algorithm>

#include "engine/core/handlers.h"
#include "engine/core/order_checks.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

Order& MakeOrder(Context& context, const PlaceCheck& check) {
  State& state = context.state;
  const OrderContent& content = check.request.content;
  Order& order = *state.order_memory.Acquire();
  order.id = OrderId(++state.last_order_id);
  order.owner = check.account->owner;
  order.account = check.account;
  order.instrument = check.instrument;
  order.node = check.node;
  order.price = check.price;
  const Timestamp gate = check.instrument->gate;
  order.expires =
      content.time_in_force == TimeInForce::kGtd ? std::min(content.expires, gate) : gate;
  order.gpus = content.gpus;
  order.remaining = content.gpus;
  order.min_fill = content.min_fill;
  order.lock_minutes = check.minutes;
  order.side = content.side;
  order.type = content.type;
  order.time_in_force = content.time_in_force;
  order.tier = content.tier;
  if (check.node != nullptr) order.assurance = check.node->assurance;
  order.min_assurance = content.min_assurance;
  order.self_trade_prevention = content.self_trade_prevention;
  order.post_only = content.post_only;
  if (!check.request.client_order_id.empty()) {
    order.client_order_id = state.client_order_id_memory.Acquire();
    *order.client_order_id = check.request.client_order_id;
  }
  return order;
}

// The order that this request has made before; null where it has not.
const ClientOrderIds::Entry* FindRepeated(const PlaceCheck& check) {
  if (check.account == nullptr || check.account->client_order_ids == nullptr) return nullptr;
  if (check.request.client_order_id.empty()) return nullptr;
  const ClientOrderIds::Entry* entry =
      check.account->client_order_ids->Find(check.request.client_order_id);
  return entry != nullptr && entry->content == check.request.content ? entry : nullptr;
}

}  // namespace

Refusal Handle(Context& context, const wire::PlaceOrder& command) {
  const wire::CommandHeader& header = command.header();
  const auto request = ParsePlaceOrder(command);
  if (!request) return {RejectReason::kMalformedCommand};
  PlaceCheck check(context, *request, AccountId(header.account_id()));
  if (const ClientOrderIds::Entry* repeated = FindRepeated(check)) {
    context.events.Accept(header, wire::RecordType::kPlaceOrder, repeated->order.value(),
                          /*duplicate=*/true);
    return kNoRefusal;
  }
  if (const Refusal refusal = RunChecks(check)) return refusal;
  if (request->validate_only) {
    context.events.Accept(header, wire::RecordType::kPlaceOrder, 0);
    return kNoRefusal;
  }
  Order& order = MakeOrder(context, check);
  AcceptOrder(context, order, request->content, header.tag());
  ExecutePlan(context, order, check.plan);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::AmendOrder& command) {
  const auto client_order_id = ClientOrderId::FromBytes(command.client_order_id()->Data());
  if (!client_order_id) return {RejectReason::kMalformedCommand};
  AmendCheck check(context, command, *client_order_id);
  if (const Refusal refusal = RunChecks(check)) return refusal;
  Order& order = *check.order;
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
