#include "gateway/publish/private_messages.h"

#include "gateway/publish/json_fields.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// Writes one object into a string of its own.
template <typename WriteFields>
std::string Object(WriteFields&& write_fields) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject();
  write_fields(json);
  json.EndObject();
  return text;
}

std::string_view SymbolOf(const MarketState& state, uint32_t instrument_id) {
  const InstrumentRow* instrument = state.FindInstrument(InstrumentId(instrument_id));
  return instrument == nullptr ? std::string_view() : instrument->terms->symbol;
}

template <typename E>
std::string_view WordOf(uint8_t value) {
  return Name(static_cast<E>(value));
}

// A bid has a tier, an ask the assurance of its node.
void WriteQueue(JsonWriter& json, Side side, uint8_t queue) {
  if (side == Side::kBuy) {
    json.Field("tier", WordOf<Tier>(queue));
  } else {
    json.Field("assurance", WordOf<Assurance>(queue));
  }
}

// What every execution begins with.
template <typename Event>
void BeginExecution(JsonWriter& json, std::string_view name, const Event& event,
                    const MarketState& state) {
  json.Field("event", name).FieldText("order_id", event.order_id());
  WriteClientOrderId(json, ClientOrderId::FromBytes(event.client_order_id()->Data()));
  json.Field("symbol", SymbolOf(state, event.instrument_id()));
}

void WriteOrder(JsonWriter& json, const OrderRow& order, const MarketState& state) {
  json.BeginObject().FieldText("order_id", order.id.value());
  WriteClientOrderId(json, order.client_order_id);
  json.Field("symbol", SymbolOf(state, order.instrument.value()));
  json.Field("side", Name(order.side)).Field("order_type", Name(order.type));
  json.Field("price", FormatPrice(order.price)).Field("gpus", order.gpus.value());
  json.Field("filled", (order.gpus - order.remaining).value());
  json.Field("remaining", order.remaining.value());
  WriteQueue(json, order.side, order.queue);
  if (order.side == Side::kBuy) json.Field("min_assurance", Name(order.min_assurance));
  json.Field("time_in_force", Name(order.time_in_force));
  json.Field("min_fill", order.min_fill.value()).Field("expires", order.expires.micros());
  json.Field("post_only", order.post_only);
  if (order.node) json.FieldText("node", order.node.value());
  if (order.lease) json.FieldText("lease", order.lease.value());
  json.EndObject();
}

// As its provider or its buyer sees it: each has a price of its own where it was resold.
void WriteLeaseFields(JsonWriter& json, const LeaseRow& lease, bool is_provider) {
  json.FieldText("lease_id", lease.id.value());
  json.Field("symbol", lease.terms->symbol).Field("state", Name(lease.state));
  json.Field("completed", lease.completed).Field("role", is_provider ? "provider" : "buyer");
  json.Field("price", FormatPrice(is_provider ? lease.provider_price : lease.price));
  json.Field("gpus", lease.gpus.value()).Field("minutes", lease.minutes.value());
  json.Field("delivery_start", lease.delivery_start.micros());
  json.Field("delivery_end", lease.delivery_end.micros());
  if (is_provider) json.FieldText("node", lease.node.value());
}

void WriteNode(JsonWriter& json, const NodeRow& node, const Catalogue& catalogue) {
  json.BeginObject().FieldText("node", node.id.value());
  WriteClassAndRegion(json, catalogue, node.class_id, node.region_id);
  json.Field("gpus", node.registered.value()).Field("approved", node.approved);
  json.Field("approved_gpus", node.capacity.value());
  json.Field("assurance", Name(node.assurance)).EndObject();
}

void WriteBalanceRows(JsonWriter& json, const AccountRow& account) {
  json.BeginObject().Field("asset", "CREDIT");
  WriteCredits(json, "free", account.free);
  WriteCredits(json, "locked", account.locked);
  WriteCredits(json, "escrow", account.escrow);
  json.EndObject();
  json.BeginObject().Field("asset", "TOK").Field("balance", FormatTokens(account.tokens));
  json.EndObject();
}

}  // namespace

std::string ExecutionOf(const wire::OrderAccepted& event, const MarketState& state) {
  return Object([&](JsonWriter& json) {
    BeginExecution(json, "accepted", event, state);
    json.Field("side", WordOf<Side>(event.side()));
    json.Field("order_type", WordOf<OrderType>(event.type()));
    json.Field("price", FormatPrice(Price(event.price()))).Field("gpus", event.gpus());
    WriteQueue(json, static_cast<Side>(event.side()), event.tier());
    json.Field("time_in_force", WordOf<TimeInForce>(event.time_in_force()));
    json.Field("min_fill", event.min_fill()).Field("expires", event.expires_us());
    json.Field("post_only", event.post_only() != 0);
    if (event.backing_id() != 0) {
      json.FieldText(event.is_resale() != 0 ? "lease" : "node", event.backing_id());
    }
  });
}

std::string ExecutionOf(const wire::OrderFilled& event, const MarketState& state) {
  return Object([&](JsonWriter& json) {
    BeginExecution(json, "filled", event, state);
    json.Field("side", WordOf<Side>(event.side())).FieldText("lease_id", event.lease_id());
    json.Field("price", FormatPrice(Price(event.price()))).Field("gpus", event.gpus());
    json.Field("remaining", event.remaining()).Field("minutes", event.minutes());
    WriteCredits(json, "notional", Credits(event.notional()));
    WriteCredits(json, "surcharge", Credits(event.surcharge()));
    json.Field("delivery_start", event.delivery_start_us());
    json.Field("delivery_end", event.delivery_end_us());
    json.Field("liquidity", event.is_maker() != 0 ? "maker" : "taker");
  });
}

