#include "engine/core/state_writer.h"

#include "engine/core/state_fields.h"

namespace warpbook::engine {
namespace {

void WriteAccounts(const State& state, StateWriter& writer) {
  const StableVector<Account>& accounts = state.accounts.all();
  writer(uint64_t{accounts.size()});
  accounts.ForEach([&](const Account& account) {
    writer(account.kind, account.owner, static_cast<uint32_t>(account.keys.size()));
    for (const AccountKey& key : account.keys) writer(key.key, key.scopes);
    StreamAccount(writer, account);
  });
  state.accounts.owners().ForEach([&](const Owner& owner) { StreamOwner(writer, owner); });
}

void WriteNodes(const State& state, StateWriter& writer) {
  const StableVector<Node>& nodes = state.accounts.nodes();
  writer(uint64_t{nodes.size()});
  nodes.ForEach([&](const Node& node) {
    writer(node.account->id, node.device_key);
    StreamNode(writer, node);
  });
}

void WriteOrder(const State& state, const Order& order, StateWriter& writer) {
  OrderReferences references;
  references.account = order.account->id;
  if (order.is_resale) {
    references.lease = order.lease->id;
  } else if (order.node != nullptr) {
    references.node = order.node->id;
  }
  if (order.client_order_handle != 0) {
    references.client_order_id = state.client_order_ids.IdOf(order);
    references.content = state.client_order_ids.content(order);
  }
  StreamOrder(writer, order, references);
}

// From the best level to the worst, each queue from its head: a flag says whether there is another
// order, as counting them first would be a walk of its own.
void WriteLadder(const State& state, const PriceLadder& ladder, StateWriter& writer) {
  writer(static_cast<uint64_t>(ladder.level_count()));
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    writer(ladder.PriceOf(*level));
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* order = queue.head; order != nullptr; order = order->queue_next) {
        writer(true);
        WriteOrder(state, *order, writer);
      }
      writer(false);
    }
  }
}

void WriteInstruments(const State& state, StateWriter& writer) {
  writer(state.instruments.opened(), static_cast<uint64_t>(state.instruments.all().size()));
  for (const auto& [id, instrument] : state.instruments.all()) {
    const PriceGrid& grid = instrument->grid();
    writer(id, grid.tick(), grid.low(), grid.high(), instrument->window_start,
           instrument->window_minutes, instrument->notice_seconds);
    StreamInstrument(writer, std::as_const(*instrument));
    WriteLadder(state, instrument->book.ladder(Side::kBuy), writer);
    WriteLadder(state, instrument->book.ladder(Side::kSell), writer);
  }
}

void WriteLeases(const State& state, StateWriter& writer) {
  writer(uint64_t{state.leases.size()});
  for (const Lease* lease = state.leases.first(); lease != nullptr; lease = lease->next) {
    LeaseReferences references = {lease->buyer->id, lease->provider->id, lease->node->id, 0, {}};
    for (const ResaleLeg& leg : lease->legs()) {
      references.legs[references.leg_count++] = {leg.trader->id, leg.difference};
    }
    StreamLease(writer, *lease, references);
  }
}

void WriteOwedLeases(const State& state, StateWriter& writer) {
  writer(uint64_t{state.owed_leases.size()});
  for (const auto& [id, owed] : state.owed_leases) {
    OwedReferences references = {owed.provider->id, 0, {}};
    for (const OwedShare& share : owed.shares) {
      references.shares[references.share_count++] = {share.payer->id, share.left};
    }
    writer(id);
    StreamOwed(writer, references);
  }
}

void WriteRequests(const State& state, StateWriter& writer) {
  writer(uint64_t{state.requests.size()});
  for (const auto& [sequence, request] : state.requests) {
    writer(sequence);
    StreamRequest(writer, request);
  }
}

// By account, each one's as they finished. Which of different accounts finished first shows
// nowhere.
void WriteFinishedIds(const State& state, StateWriter& writer) {
  const ClientOrderIds& ids = state.client_order_ids;
  state.accounts.all().ForEach([&](const Account& account) {
    writer(static_cast<uint32_t>(ids.finished_count(account.id)));
    ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& finished) {
      StreamFinishedId(writer, finished);
    });
  });
}

}  // namespace

void WriteState(const State& state, StateWriter& writer) {
  StreamLimits(writer, state.limits);
  StreamCounters(writer, state);
  WriteAccounts(state, writer);
  WriteNodes(state, writer);
  WriteInstruments(state, writer);
  WriteLeases(state, writer);
  WriteOwedLeases(state, writer);
  WriteRequests(state, writer);
  WriteFinishedIds(state, writer);
  writer.Finish();
}

uint64_t HashState(const State& state) {
  const auto nowhere = [](std::span<const std::byte>) {};
  StateWriter writer(nowhere);
  WriteState(state, writer);
  return writer.hash();
}

}  // namespace warpbook::engine
