#include "gateway/publish/market_state.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

template <typename Map, typename Id>
const typename Map::mapped_type* Find(const Map& map, Id id) {
  const auto found = map.find(id);
  return found == map.end() ? nullptr : &found->second;
}

// A record's byte as the enum that it is by contract.
template <typename E>
E As(uint8_t value) {
  const auto result = static_cast<E>(value);
  WARPBOOK_CHECK(IsValid(result));
  return result;
}

template <typename FlatArray>
PublicKey KeyOf(const FlatArray& bytes) {
  PublicKey key;
  std::copy_n(bytes.Data(), key.size(), key.begin());
  return key;
}

ClientOrderId ClientOrderIdOf(const flatbuffers::Array<uint8_t, 32>& bytes) {
  return ClientOrderId::FromBytes(bytes.Data()).value_or(ClientOrderId());
}

// What a CreditsMoved does to an account's escrow; free and locked it states itself.
void MoveEscrow(AccountRow& account, const wire::CreditsMoved& event) {
  const Credits amount(event.amount());
  if (As<CreditBucket>(event.source()) == CreditBucket::kEscrow) account.escrow -= amount;
  if (As<CreditBucket>(event.destination()) == CreditBucket::kEscrow) account.escrow += amount;
}

}  // namespace

void MarketState::Apply(wire::RecordView event, Timestamp time) {
  time_ = time;
  event_sequence_ = event.event_header().event_sequence();
  switch (event.type()) {
#define WARPBOOK_X(name)          \
  case wire::RecordType::k##name: \
    On(event.as<wire::name>());   \
    break;
    WARPBOOK_X(AccountOpened)
    WARPBOOK_X(KeyAdded)
    WARPBOOK_X(KeyRevoked)
    WARPBOOK_X(OwnerVerified)
    WARPBOOK_X(CreditsMoved)
    WARPBOOK_X(BondedLimitSet)
    WARPBOOK_X(RequestDecided)
    WARPBOOK_X(InstrumentOpened)
    WARPBOOK_X(InstrumentStateChanged)
    WARPBOOK_X(BookLevelChanged)
    WARPBOOK_X(TradeExecuted)
    WARPBOOK_X(OrderAccepted)
    WARPBOOK_X(OrderFilled)
    WARPBOOK_X(OrderAmended)
    WARPBOOK_X(OrderCancelled)
    WARPBOOK_X(NodeRegistered)
    WARPBOOK_X(CapacitySet)
    WARPBOOK_X(ProbeBegun)
    WARPBOOK_X(ProbeCalled)
    WARPBOOK_X(ProbeDecided)
    WARPBOOK_X(LeaseChanged)
    WARPBOOK_X(LeaseSettled)
    WARPBOOK_X(LeaseResold)
    WARPBOOK_X(DeferredPaid)
    WARPBOOK_X(BonusPaid)
#undef WARPBOOK_X
    default:  // replies, and what only settlement needs
      break;
  }
  const wire::EventHeader& header = event.event_header();
  if (header.account_sequence() != 0) {
    Account(header.account_id()).last_sequence = header.account_sequence();
  }
}

const AccountRow* MarketState::FindAccount(AccountId id) const { return Find(accounts_, id); }
const InstrumentRow* MarketState::FindInstrument(InstrumentId id) const {
  return Find(instruments_, id);
}
const InstrumentRow* MarketState::FindInstrument(std::string_view symbol) const {
  const InstrumentId* id =
      Find(instruments_by_symbol_, absl::string_view(symbol.data(), symbol.size()));
  return id == nullptr ? nullptr : Find(instruments_, *id);
}
const OrderRow* MarketState::FindOrder(OrderId id) const { return Find(orders_, id); }
std::vector<const OrderRow*> MarketState::RestingOrders(const InstrumentRow& instrument) const {
  std::vector<const OrderRow*> orders;
  orders.reserve(instrument.orders.size());
  for (const OrderId id : instrument.orders) orders.push_back(FindOrder(id));
  std::ranges::sort(orders, [](const OrderRow* a, const OrderRow* b) {
    return a->side != b->side ? a->side < b->side : ComesFirst(*a, *b);
  });
  return orders;
}
OrderId MarketState::FindOrder(AccountId account, const ClientOrderId& client_order_id) const {
  const OrderId* id = Find(orders_by_client_order_id_, std::pair(account, client_order_id));
  return id == nullptr ? OrderId() : *id;
}
const LeaseRow* MarketState::FindLease(LeaseId id) const { return Find(leases_, id); }
const NodeRow* MarketState::FindNode(NodeId id) const { return Find(nodes_, id); }

std::span<const NodeId> MarketState::NodesOf(OwnerId owner) const {
  const auto found = nodes_by_owner_.find(owner);
  return found == nodes_by_owner_.end() ? std::span<const NodeId>() : found->second;
}

