#include "gateway/publish/order_outcome.h"

#include "gateway/publish/message_fields.h"

namespace warpbook::gateway {
namespace {

ClientOrderId ClientOrderIdOf(const flatbuffers::Array<uint8_t, 32>& bytes) {
  return ClientOrderId::FromBytes(bytes.Data()).value_or(ClientOrderId());
}

}  // namespace

OrderOutcome OutcomeOf(const wire::OrderAccepted& event) {
  return {.kind = OrderOutcome::Kind::kPlaced,
          .order = OrderId(event.order_id()),
          .client_order_id = ClientOrderIdOf(*event.client_order_id())};
}

OrderOutcome OutcomeOf(const wire::OrderAmended& event) {
  return {.kind = OrderOutcome::Kind::kAmended,
          .order = OrderId(event.order_id()),
          .price = Price(event.price()),
          .gpus = Quantity(event.gpus()),
          .remaining = Quantity(event.remaining()),
          .kept_priority = event.kept_priority() != 0};
}

OrderOutcome OutcomeOf(const wire::OrderCancelled& event) {
  return {.kind = OrderOutcome::Kind::kCancelled,
          .order = OrderId(event.order_id()),
          .remaining = Quantity(event.remaining())};
}

OrderOutcome OutcomeOf(wire::RecordView command, const wire::CommandAccepted& event) {
  OrderOutcome outcome{.kind = event.duplicate() != 0 ? OrderOutcome::Kind::kRepeated
                                                      : OrderOutcome::Kind::kValidated,
                       .order = OrderId(event.result_id())};
  if (command.type() == wire::RecordType::kPlaceOrder) {
    outcome.client_order_id = ClientOrderIdOf(*command.as<wire::PlaceOrder>().client_order_id());
  }
  return outcome;
}

void WriteOrderOutcome(MessageWriter& out, Method method, const OrderOutcome& outcome) {
  if (outcome.order) out.FieldId("order_id", outcome.order.value());
  WriteClientOrderId(out, outcome.client_order_id);
  switch (outcome.kind) {
    case OrderOutcome::Kind::kPlaced:
      return;
    case OrderOutcome::Kind::kRepeated:
      out.Field("duplicate", true);
      return;
    case OrderOutcome::Kind::kValidated:
      out.Field("validated", true);
      return;
    case OrderOutcome::Kind::kAmended:
      out.Field("price", outcome.price).Field("gpus", outcome.gpus);
      out.Field("remaining", outcome.remaining).Field("kept_priority", outcome.kept_priority);
      return;
    case OrderOutcome::Kind::kCancelled:
      if (method == Method::kOrderAmend) {
        out.Field("cancelled", true);
      } else {
        out.Field("cancelled_gpus", outcome.remaining);
      }
      return;
  }
}

}  // namespace warpbook::gateway
