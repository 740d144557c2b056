#include "gateway/publish/private_messages.h"

#include <algorithm>
#include <optional>
#include <string>

#include "gateway/publish/message_fields.h"
#include "schema/types/decimal.h"
#include "schema/types/judgement_reason.h"

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

// A lease as its provider or its buyer sees it: each has a price of its own where it was resold.
struct LeaseView {
  LeaseId id;
  std::string_view symbol;
  LeaseState state = LeaseState::kReserved;
  bool completed = false;
  bool is_provider = false;
  std::optional<Price> price;
  Quantity gpus;
  Minutes minutes;
  Timestamp delivery_start, delivery_end;
  NodeId node;
};

void WriteLeaseFields(MessageWriter& out, const LeaseView& lease) {
  out.FieldId("lease_id", lease.id.value());
  out.Field("symbol", lease.symbol).Field("state", Name(lease.state));
  out.Field("completed", lease.completed);
  out.Field("role", lease.is_provider ? "provider" : "buyer");
  if (lease.price) out.Field("price", *lease.price);
  out.Field("gpus", lease.gpus.value()).Field("minutes", lease.minutes.value());
  out.Field("delivery_start", lease.delivery_start.micros());
  out.Field("delivery_end", lease.delivery_end.micros());
  if (lease.is_provider) out.FieldId("node", lease.node.value());
}

LeaseView ViewOf(const LeaseRow& lease, bool is_provider) {
  return {.id = lease.id,
          .symbol = lease.terms->symbol,
          .state = lease.state,
          .completed = lease.completed,
          .is_provider = is_provider,
          .price = is_provider ? lease.provider_price : lease.price,
          .gpus = lease.gpus,
          .minutes = lease.minutes,
          .delivery_start = lease.delivery_start,
          .delivery_end = lease.delivery_end,
          .node = lease.node};
}

// The lease that a trade has made.
LeaseView ViewOf(const wire::TradeExecuted& trade, bool is_provider, const MarketState& state) {
  return {.id = LeaseId(trade.lease_id()),
          .symbol = SymbolOf(state, trade.instrument_id()),
          .is_provider = is_provider,
          .price = Price(is_provider ? trade.provider_price() : trade.price()),
          .gpus = Quantity(trade.gpus()),
          .minutes = Minutes(trade.minutes()),
          .delivery_start = Timestamp(trade.delivery_start_us()),
          .delivery_end = Timestamp(trade.delivery_end_us()),
          .node = NodeId(trade.node_id())};
}

