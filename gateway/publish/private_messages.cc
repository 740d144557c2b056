#include "gateway/publish/private_messages.h"

#include "gateway/publish/message_fields.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

std::string_view SymbolOf(const MarketState& state, uint32_t instrument_id) {
  const InstrumentRow* instrument = state.FindInstrument(InstrumentId(instrument_id));
  return instrument == nullptr ? std::string_view() : instrument->terms->symbol;
}

template <typename E>
std::string_view WordOf(uint8_t value) {
  return Name(static_cast<E>(value));
}

// A bid has a tier, an ask the assurance of its node.
void WriteQueue(MessageWriter& out, Side side, uint8_t queue) {
  if (side == Side::kBuy) {
    out.Field("tier", WordOf<Tier>(queue));
  } else {
    out.Field("assurance", WordOf<Assurance>(queue));
  }
}

// What every execution begins with.
template <typename Event>
void BeginExecution(MessageWriter& out, std::string_view name, const Event& event,
                    const MarketState& state) {
  out.Field("event", name).FieldId("order_id", event.order_id());
  WriteClientOrderId(out, ClientOrderId::FromBytes(event.client_order_id()->Data()));
  out.Field("symbol", SymbolOf(state, event.instrument_id()));
}

void WriteOrderFields(MessageWriter& out, const OrderRow& order, const MarketState& state) {
  out.FieldId("order_id", order.id.value());
  WriteClientOrderId(out, order.client_order_id);
  out.Field("symbol", SymbolOf(state, order.instrument.value()));
  out.Field("side", Name(order.side)).Field("order_type", Name(order.type));
  out.Field("price", order.price).Field("gpus", order.gpus.value());
  out.Field("filled", (order.gpus - order.remaining).value());
  out.Field("remaining", order.remaining.value());
  WriteQueue(out, order.side, order.queue);
  if (order.side == Side::kBuy) out.Field("min_assurance", Name(order.min_assurance));
  out.Field("time_in_force", Name(order.time_in_force));
  out.Field("min_fill", order.min_fill.value()).Field("expires", order.expires.micros());
  out.Field("post_only", order.post_only);
  if (order.node) out.FieldId("node", order.node.value());
  if (order.lease) out.FieldId("lease", order.lease.value());
}

void WriteOrder(MessageWriter& out, const OrderRow& order, const MarketState& state) {
  out.BeginObject();
  WriteOrderFields(out, order, state);
  out.EndObject();
}

// As its provider or its buyer sees it: each has a price of its own where it was resold.
void WriteLeaseFields(MessageWriter& out, const LeaseRow& lease, bool is_provider) {
  out.FieldId("lease_id", lease.id.value());
  out.Field("symbol", lease.terms->symbol).Field("state", Name(lease.state));
  out.Field("completed", lease.completed).Field("role", is_provider ? "provider" : "buyer");
  out.Field("price", is_provider ? lease.provider_price : lease.price);
  out.Field("gpus", lease.gpus.value()).Field("minutes", lease.minutes.value());
  out.Field("delivery_start", lease.delivery_start.micros());
  out.Field("delivery_end", lease.delivery_end.micros());
  if (is_provider) out.FieldId("node", lease.node.value());
}

void WriteNode(MessageWriter& out, const NodeRow& node, const Catalogue& catalogue) {
  out.BeginObject().FieldId("node", node.id.value());
  WriteClassAndRegion(out, catalogue, node.class_id, node.region_id);
  out.Field("gpus", node.registered.value()).Field("approved", node.approved);
  out.Field("approved_gpus", node.capacity.value());
  out.Field("assurance", Name(node.assurance)).EndObject();
}

void WriteBalanceRows(MessageWriter& out, const AccountRow& account) {
  out.BeginObject().Field("asset", "CREDIT");
  out.Field("free", account.free);
  out.Field("locked", account.locked);
  out.Field("escrow", account.escrow);
  out.EndObject();
  out.BeginObject().Field("asset", "TOK").Field("balance", account.tokens);
  out.EndObject();
}

}  // namespace