AccountRow& MarketState::Account(uint64_t id) {
  const auto found = accounts_.find(AccountId(id));
  WARPBOOK_CHECK(found != accounts_.end());
  return found->second;
}

InstrumentRow& MarketState::Instrument(uint32_t id) {
  const auto found = instruments_.find(InstrumentId(id));
  WARPBOOK_CHECK(found != instruments_.end());
  return found->second;
}

// ---- Rows ----

void MarketState::Add(AccountRow account) {
  const AccountId id = account.id;
  WARPBOOK_CHECK(accounts_.emplace(id, std::move(account)).second);
}

void MarketState::Add(InstrumentRow instrument) {
  const InstrumentId id = instrument.terms->id;
  // A window that was opened again takes the symbol over.
  instruments_by_symbol_[instrument.terms->symbol] = id;
  if (instrument.state == InstrumentState::kClosed) {
    closed_instruments_.push_back(id);
  } else {
    open_instruments_.insert(id);
  }
  WARPBOOK_CHECK(instruments_.emplace(id, std::move(instrument)).second);
}

void MarketState::Add(const OrderRow& order) {
  const auto [row, is_new] = orders_.emplace(order.id, order);
  WARPBOOK_CHECK(is_new);
  std::vector<OrderId>& resting = Instrument(order.instrument.value()).orders;
  row->second.place = static_cast<uint32_t>(resting.size());
  resting.push_back(order.id);
  auto& orders = Account(order.account.value()).orders;
  orders.insert(orders.end(), order.id);
  NoteClientOrderId(order.account, order.client_order_id, order.id);
}

void MarketState::Add(const FinishedOrder& order) {
  NoteClientOrderId(order.account, order.client_order_id, order.id);
  Keep(order);
}

void MarketState::Keep(const FinishedOrder& order) {
  finished_orders_.Add(order, [this](const FinishedOrder& forgotten) {
    const auto noted =
        orders_by_client_order_id_.find(std::pair(forgotten.account, forgotten.client_order_id));
    // Unless it was used again since.
    if (noted != orders_by_client_order_id_.end() && noted->second == forgotten.id) {
      orders_by_client_order_id_.erase(noted);
    }
  });
}

// The last order that was placed under it is meant.
void MarketState::NoteClientOrderId(AccountId account, const ClientOrderId& client_order_id,
                                    OrderId order) {
  if (client_order_id.empty()) return;
  OrderId& noted = orders_by_client_order_id_[std::pair(account, client_order_id)];
  noted = std::max(noted, order);
}

void MarketState::Add(const LeaseRow& lease) {
  WARPBOOK_CHECK(leases_.emplace(lease.id, lease).second);
  Account(lease.buyer.value()).leases.insert(lease.id);
  Account(lease.provider.value()).leases.insert(lease.id);
}

void MarketState::Add(const NodeRow& node) {
  WARPBOOK_CHECK(nodes_.emplace(node.id, node).second);
  AccountRow& account = Account(node.account.value());
  account.nodes.push_back(node.id);
  nodes_by_owner_[account.owner].push_back(node.id);
}

// ---- Accounts ----

void MarketState::On(const wire::AccountOpened& event) {
  AccountRow account;
  account.id = AccountId(event.header().account_id());
  account.owner = OwnerId(event.owner_id());
  account.kind = As<AccountKind>(event.kind());
  account.keys.push_back({KeyOf(*event.public_key()), event.scopes()});
  Add(std::move(account));
}

void MarketState::On(const wire::KeyAdded& event) {
  Account(event.header().account_id()).keys.push_back({KeyOf(*event.public_key()), event.scopes()});
}

void MarketState::On(const wire::KeyRevoked& event) {
  auto& keys = Account(event.header().account_id()).keys;
  const auto revoked = std::ranges::find(keys, KeyOf(*event.public_key()), &KeyRow::key);
  WARPBOOK_CHECK(revoked != keys.end());
  keys.erase(revoked);
}

void MarketState::On(const wire::OwnerVerified& event) {
  Account(event.header().account_id()).owner_verified = event.verified() != 0;
}

void MarketState::On(const wire::CreditsMoved& event) {
  AccountRow& account = Account(event.header().account_id());
  account.free = Credits(event.free_after());
  account.locked = Credits(event.locked_after());
  MoveEscrow(account, event);
}

void MarketState::On(const wire::BondedLimitSet& event) {
  Account(event.header().account_id()).bonded_limit = Credits(event.limit());
}

void MarketState::On(const wire::RequestDecided& event) {
  if (event.reason() != 0) return;
  AccountRow& account = Account(event.header().account_id());
  const Tokens amount(event.amount_utok());
  account.tokens += As<RequestKind>(event.kind()) == RequestKind::kDeposit ? amount : -amount;
}