std::string ExecutionOf(const wire::OrderAmended& event, const MarketState& state) {
  return Object([&](JsonWriter& json) {
    BeginExecution(json, "amended", event, state);
    if (const OrderRow* order = state.FindOrder(OrderId(event.order_id()))) {
      json.Field("side", Name(order->side));
    }
    json.Field("price", FormatPrice(Price(event.price()))).Field("gpus", event.gpus());
    json.Field("remaining", event.remaining());
    json.Field("kept_priority", event.kept_priority() != 0);
  });
}

std::string ExecutionOf(const wire::OrderCancelled& event, const MarketState& state) {
  return Object([&](JsonWriter& json) {
    BeginExecution(json, "cancelled", event, state);
    json.Field("side", WordOf<Side>(event.side()));
    json.Field("reason", WordOf<CancelReason>(event.reason()));
    json.Field("filled", event.filled()).Field("remaining", event.remaining());
  });
}

std::string BalanceOf(const wire::CreditsMoved& event) {
  return Object([&](JsonWriter& json) {
    json.Field("asset", "CREDIT");
    WriteCredits(json, "free", Credits(event.free_after()));
    WriteCredits(json, "locked", Credits(event.locked_after()));
    json.FieldText("change", event.amount());
    json.Field("from", WordOf<CreditBucket>(event.source()));
    json.Field("to", WordOf<CreditBucket>(event.destination()));
    if (event.lease_id() != 0) json.FieldText("lease_id", event.lease_id());
    if (event.order_id() != 0) json.FieldText("order_id", event.order_id());
  });
}

std::string TokenBalance(Tokens balance, Tokens change, std::string_view cause) {
  return Object([&](JsonWriter& json) {
    json.Field("asset", "TOK").Field("balance", FormatTokens(balance));
    json.Field("change", FormatTokens(change)).Field("cause", cause);
  });
}

std::string ReservedLease(const LeaseRow& lease, bool is_provider) {
  return Object([&](JsonWriter& json) { WriteLeaseFields(json, lease, is_provider); });
}

std::string ResoldLease(const wire::LeaseResold& event, const LeaseRow& resold) {
  const bool is_provider = event.is_provider() != 0;
  return Object([&](JsonWriter& json) {
    WriteLeaseFields(json, resold, is_provider);
    json.Field("resold_gpus", event.gpus());
    if (!is_provider) json.Field("resold_price", FormatPrice(Price(event.price())));
    json.FieldText("resold_as", event.lease_id());
  });
}

std::string LeaseChange(const wire::LeaseChanged& event, const MarketState& state) {
  return Object([&](JsonWriter& json) {
    json.FieldText("lease_id", event.lease_id());
    json.Field("symbol", SymbolOf(state, event.instrument_id()));
    json.Field("state", WordOf<LeaseState>(event.state()));
    json.Field("completed", event.completed() != 0);
    json.Field("role", event.is_provider() != 0 ? "provider" : "buyer");
  });
}

std::string PrivateUpdate(const PrivateHead& head, std::string_view objects) {
  return Object([&](JsonWriter& json) {
    json.Field("channel", ChannelName(head.channel)).Field("type", "update");
    json.Field("seq", head.sequence).Field("prev_seq", head.previous_sequence);
    json.Field("ts", head.ts_us);
    json.Key("data").BeginArray().Raw(objects).EndArray();
  });
}

std::string PrivateSnapshot(Channel channel, const AccountRow& account, const MarketState& state,
                            int64_t ts_us) {
  return Object([&](JsonWriter& json) {
    json.Field("channel", ChannelName(channel)).Field("type", "snapshot");
    json.Field("seq", account.last_sequence).Field("ts", ts_us);
    json.Key("data");
    if (channel == Channel::kExecutions) {
      WriteOrders(json, account, state);
    } else if (channel == Channel::kLeases) {
      WriteLeases(json, account, state);
    } else {
      json.BeginArray();
      WriteBalanceRows(json, account);
      json.EndArray();
    }
  });
}

void WriteBalances(JsonWriter& json, const AccountRow& account) {
  WriteCredits(json, "free", account.free);
  WriteCredits(json, "locked", account.locked);
  WriteCredits(json, "escrow", account.escrow);
  json.Field("tok", FormatTokens(account.tokens));
  WriteCredits(json, "bonded_limit", account.bonded_limit);
}

void WriteOrders(JsonWriter& json, const AccountRow& account, const MarketState& state) {
  json.BeginArray();
  for (const OrderId id : account.orders) WriteOrder(json, *state.FindOrder(id), state);
  json.EndArray();
}

void WriteLeases(JsonWriter& json, const AccountRow& account, const MarketState& state) {
  json.BeginArray();
  for (const LeaseId id : account.leases) {
    const LeaseRow& lease = *state.FindLease(id);
    // A provider can buy its own GPUs back.
    for (const bool is_provider : {true, false}) {
      if ((is_provider ? lease.provider : lease.buyer) != account.id) continue;
      json.BeginObject();
      WriteLeaseFields(json, lease, is_provider);
      json.EndObject();
    }
  }
  json.EndArray();
}

void WriteNodes(JsonWriter& json, const AccountRow& account, const MarketState& state) {
  json.BeginArray();
  for (const NodeId id : account.nodes) WriteNode(json, *state.FindNode(id), state.catalogue());
  json.EndArray();
}

}  // namespace warpbook::gateway
