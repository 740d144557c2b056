// MarketState: the market as durable events tell it. Everything the gateway answers from is here,
// so that it can never show what is not durable. Built at start, from a snapshot
// (market_snapshot.h) and by replay, and kept up with every batch. No I/O; the I/O thread owns it.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "gateway/publish/finished_orders.h"
#include "gateway/publish/market_rows.h"
#include "gateway/publish/order_guards.h"
#include "schema/catalogue/catalogue.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

class MarketState {
 public:
  // Closed instruments that are still known by their symbols; older ones are forgotten.
  static constexpr size_t kClosedInstrumentsKept = 20'000;

  // The catalogue must outlive it.
  explicit MarketState(const Catalogue& catalogue) : catalogue_(&catalogue) {}

  // Takes in one event of a command of that time. Events come in journal order, without a gap from
  // the first one ever, or from the snapshot.
  void Apply(wire::RecordView event, Timestamp time);
  // Takes in a command that was accepted, beside its event.
  void Apply(const wire::SetOrderGuard& command) { guards_.Apply(command); }

  const Catalogue& catalogue() const { return *catalogue_; }
  // Null where there is none. Valid until the next Apply.
  const AccountRow* FindAccount(AccountId id) const;
  const InstrumentRow* FindInstrument(InstrumentId id) const;
  const InstrumentRow* FindInstrument(std::string_view symbol) const;
  const OrderRow* FindOrder(OrderId id) const;
  // The last order of the account with that client order id, open or finished; 0: none is known.
  OrderId FindOrder(AccountId account, const ClientOrderId& client_order_id) const;
  const LeaseRow* FindLease(LeaseId id) const;
  const NodeRow* FindNode(NodeId id) const;
  // Of all its accounts.
  std::span<const NodeId> NodesOf(OwnerId owner) const;
  // What rests of an instrument: bids, then asks, each in the order in which they are served.
  std::vector<const OrderRow*> RestingOrders(const InstrumentRow& instrument) const;
  // Those not closed, ascending by id.
  const absl::btree_set<InstrumentId>& open_instruments() const { return open_instruments_; }
  // Those that are still known, oldest first.
  const std::deque<InstrumentId>& closed_instruments() const { return closed_instruments_; }
  const absl::flat_hash_map<AccountId, AccountRow>& accounts() const { return accounts_; }
  const absl::flat_hash_map<OrderId, OrderRow>& orders() const { return orders_; }
  const FinishedOrders& finished_orders() const { return finished_orders_; }
  const OrderGuards& guards() const { return guards_; }
  const absl::flat_hash_map<LeaseId, LeaseRow>& leases() const { return leases_; }
  const absl::flat_hash_map<NodeId, NodeRow>& nodes() const { return nodes_; }

  // Takes in a row whose id is new and that names only what there is. Instruments that are closed
  // come as they were closed, and before those that are not; nodes ascend by id; finished orders
  // come as they finished. An account's orders, leases and nodes are noted with these.
  void Add(AccountRow account);
  void Add(InstrumentRow instrument);
  void Add(const OrderRow& order);
  void Add(const FinishedOrder& order);
  void Add(const LeaseRow& lease);
  void Add(const NodeRow& node);
  void ReserveOrders(size_t count) { orders_.reserve(count); }
  OrderGuards& mutable_guards() { return guards_; }

 private:
  void On(const wire::AccountOpened& event);
  void On(const wire::KeyAdded& event);
  void On(const wire::KeyRevoked& event);
  void On(const wire::OwnerVerified& event);
  void On(const wire::CreditsMoved& event);
  void On(const wire::BondedLimitSet& event);
  void On(const wire::RequestDecided& event);
  void On(const wire::InstrumentOpened& event);
  void On(const wire::InstrumentStateChanged& event);
  void On(const wire::BookLevelChanged& event);
  void On(const wire::TradeExecuted& event);
  void On(const wire::OrderAccepted& event);
  void On(const wire::OrderFilled& event);
  void On(const wire::OrderAmended& event);
  void On(const wire::OrderCancelled& event);
  void On(const wire::NodeRegistered& event);
  void On(const wire::CapacitySet& event);
  void On(const wire::ProbeBegun& event);
  void On(const wire::ProbeCalled& event);
  void On(const wire::ProbeDecided& event);
  void On(const wire::LeaseChanged& event);
  void On(const wire::LeaseSettled& event);
  void On(const wire::LeaseResold& event);
  void On(const wire::DeferredPaid& event);
  void On(const wire::BonusPaid& event);

  AccountRow& Account(uint64_t id);
  NodeRow& Node(uint64_t id);
  InstrumentRow& Instrument(uint32_t id);
  void FinishOrder(OrderId id, bool cancelled, CancelReason reason);
  void Keep(const FinishedOrder& order);
  void NoteClientOrderId(AccountId account, const ClientOrderId& client_order_id, OrderId order);
  void ForgetOldestClosed();

  const Catalogue* catalogue_;
  Timestamp time_;               // of the event's command
  uint64_t event_sequence_ = 0;  // of the event
  absl::flat_hash_map<AccountId, AccountRow> accounts_;
  absl::flat_hash_map<InstrumentId, InstrumentRow> instruments_;
  absl::flat_hash_map<std::string, InstrumentId> instruments_by_symbol_;
  absl::btree_set<InstrumentId> open_instruments_;
  std::deque<InstrumentId> closed_instruments_;  // oldest first
  absl::flat_hash_map<OrderId, OrderRow> orders_;
  FinishedOrders finished_orders_;
  // Of open and of finished orders.
  absl::flat_hash_map<std::pair<AccountId, ClientOrderId>, OrderId> orders_by_client_order_id_;
  OrderGuards guards_;
  absl::flat_hash_map<LeaseId, LeaseRow> leases_;
  absl::flat_hash_map<NodeId, NodeRow> nodes_;
  absl::flat_hash_map<OwnerId, std::vector<NodeId>> nodes_by_owner_;
};

}  // namespace warpbook::gateway