void WriteNode(MessageWriter& out, const NodeRow& node, const Catalogue& catalogue) {
  out.BeginObject().FieldId("node", node.id.value());
  WriteClassAndRegion(out, catalogue, node.class_id, node.region_id);
  out.Field("gpus", node.registered.value()).Field("approved", node.approved);
  out.Field("approved_gpus", node.capacity.value());
  out.Field("assurance", Name(node.assurance));
  if (node.proved_until != Timestamp()) out.Field("proved_until", node.proved_until.micros());
  if (node.probe_due != Timestamp()) out.Field("probe_due", node.probe_due.micros());
  out.EndObject();
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

void WriteExecutions(MessageWriter& out, const PrivateEvent& event, const MarketState& state) {
  switch (event.record.type()) {
    case wire::RecordType::kOrderAccepted:
      return WriteExecution(out, event.record.as<wire::OrderAccepted>(), state);
    case wire::RecordType::kOrderFilled:
      return WriteExecution(out, event.record.as<wire::OrderFilled>(), state);
    case wire::RecordType::kOrderAmended:
      return WriteExecution(out, event.record.as<wire::OrderAmended>(), state);
    default:
      return WriteExecution(out, event.record.as<wire::OrderCancelled>(), state);
  }
}

// ---- balances ----

void WriteCreditsMoved(MessageWriter& out, const wire::CreditsMoved& event) {
  out.Field("asset", "CREDIT");
  out.Field("free", Credits(event.free_after()));
  out.Field("locked", Credits(event.locked_after()));
  out.FieldId("change", event.amount());
  out.Field("from", WordOf<CreditBucket>(event.source()));
  out.Field("to", WordOf<CreditBucket>(event.destination()));
  if (event.lease_id() != 0) out.FieldId("lease_id", event.lease_id());
  if (event.order_id() != 0) out.FieldId("order_id", event.order_id());
}

void WriteRequestDecided(MessageWriter& out, const wire::RequestDecided& event) {
  const Tokens amount(event.amount_utok());
  const auto kind = static_cast<RequestKind>(event.kind());
  out.Field("asset", "TOK").Field("change", kind == RequestKind::kDeposit ? amount : -amount);
  out.Field("cause", Name(kind));
}

// Of a LeaseSettled or a DeferredPaid.
template <typename Event>
void WriteReward(MessageWriter& out, const Event& paid) {
  out.Field("asset", "TOK").Field("change", Tokens(paid.provider_utok()));
  out.Field("cause", "reward").FieldId("lease_id", paid.lease_id());
}

void WriteBonus(MessageWriter& out, const wire::BonusPaid& event) {
  out.Field("asset", "TOK").Field("change", Tokens(event.bonus_utok())).Field("cause", "bonus");
}

// ---- leases ----

// A fill reserves a lease.
void WriteReservedLease(MessageWriter& out, const wire::TradeExecuted& trade, bool is_provider,
                        const MarketState& state) {
  out.BeginObject();
  WriteLeaseFields(out, ViewOf(trade, is_provider, state));
  out.EndObject();
}

// GPUs of a lease were resold: what is left of it, which is as it was but for its GPUs and, for the
// trader, its price, which the new lease does not have.
void WriteResoldLease(MessageWriter& out, const wire::LeaseResold& event,
                      const wire::TradeExecuted& trade, const MarketState& state) {
  const bool is_provider = event.is_provider() != 0;
  LeaseView resold = ViewOf(trade, is_provider, state);
  resold.id = LeaseId(event.resold_lease_id());
  resold.gpus = Quantity(event.gpus_left());
  if (!is_provider) resold.price = std::nullopt;
  out.BeginObject();
  WriteLeaseFields(out, resold);
  out.Field("resold_gpus", event.gpus());
  if (!is_provider) out.Field("resold_price", Price(event.price()));
  out.FieldId("resold_as", event.lease_id());
  out.EndObject();
  if (is_provider) WriteReservedLease(out, trade, true, state);
}

void WriteLeaseChanged(MessageWriter& out, const wire::LeaseChanged& event,
                       const MarketState& state) {
  out.BeginObject();
  out.FieldId("lease_id", event.lease_id());
  out.Field("symbol", SymbolOf(state, event.instrument_id()));
  out.Field("state", WordOf<LeaseState>(event.state()));
  out.Field("completed", event.completed() != 0);
  out.Field("role", event.is_provider() != 0 ? "provider" : "buyer");
  out.EndObject();
}

void WriteLeaseJudged(MessageWriter& out, const wire::LeaseJudged& event,
                      const MarketState& state) {
  const auto reason = JudgementReasonOf(event.reason()->Data());
  out.BeginObject();
  out.FieldId("lease_id", event.lease_id());
  out.Field("symbol", SymbolOf(state, event.instrument_id()));
  out.Field("state", Name(LeaseState::kDisputed)).Field("completed", false);
  out.Field("role", event.is_provider() != 0 ? "provider" : "buyer");
  out.Field("verdict", WordOf<DisputeVerdict>(event.verdict()));
  out.Field("share_bps", event.share()).Field("reason", reason.value_or(""));
  out.EndObject();
}

void WriteLeaseUpdate(MessageWriter& out, const PrivateEvent& event, const MarketState& state) {
  if (event.record.type() == wire::RecordType::kLeaseJudged) {
    return WriteLeaseJudged(out, event.record.as<wire::LeaseJudged>(), state);
  }
  if (event.record.type() == wire::RecordType::kLeaseChanged) {
    return WriteLeaseChanged(out, event.record.as<wire::LeaseChanged>(), state);
  }
  const auto& trade = event.cause.as<wire::TradeExecuted>();
  if (event.record.type() == wire::RecordType::kLeaseResold) {
    return WriteResoldLease(out, event.record.as<wire::LeaseResold>(), trade, state);
  }
  const Side side = static_cast<Side>(event.record.as<wire::OrderFilled>().side());
  WriteReservedLease(out, trade, side == Side::kSell, state);
}

}  // namespace

// ---- Updates ----

void WriteBalanceFields(MessageWriter& out, const PrivateEvent& event) {
  switch (event.record.type()) {
    case wire::RecordType::kCreditsMoved:
      return WriteCreditsMoved(out, event.record.as<wire::CreditsMoved>());
    case wire::RecordType::kRequestDecided:
      return WriteRequestDecided(out, event.record.as<wire::RequestDecided>());
    case wire::RecordType::kDeferredPaid:
      return WriteReward(out, event.record.as<wire::DeferredPaid>());
    case wire::RecordType::kBonusPaid:
      return WriteBonus(out, event.record.as<wire::BonusPaid>());
    default:
      return WriteReward(out, event.cause.as<wire::LeaseSettled>());
  }
}