void WriteExecution(MessageWriter& out, const wire::OrderAccepted& event,
                    const MarketState& state) {
  out.BeginObject();
  BeginExecution(out, "accepted", event, state);
  out.Field("side", WordOf<Side>(event.side()));
  out.Field("order_type", WordOf<OrderType>(event.type()));
  out.Field("price", Price(event.price())).Field("gpus", event.gpus());
  WriteQueue(out, static_cast<Side>(event.side()), event.tier());
  out.Field("time_in_force", WordOf<TimeInForce>(event.time_in_force()));
  out.Field("min_fill", event.min_fill()).Field("expires", event.expires_us());
  out.Field("post_only", event.post_only() != 0);
  if (event.backing_id() != 0) {
    out.FieldId(event.is_resale() != 0 ? "lease" : "node", event.backing_id());
  }
  out.EndObject();
}

void WriteExecution(MessageWriter& out, const wire::OrderFilled& event, const MarketState& state) {
  out.BeginObject();
  BeginExecution(out, "filled", event, state);
  out.Field("side", WordOf<Side>(event.side())).FieldId("lease_id", event.lease_id());
  out.Field("price", Price(event.price())).Field("gpus", event.gpus());
  out.Field("remaining", event.remaining()).Field("minutes", event.minutes());
  out.Field("notional", Credits(event.notional()));
  out.Field("surcharge", Credits(event.surcharge()));
  out.Field("delivery_start", event.delivery_start_us());
  out.Field("delivery_end", event.delivery_end_us());
  out.Field("liquidity", event.is_maker() != 0 ? "maker" : "taker");
  out.EndObject();
}

void WriteExecution(MessageWriter& out, const wire::OrderAmended& event, const MarketState& state) {
  out.BeginObject();
  BeginExecution(out, "amended", event, state);
  if (const OrderRow* order = state.FindOrder(OrderId(event.order_id()))) {
    out.Field("side", Name(order->side));
  }
  out.Field("price", Price(event.price())).Field("gpus", event.gpus());
  out.Field("remaining", event.remaining());
  out.Field("kept_priority", event.kept_priority() != 0);
  out.EndObject();
}

void WriteExecution(MessageWriter& out, const wire::OrderCancelled& event,
                    const MarketState& state) {
  out.BeginObject();
  BeginExecution(out, "cancelled", event, state);
  out.Field("side", WordOf<Side>(event.side()));
  out.Field("reason", WordOf<CancelReason>(event.reason()));
  out.Field("filled", event.filled()).Field("remaining", event.remaining());
  out.EndObject();
}

void WriteBalanceChange(MessageWriter& out, const wire::CreditsMoved& event) {
  out.BeginObject();
  out.Field("asset", "CREDIT");
  out.Field("free", Credits(event.free_after()));
  out.Field("locked", Credits(event.locked_after()));
  out.FieldId("change", event.amount());
  out.Field("from", WordOf<CreditBucket>(event.source()));
  out.Field("to", WordOf<CreditBucket>(event.destination()));
  if (event.lease_id() != 0) out.FieldId("lease_id", event.lease_id());
  if (event.order_id() != 0) out.FieldId("order_id", event.order_id());
  out.EndObject();
}

void WriteTokenBalance(MessageWriter& out, Tokens balance, Tokens change, std::string_view cause) {
  out.BeginObject();
  out.Field("asset", "TOK").Field("balance", balance);
  out.Field("change", change).Field("cause", cause);
  out.EndObject();
}

void WriteReservedLease(MessageWriter& out, const LeaseRow& lease, bool is_provider) {
  out.BeginObject();
  WriteLeaseFields(out, lease, is_provider);
  out.EndObject();
}

void WriteResoldLease(MessageWriter& out, const wire::LeaseResold& event, const LeaseRow& resold) {
  const bool is_provider = event.is_provider() != 0;
  out.BeginObject();
  WriteLeaseFields(out, resold, is_provider);
  out.Field("resold_gpus", event.gpus());
  if (!is_provider) out.Field("resold_price", Price(event.price()));
  out.FieldId("resold_as", event.lease_id());
  out.EndObject();
}

