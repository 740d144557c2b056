#include "engine/core/inspect.h"

#include "engine/core/engine_impl.h"

namespace warpbook::engine {

size_t Inspector::account_count() const { return engine_.impl_->state.accounts.all().size(); }

std::optional<InspectedAccount> Inspector::FindAccount(AccountId id) const {
  const Account* account = engine_.impl_->state.accounts.Find(id);
  if (account == nullptr) return std::nullopt;
  const ClientOrderIds& ids = engine_.impl_->state.client_order_ids;
  size_t remembered = ids.finished_count(id);
  for (const Order* order = account->first_order; order != nullptr; order = order->account_next) {
    if (order->client_order_handle != 0) ++remembered;
  }
  return InspectedAccount{
      account->owner,       account->kind, account->free,         account->locked,
      account->escrow,      account->owed, account->bonded_limit, account->exposure,
      account->order_count, remembered};
}

std::optional<InspectedNode> Inspector::FindNode(NodeId id) const {
  const Node* node = engine_.impl_->state.accounts.FindNode(id);
  if (node == nullptr) return std::nullopt;
  return InspectedNode{node->gpus, node->assurance, node->approved};
}

std::optional<InstrumentState> Inspector::FindInstrument(InstrumentId id) const {
  const Instrument* instrument = engine_.impl_->state.instruments.Find(id);
  if (instrument == nullptr) return std::nullopt;
  return instrument->state;
}

std::vector<InspectedInstrument> Inspector::Instruments() const {
  std::vector<InspectedInstrument> instruments;
  for (const auto& [id, instrument] : engine_.impl_->state.instruments.all()) {
    instruments.push_back({id, instrument->class_id, instrument->region_id,
                           instrument->window_start, instrument->window_end});
  }
  return instruments;
}

std::vector<InspectedOrder> Inspector::Queue(InstrumentId id, Side side) const {
  std::vector<InspectedOrder> orders;
  const Instrument* instrument = engine_.impl_->state.instruments.Find(id);
  if (instrument == nullptr) return orders;
  const PriceLadder& ladder = instrument->book.ladder(side);
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* order = queue.head; order != nullptr; order = order->queue_next) {
        orders.push_back({order->id, order->account->id, order->price, order->gpus,
                          order->remaining, order->lock_minutes,
                          static_cast<uint8_t>(order->queue())});
      }
    }
  }
  return orders;
}

std::vector<InspectedLease> Inspector::Leases() const {
  std::vector<InspectedLease> leases;
  for (const Lease* lease = engine_.impl_->state.leases.first(); lease != nullptr;
       lease = lease->next) {
    leases.push_back({lease->id, lease->buyer->id, lease->provider->id, lease->state, lease->gpus,
                      lease->price, lease->legs().size()});
  }
  return leases;
}

size_t Inspector::pending_requests() const { return engine_.impl_->state.requests.size(); }

size_t Inspector::resting_orders(Side side) const {
  return engine_.impl_->state.orders_by_side[static_cast<size_t>(side)];
}

}  // namespace warpbook::engine
