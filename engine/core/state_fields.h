// What the engine's state is made of, field by field, in the order of its bytes: the one
// description for writing it (state_writer.cc), for hashing it and for reading it
// (state_reader.cc). `stream` is a StateWriter, then the object is const, or a StateReader.
// Pointers stand as ids (References), and what follows from other fields (an account's open orders,
// a level's totals, what falls due) is not there; whatever else a later command could observe must
// be. A change here is one of kSnapshotFormat, and of the rules' version, as it changes the state
// hash.
#pragma once

#include <algorithm>
#include <array>

#include "engine/core/state.h"
#include "schema/types/state_stream.h"

namespace warpbook::engine {

// All of EngineLimits.
#define WARPBOOK_LIMITS(X)           \
  X(accounts_max)                    \
  X(keys_per_account_max)            \
  X(keys_ever_per_account_max)       \
  X(nodes_per_account_max)           \
  X(nodes_max)                       \
  X(orders_per_account_max)          \
  X(orders_per_account_and_book_max) \
  X(resting_orders_max)              \
  X(leases_max)                      \
  X(resales_per_lease_max)           \
  X(instruments_max)                 \
  X(client_order_ids_max)            \
  X(pending_requests_max)            \
  X(pending_top_ups_per_account_max) \
  X(remembered_client_order_ids)     \
  X(remembered_client_order_micros)  \
  X(commands_per_checkpoint)
template <typename Stream, typename Limits>
void StreamLimits(Stream& stream, Limits& limits) {
#define WARPBOOK_X(name) stream(limits.name);
  WARPBOOK_LIMITS(WARPBOOK_X)
#undef WARPBOOK_X
}

template <typename Stream, typename AnyState>
void StreamCounters(Stream& stream, AnyState& state) {
  stream(state.last_sequence, state.last_time, state.settlement_number, state.last_order_id,
         state.last_lease_id);
  auto& totals = state.totals;
  stream(totals.issued, totals.free, totals.locked, totals.escrow, totals.owed, totals.consumed,
         totals.burned);
}

// Its kind, its first key and its nodes come with it: see the writer.
template <typename Stream, typename AnyAccount>
void StreamAccount(Stream& stream, AnyAccount& account) {
  stream(account.event_sequence, account.free, account.locked, account.escrow, account.owed,
         account.bonded_limit, account.exposure);
}

// Its account, one each, comes from the accounts.
template <typename Stream, typename AnyOwner>
void StreamOwner(Stream& stream, AnyOwner& owner) {
  stream(owner.verified, owner.large);
}

template <typename Stream, typename AnyNode>
void StreamNode(Stream& stream, AnyNode& node) {
  stream(node.class_id, node.region_id, node.registered, node.gpus, node.assurance, node.approved,
         node.gpus_max, node.probe_id, node.probe_expires, node.proved_until, node.probe_due);
}

// All but its prices and its window, which an instrument is made with.
template <typename Stream, typename AnyInstrument>
void StreamInstrument(Stream& stream, AnyInstrument& instrument) {
  stream(instrument.class_id, instrument.region_id, instrument.gate, instrument.state);
}

struct OrderReferences {
  AccountId account;
  NodeId node;    // 0: none
  LeaseId lease;  // 0: none; an ask that resells it
  ClientOrderId client_order_id;
  uint64_t content = 0;  // its fingerprint; only where there is a client order id
};
// All but the instrument, the side and the price, which its place in the book says.
template <typename Stream, typename AnyOrder, typename References>
void StreamOrder(Stream& stream, AnyOrder& order, References& references) {
  stream(order.id, references.account, references.node, references.lease, order.expires, order.gpus,
         order.remaining, order.min_fill, order.lock_minutes, order.type, order.time_in_force,
         order.tier, order.assurance, order.min_assurance, order.self_trade_prevention,
         order.post_only);
  bool has_client_order_id = !references.client_order_id.empty();
  stream(has_client_order_id);
  if (has_client_order_id) stream(references.client_order_id, references.content);
}

struct LeaseReferences {
  AccountId buyer, provider;
  NodeId node;
  struct Leg {
    AccountId trader;
    Price difference;
  };
  uint32_t leg_count = 0;
  std::array<Leg, kResaleLegsMax> legs;
};
// All but the GPUs in open asks that resell it, which those asks say.
template <typename Stream, typename AnyLease, typename References>
void StreamLease(Stream& stream, AnyLease& lease, References& references) {
  stream(lease.id, lease.instrument, references.buyer, references.provider, references.node,
         lease.price, lease.provider_price, lease.gpus, lease.minutes, lease.notional,
         lease.surcharge, lease.delivery_start, lease.delivery_end, lease.state, lease.completed,
         lease.assurance, lease.disputed, lease.deposit, lease.share, lease.verdict,
         references.leg_count);
  for (uint32_t i = 0; i < std::min<size_t>(references.leg_count, kResaleLegsMax); ++i) {
    stream(references.legs[i].trader, references.legs[i].difference);
  }
}

struct OwedReferences {
  AccountId provider;
  uint32_t share_count = 0;
  struct Share {
    AccountId payer;
    Credits left;
  };
  std::array<Share, kOwedSharesMax> shares;
};
template <typename Stream, typename References>
void StreamOwed(Stream& stream, References& references) {
  stream(references.provider, references.share_count);
  for (uint32_t i = 0; i < std::min<size_t>(references.share_count, kOwedSharesMax); ++i) {
    stream(references.shares[i].payer, references.shares[i].left);
  }
}

template <typename Stream, typename AnyRequest>
void StreamRequest(Stream& stream, AnyRequest& request) {
  stream(request.kind, request.tag, request.requester, request.account, request.amount,
         request.reference);
}

template <typename Stream, typename AnyFinished>
void StreamFinishedId(Stream& stream, AnyFinished& finished) {
  stream(finished.id, finished.order, finished.content, finished.finished);
}

}  // namespace warpbook::engine