// ---- Instruments and market data ----

void MarketState::On(const wire::InstrumentOpened& event) {
  const InstrumentId id(event.instrument_id());
  InstrumentTerms terms{.id = id,
                        .class_id = ClassId(event.class_id()),
                        .region_id = RegionId(event.region_id()),
                        .symbol = {},
                        .window_start = Timestamp(event.window_start_us()),
                        .gate = Timestamp(event.gate_us()),
                        .tick = Price(event.tick()),
                        .band_low = Price(event.band_low()),
                        .band_high = Price(event.band_high()),
                        .window_minutes = Minutes(event.window_minutes()),
                        .notice_seconds = event.notice_seconds()};
  terms.symbol = FormatSymbol(*catalogue_, terms.class_id, terms.region_id, terms.window_start);
  Add(InstrumentRow{.terms = std::make_shared<const InstrumentTerms>(std::move(terms))});
}

void MarketState::On(const wire::InstrumentStateChanged& event) {
  InstrumentRow& instrument = Instrument(event.instrument_id());
  instrument.state = As<InstrumentState>(event.state());
  if (instrument.state != InstrumentState::kClosed) return;
  instrument.book = {};
  instrument.last_trades.clear();
  instrument.traded = {};
  instrument.candles = {};
  open_instruments_.erase(instrument.terms->id);
  closed_instruments_.push_back(instrument.terms->id);
  if (closed_instruments_.size() > kClosedInstrumentsKept) ForgetOldestClosed();
}

void MarketState::ForgetOldestClosed() {
  const auto oldest = instruments_.find(closed_instruments_.front());
  // Unless the same window was opened again since.
  const auto symbol = instruments_by_symbol_.find(oldest->second.terms->symbol);
  if (symbol->second == oldest->first) instruments_by_symbol_.erase(symbol);
  instruments_.erase(oldest);
  closed_instruments_.pop_front();
}

void MarketState::On(const wire::BookLevelChanged& event) {
  Instrument(event.instrument_id())
      .book.Set(As<Side>(event.side()), Price(event.price()), Quantity(event.gpus()));
}

void MarketState::On(const wire::TradeExecuted& event) {
  InstrumentRow& instrument = Instrument(event.instrument_id());
  const LeaseId id(event.lease_id());
  instrument.last_trades.push_back({.id = id,
                                    .time = time_,
                                    .price = Price(event.price()),
                                    .gpus = Quantity(event.gpus()),
                                    .minutes = Minutes(event.minutes()),
                                    .taker_side = As<Side>(event.taker_side())});
  if (instrument.last_trades.size() > kLastTrades) instrument.last_trades.pop_front();
  const TradeRow& trade = instrument.last_trades.back();
  instrument.traded.Add(trade.price, trade.gpus, trade.minutes);
  instrument.candles.Add(time_, trade.price, trade.gpus, trade.minutes);
  Add(LeaseRow{.id = id,
               .buyer = AccountId(event.buyer_account_id()),
               .provider = AccountId(event.provider_account_id()),
               .node = NodeId(event.node_id()),
               .resold_lease = LeaseId(event.resold_lease_id()),
               .terms = instrument.terms,
               .price = Price(event.price()),
               .provider_price = Price(event.provider_price()),
               .gpus = Quantity(event.gpus()),
               .minutes = Minutes(event.minutes()),
               .delivery_start = Timestamp(event.delivery_start_us()),
               .delivery_end = Timestamp(event.delivery_end_us())});
}

// ---- Orders ----

void MarketState::On(const wire::OrderAccepted& event) {
  const bool is_resale = event.is_resale() != 0;
  Add(OrderRow{.id = OrderId(event.order_id()),
               .account = AccountId(event.header().account_id()),
               .instrument = InstrumentId(event.instrument_id()),
               .node = is_resale ? NodeId() : NodeId(event.backing_id()),
               .lease = is_resale ? LeaseId(event.backing_id()) : LeaseId(),
               .client_order_id = ClientOrderIdOf(*event.client_order_id()),
               .price = Price(event.price()),
               .expires = Timestamp(event.expires_us()),
               .gpus = Quantity(event.gpus()),
               .remaining = Quantity(event.gpus()),
               .min_fill = Quantity(event.min_fill()),
               .session = static_cast<uint32_t>(event.tag() >> 32),
               .side = As<Side>(event.side()),
               .type = As<OrderType>(event.type()),
               .time_in_force = As<TimeInForce>(event.time_in_force()),
               .queue = event.tier(),
               .min_assurance = As<Assurance>(event.min_assurance()),
               .post_only = event.post_only() != 0,
               .priority = event_sequence_});
}