void WriteLeaseChange(MessageWriter& out, const wire::LeaseChanged& event,
                      const MarketState& state) {
  out.BeginObject();
  out.FieldId("lease_id", event.lease_id());
  out.Field("symbol", SymbolOf(state, event.instrument_id()));
  out.Field("state", WordOf<LeaseState>(event.state()));
  out.Field("completed", event.completed() != 0);
  out.Field("role", event.is_provider() != 0 ? "provider" : "buyer");
  out.EndObject();
}

void BeginPrivateUpdate(MessageWriter& out, const PrivateHead& head) {
  out.BeginObject().Field("channel", ChannelName(head.channel)).Field("type", "update");
  out.Field("seq", head.sequence).Field("prev_seq", head.previous_sequence);
  out.Field("ts", head.ts_us).Key("data").BeginArray();
}

void EndPrivateUpdate(MessageWriter& out) { out.EndArray().EndObject().Finish(); }

void WritePrivateSnapshot(MessageWriter& out, Channel channel, const AccountRow& account,
                          const MarketState& state, int64_t ts_us) {
  out.BeginObject().Field("channel", ChannelName(channel)).Field("type", "snapshot");
  out.Field("seq", account.last_sequence).Field("ts", ts_us).Key("data");
  if (channel == Channel::kExecutions) {
    WriteOrders(out, account, state);
  } else if (channel == Channel::kLeases) {
    WriteLeases(out, account, state);
  } else {
    out.BeginArray();
    WriteBalanceRows(out, account);
    out.EndArray();
  }
  out.EndObject().Finish();
}

void WriteBalances(MessageWriter& out, const AccountRow& account) {
  out.Field("free", account.free);
  out.Field("locked", account.locked);
  out.Field("escrow", account.escrow);
  out.Field("tok", account.tokens);
  out.Field("bonded_limit", account.bonded_limit);
}

void WriteOrders(MessageWriter& out, const AccountRow& account, const MarketState& state) {
  out.BeginArray();
  for (const OrderId id : account.orders) WriteOrder(out, *state.FindOrder(id), state);
  out.EndArray();
}

void WriteLeases(MessageWriter& out, const AccountRow& account, const MarketState& state) {
  out.BeginArray();
  for (const LeaseId id : account.leases) {
    const LeaseRow& lease = *state.FindLease(id);
    // A provider can buy its own GPUs back.
    for (const bool is_provider : {true, false}) {
      if ((is_provider ? lease.provider : lease.buyer) != account.id) continue;
      out.BeginObject();
      WriteLeaseFields(out, lease, is_provider);
      out.EndObject();
    }
  }
  out.EndArray();
}

void WriteNodes(MessageWriter& out, const AccountRow& account, const MarketState& state) {
  out.BeginArray();
  for (const NodeId id : account.nodes) WriteNode(out, *state.FindNode(id), state.catalogue());
  out.EndArray();
}

void WriteOrderStatus(MessageWriter& out, const OrderRow& order, const MarketState& state) {
  out.Field("status", "open");
  WriteOrderFields(out, order, state);
}

void WriteOrderStatus(MessageWriter& out, const FinishedOrder& order, const MarketState& state) {
  out.Field("status", order.cancelled ? "cancelled" : "filled");
  out.FieldId("order_id", order.id.value());
  WriteClientOrderId(out, order.client_order_id);
  out.Field("symbol", SymbolOf(state, order.instrument.value()));
  out.Field("side", Name(order.side)).Field("price", order.price).Field("gpus", order.gpus);
  out.Field("filled", order.gpus - order.remaining).Field("remaining", order.remaining);
  if (order.cancelled) out.Field("reason", Name(order.reason));
  out.Field("time", order.time.micros());
}

}  // namespace warpbook::gateway