void WritePrivateUpdate(MessageWriter& out, Channel channel, const PrivateEvent& event,
                        uint64_t previous_sequence, const MarketState& state) {
  out.BeginObject().Field("channel", ChannelName(channel)).Field("type", "update");
  out.Field("seq", event.sequence()).Field("prev_seq", previous_sequence);
  out.Field("ts", event.ts_us).Key("data").BeginArray();
  if (channel == Channel::kExecutions) {
    WriteExecutions(out, event, state);
  } else if (channel == Channel::kLeases) {
    WriteLeaseUpdate(out, event, state);
  } else {
    out.BeginObject();
    WriteBalanceFields(out, event);
    out.EndObject();
  }
  out.EndArray().EndObject().Finish();
}

// ---- Snapshots ----

namespace {

uint64_t WriteSnapshotRows(MessageWriter& out, Channel channel, const AccountRow& account,
                           const MarketState& state, const ListPage& page) {
  if (channel == Channel::kExecutions) return WriteOrders(out, account, state, page);
  if (channel == Channel::kLeases) return WriteLeases(out, account, state, page);
  out.BeginArray();
  WriteBalanceRows(out, account);
  out.EndArray();
  return 0;
}

}  // namespace

void WritePrivateSnapshots(Encoding encoding, Channel channel, const AccountRow& account,
                           const MarketState& state, int64_t ts_us,
                           absl::FunctionRef<void(std::string_view)> send) {
  std::string message;
  ListPage page{.limit = kSnapshotRowsMax};
  do {
    message.clear();
    MessageWriter out(encoding, message);
    out.BeginObject().Field("channel", ChannelName(channel)).Field("type", "snapshot");
    out.Field("seq", account.last_sequence).Field("ts", ts_us).Key("data");
    page.after = WriteSnapshotRows(out, channel, account, state, page);
    if (page.after != 0) out.Field("more", true);
    out.EndObject().Finish();
    send(message);
  } while (page.after != 0);
}

void WriteBalances(MessageWriter& out, const AccountRow& account) {
  out.Field("free", account.free);
  out.Field("locked", account.locked);
  out.Field("escrow", account.escrow);
  out.Field("tok", account.tokens);
  out.Field("bonded_limit", account.bonded_limit);
  out.Field("owner_verified", account.owner_verified);
}

// ---- Lists ----

namespace {

// The page's rows of ids that ascend, from the first behind `after` to the end.
template <typename Iterator, typename WriteRow>
uint64_t WriteList(MessageWriter& out, Iterator first, Iterator end, size_t limit,
                   WriteRow write_row) {
  uint64_t last = 0;
  out.BeginArray();
  for (; first != end && limit > 0; ++first, --limit) {
    last = first->value();
    write_row(*first);
  }
  out.EndArray();
  return first == end ? 0 : last;
}

}  // namespace

uint64_t WriteOrders(MessageWriter& out, const AccountRow& account, const MarketState& state,
                     const ListPage& page) {
  return WriteList(out, account.orders.upper_bound(OrderId(page.after)), account.orders.end(),
                   page.limit, [&](OrderId id) { WriteOrder(out, *state.FindOrder(id), state); });
}

uint64_t WriteLeases(MessageWriter& out, const AccountRow& account, const MarketState& state,
                     const ListPage& page) {
  return WriteList(out, account.leases.upper_bound(LeaseId(page.after)), account.leases.end(),
                   page.limit, [&](LeaseId id) {
                     const LeaseRow& lease = *state.FindLease(id);
                     // A provider can buy its own GPUs back.
                     for (const bool is_provider : {true, false}) {
                       if ((is_provider ? lease.provider : lease.buyer) != account.id) continue;
                       out.BeginObject();
                       WriteLeaseFields(out, ViewOf(lease, is_provider));
                       out.EndObject();
                     }
                   });
}

uint64_t WriteNodes(MessageWriter& out, const AccountRow& account, const MarketState& state,
                    const ListPage& page) {
  return WriteList(out, std::ranges::upper_bound(account.nodes, NodeId(page.after)),
                   account.nodes.end(), page.limit,
                   [&](NodeId id) { WriteNode(out, *state.FindNode(id), state.catalogue()); });
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
