#include "engine/core/state_hash.h"

#include <span>

#include "schema/base/hash.h"

namespace warpbook::engine {
namespace {

class StateHasher {
 public:
  void Add(uint64_t value) { hash_.Add(value); }
  void Add(int64_t value) { hash_.Add(static_cast<uint64_t>(value)); }
  template <typename Tag, typename Rep>
  void Add(StrongId<Tag, Rep> id) {
    hash_.Add(id.value());
  }
  template <typename Tag, typename Rep>
  void Add(StrongInt<Tag, Rep> amount) {
    Add(static_cast<int64_t>(amount.value()));
  }
  void Add(Timestamp time) { Add(time.micros()); }
  template <typename E>
  requires std::is_enum_v<E>
  void Add(E value) { hash_.Add(static_cast<uint64_t>(value)); }
  void Add(bool value) { hash_.Add(value ? 1 : 0); }
  void Add(const ClientOrderId& id) {
    hash_.AddBytes(std::as_bytes(std::span(id.bytes(), ClientOrderId::kMaxLength)));
  }
  void Add(const std::array<uint8_t, 32>& bytes) {
    hash_.AddBytes(std::as_bytes(std::span(bytes)));
  }
  template <typename First, typename... Rest>
  requires(sizeof...(Rest) > 0) void Add(const First& first, const Rest&... rest) {
    Add(first);
    (Add(rest), ...);
  }
  uint64_t value() const { return hash_.value(); }

 private:
  Hash64 hash_;
};

void AddOrder(StateHasher& hasher, const State& state, const Order& order) {
  hasher.Add(order.id, order.owner, order.account->id, order.instrument->id,
             order.is_resale || order.node == nullptr ? NodeId() : order.node->id,
             order.is_resale ? order.lease->id : LeaseId());
  hasher.Add(order.price, order.expires, order.gpus, order.remaining, order.min_fill,
             order.lock_minutes);
  hasher.Add(order.side, order.type, order.time_in_force, order.tier, order.assurance,
             order.min_assurance, order.self_trade_prevention, order.post_only);
  if (order.client_order_handle == 0) return hasher.Add(ClientOrderId());
  hasher.Add(state.client_order_ids.IdOf(order), state.client_order_ids.content(order));
}

void AddAccount(StateHasher& hasher, const State& state, const Account& account) {
  hasher.Add(account.id, account.owner, account.kind, account.event_sequence);
  hasher.Add(account.free, account.locked, account.escrow, account.owed, account.bonded_limit,
             account.exposure);
  hasher.Add(uint64_t{account.keys.size()});
  for (const AccountKey& key : account.keys) hasher.Add(key.key, uint64_t{key.scopes});
  hasher.Add(uint64_t{account.nodes.size()});
  for (const NodeId node : account.nodes) hasher.Add(node);
  hasher.Add(uint64_t{account.order_count});
  for (const Order* order = account.first_order; order != nullptr; order = order->account_next) {
    hasher.Add(order->id);
  }
  const ClientOrderIds& ids = state.client_order_ids;
  hasher.Add(uint64_t{ids.finished_count(account.id)});
  ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& finished) {
    hasher.Add(finished.id, finished.finished, finished.order, finished.content);
  });
}

void AddNode(StateHasher& hasher, const Node& node) {
  hasher.Add(node.id, node.account->id, node.class_id, node.region_id, node.device_key);
  hasher.Add(node.registered, node.gpus, node.assurance, node.approved);
  hasher.Add(uint64_t{node.windows.size()});
  for (const auto& [instrument, use] : node.windows) hasher.Add(instrument, use.open, use.sold);
}

void AddLadder(StateHasher& hasher, const State& state, const PriceLadder& ladder) {
  hasher.Add(uint64_t{ladder.level_count()});
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    hasher.Add(ladder.PriceOf(*level), level->gpus, uint64_t{level->orders()});
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* order = queue.head; order != nullptr; order = order->queue_next) {
        AddOrder(hasher, state, *order);
      }
    }
  }
}

void AddInstrument(StateHasher& hasher, const State& state, const Instrument& instrument) {
  hasher.Add(instrument.id, instrument.class_id, instrument.region_id, instrument.window_start,
             instrument.window_end, instrument.gate);
  hasher.Add(instrument.grid().tick(), instrument.grid().low(), instrument.grid().high(),
             int64_t{instrument.notice_seconds}, instrument.state);
  AddLadder(hasher, state, instrument.book.ladder(Side::kBuy));
  AddLadder(hasher, state, instrument.book.ladder(Side::kSell));
}

void AddLease(StateHasher& hasher, const Lease& lease) {
  hasher.Add(lease.id, lease.instrument, lease.buyer->id, lease.provider->id, lease.node->id);
  hasher.Add(lease.price, lease.gpus, lease.minutes, lease.notional, lease.surcharge,
             lease.delivery_start, lease.delivery_end, lease.state, lease.completed);
  hasher.Add(lease.provider_price, lease.assurance, lease.resale_open,
             uint64_t{lease.legs().size()});
  for (const ResaleLeg& leg : lease.legs()) hasher.Add(leg.trader->id, leg.difference);
}

}  // namespace

uint64_t HashState(const State& state) {
  StateHasher hasher;
  hasher.Add(state.last_sequence, state.last_time, state.settlement_number, state.last_order_id,
             state.last_lease_id);
  const CreditTotals& totals = state.totals;
  hasher.Add(totals.issued, totals.free, totals.locked, totals.escrow, totals.owed, totals.consumed,
             totals.burned);
  hasher.Add(uint64_t{state.accounts.all().size()});
  state.accounts.all().ForEach([&](const Account& account) { AddAccount(hasher, state, account); });
  hasher.Add(uint64_t{state.accounts.nodes().size()});
  state.accounts.nodes().ForEach([&](const Node& node) { AddNode(hasher, node); });
  hasher.Add(uint64_t{state.instruments.opened()}, uint64_t{state.instruments.all().size()});
  for (const auto& [id, instrument] : state.instruments.all())
    AddInstrument(hasher, state, *instrument);
  hasher.Add(uint64_t{state.leases.size()});
  for (const Lease* lease = state.leases.first(); lease != nullptr; lease = lease->next) {
    AddLease(hasher, *lease);
  }
  hasher.Add(uint64_t{state.requests.size()});
  for (const auto& [sequence, request] : state.requests) {
    hasher.Add(sequence, request.kind, request.tag, request.requester, request.account,
               request.amount, request.reference);
  }
  return hasher.value();
}

}  // namespace warpbook::engine
