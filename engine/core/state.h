// State: everything that the engine is, and Context: what a handler of one command works with.
// Engine's thread. Nothing here is read from a clock or ordered by a hash.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "engine/core/accounts.h"
#include "engine/core/block_pool.h"
#include "engine/core/book_changes.h"
#include "engine/core/client_order_ids.h"
#include "engine/core/engine.h"
#include "engine/core/event_writer.h"
#include "engine/core/id_index.h"
#include "engine/core/instruments.h"
#include "engine/core/leases.h"
#include "engine/core/matching_rules.h"

namespace warpbook::engine {

// A request that waits for settlement's decision.
struct PendingRequest {
  RequestKind kind = RequestKind::kDeposit;
  uint64_t tag = 0;
  AccountId requester;
  AccountId account;  // whom it concerns
  Tokens amount;
  std::array<uint8_t, 32> reference = {};
};

struct State {
  State(const EngineLimits& engine_limits, uint64_t index_secret)
      : limits(engine_limits),
        next_checkpoint(engine_limits.commands_per_checkpoint),
        client_order_ids(limits.remembered_client_order_ids, limits.remembered_client_order_micros,
                         index_secret) {
    WARPBOOK_CHECK(limits.client_order_ids_max <= ClientOrderIds::kCountMax);
  }

  const EngineLimits limits;
  Sequence last_sequence;
  Timestamp last_time;
  uint64_t settlement_number = 0;
  uint64_t last_order_id = 0;
  uint64_t last_lease_id = 0;
  uint64_t next_checkpoint;  // the next sequence that is a multiple of the interval; 0: none
  CreditTotals totals;

  // Memory first: what draws on it gives it back.
  BlockPool<Order> order_memory;
  LadderMemory ladder_memory;

  Accounts accounts;
  Instruments instruments;
  Leases leases;
  // Settled ones whose provider is owed something. At most as many as ever there was too little to
  // pay from: no order makes one.
  absl::btree_map<LeaseId, OwedLease> owed_leases;
  absl::btree_map<Sequence, PendingRequest> requests;
  IdIndex<Order> orders;
  std::array<uint32_t, 2> orders_by_side = {};  // how many of them
  ClientOrderIds client_order_ids;
  // Orders whose own time (gtd) comes before their gate.
  absl::btree_set<std::pair<Timestamp, OrderId>> expiries;
  // No order or gate falls due earlier.
  Timestamp next_due = kLatestTime;

  // Working memory of one command, empty between commands.
  BookChanges book_changes;
  MatchPlan plan;
};

struct Context {
  State& state;
  EventWriter& events;
  Timestamp now;
  Sequence sequence;
};

}  // namespace warpbook::engine