void MarketState::On(const wire::OrderFilled& event) {
  const OrderId id(event.order_id());
  const auto order = orders_.find(id);
  WARPBOOK_CHECK(order != orders_.end());
  order->second.remaining = Quantity(event.remaining());
  if (order->second.remaining == Quantity(0)) FinishOrder(id, false, CancelReason::kRequested);
}

void MarketState::On(const wire::OrderAmended& event) {
  const auto order = orders_.find(OrderId(event.order_id()));
  WARPBOOK_CHECK(order != orders_.end());
  order->second.price = Price(event.price());
  order->second.gpus = Quantity(event.gpus());
  order->second.remaining = Quantity(event.remaining());
  if (event.kept_priority() == 0) order->second.priority = event_sequence_;
}

void MarketState::On(const wire::OrderCancelled& event) {
  FinishOrder(OrderId(event.order_id()), true, As<CancelReason>(event.reason()));
}

void MarketState::FinishOrder(OrderId id, bool cancelled, CancelReason reason) {
  const auto found = orders_.find(id);
  WARPBOOK_CHECK(found != orders_.end());
  const OrderRow& order = found->second;
  Account(order.account.value()).orders.erase(id);
  // The last one takes its place.
  std::vector<OrderId>& resting = Instrument(order.instrument.value()).orders;
  if (resting.back() != id) {
    orders_.find(resting.back())->second.place = order.place;
    resting[order.place] = resting.back();
  }
  resting.pop_back();
  // Its client order id was noted when it was accepted.
  Keep(FinishedOrder{.id = id,
                     .account = order.account,
                     .instrument = order.instrument,
                     .client_order_id = order.client_order_id,
                     .price = order.price,
                     .time = time_,
                     .gpus = order.gpus,
                     .remaining = order.remaining,
                     .side = order.side,
                     .cancelled = cancelled,
                     .reason = reason});
  orders_.erase(found);
}

// ---- Capacity and leases ----

NodeRow& MarketState::Node(uint64_t id) {
  const auto node = nodes_.find(NodeId(id));
  WARPBOOK_CHECK(node != nodes_.end());
  return node->second;
}

void MarketState::On(const wire::NodeRegistered& event) {
  Add(NodeRow{.id = NodeId(event.node_id()),
              .account = AccountId(event.header().account_id()),
              .class_id = ClassId(event.class_id()),
              .region_id = RegionId(event.region_id()),
              .device_key = KeyOf(*event.device_key()),
              .registered = Quantity(event.gpus()),
              .capacity = Quantity(0)});
}

void MarketState::On(const wire::CapacitySet& event) {
  NodeRow& node = Node(event.node_id());
  node.capacity = Quantity(event.gpus());
  node.assurance = As<Assurance>(event.assurance());
  node.approved = true;
}

void MarketState::On(const wire::ProbeBegun& event) {
  NodeRow& node = Node(event.node_id());
  node.probe = Sequence(event.probe_id());
  node.probe_tag = event.tag();
}

void MarketState::On(const wire::ProbeCalled& event) {
  Node(event.node_id()).probe_due = Timestamp(event.due_us());
}

void MarketState::On(const wire::ProbeDecided& event) {
  NodeRow& node = Node(event.node_id());
  if (event.probe_id() != 0) {
    node.probe = Sequence();
    node.probe_tag = 0;
  }
  node.proved_until = Timestamp(event.proved_until_us());
  node.probe_due = Timestamp(event.probe_due_us());
}

void MarketState::On(const wire::LeaseChanged& event) {
  const auto found = leases_.find(LeaseId(event.lease_id()));
  // Ended: the first of the two events of buyer and provider has removed it.
  if (found == leases_.end()) return;
  LeaseRow& lease = found->second;
  lease.state = As<LeaseState>(event.state());
  lease.completed = event.completed() != 0;
  if (lease.state != LeaseState::kSettled && lease.state != LeaseState::kResold) return;
  Account(lease.buyer.value()).leases.erase(lease.id);
  Account(lease.provider.value()).leases.erase(lease.id);
  leases_.erase(found);
}

void MarketState::On(const wire::LeaseResold& event) {
  const auto resold = leases_.find(LeaseId(event.resold_lease_id()));
  WARPBOOK_CHECK(resold != leases_.end());
  resold->second.gpus = Quantity(event.gpus_left());
}

void MarketState::On(const wire::LeaseSettled& event) {
  Account(event.provider_account_id()).tokens += Tokens(event.provider_utok());
}

void MarketState::On(const wire::DeferredPaid& event) {
  Account(event.header().account_id()).tokens += Tokens(event.provider_utok());
}

void MarketState::On(const wire::BonusPaid& event) {
  Account(event.header().account_id()).tokens += Tokens(event.bonus_utok());
}

}  // namespace warpbook::gateway
