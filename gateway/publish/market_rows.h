// The rows of MarketState: what the gateway knows of each instrument, account, order, lease and
// node. Prices micro-USD per GPU-hour, credits 1/60 micro-USD, times microseconds since 1970.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/inlined_vector.h"
#include "gateway/publish/candles.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

// What never changes of an instrument. Shared by those that outlive it (leases).
struct InstrumentTerms {
  InstrumentId id;
  ClassId class_id;
  RegionId region_id;
  std::string symbol;
  Timestamp window_start;
  Timestamp gate;
  Price tick, band_low, band_high;
  Minutes window_minutes;
  int32_t notice_seconds = 0;
};

// The L2 book: GPUs by price, best first. A price that nobody offers is not there.
struct L2Book {
  absl::btree_map<Price, Quantity, std::greater<>> bids;
  absl::btree_map<Price, Quantity> asks;

  // 0 where nobody offers that price.
  Quantity At(Side side, Price price) const {
    return side == Side::kBuy ? GpusAt(bids, price) : GpusAt(asks, price);
  }
  void Set(Side side, Price price, Quantity gpus) {
    side == Side::kBuy ? SetGpus(bids, price, gpus) : SetGpus(asks, price, gpus);
  }

 private:
  template <typename Levels>
  static Quantity GpusAt(const Levels& levels, Price price) {
    const auto level = levels.find(price);
    return level == levels.end() ? Quantity(0) : level->second;
  }
  template <typename Levels>
  static void SetGpus(Levels& levels, Price price, Quantity gpus) {
    if (gpus == Quantity(0)) {
      levels.erase(price);
    } else {
      levels[price] = gpus;
    }
  }
};

struct TradeRow {
  LeaseId id;
  Timestamp time;
  Price price;
  Quantity gpus;
  Minutes minutes;
  Side taker_side = Side::kBuy;
};

struct InstrumentRow {
  std::shared_ptr<const InstrumentTerms> terms;
  InstrumentState state = InstrumentState::kOpen;
  L2Book book = {};
  std::deque<TradeRow> last_trades = {};  // oldest first, at most kLastTrades
  TradeSummary traded = {};               // all of its trades
  Candles candles = {};
  std::vector<OrderId> orders = {};  // that rest, in no order (OrderRow::place)
};
inline constexpr size_t kLastTrades = 100;

struct KeyRow {
  PublicKey key{};
  uint32_t scopes = 0;
};

struct AccountRow {
  AccountId id;
  OwnerId owner;
  bool owner_verified = false;  // an operator's word
  AccountKind kind = AccountKind::kMember;
  absl::InlinedVector<KeyRow, 1> keys;  // that were not revoked
  Credits free, locked, escrow;
  Credits bonded_limit;
  Tokens tokens;
  uint64_t last_sequence = 0;  // of its private events
  absl::btree_set<OrderId> orders;
  absl::btree_set<LeaseId> leases;  // bought or provided, neither settled nor resold
  std::vector<NodeId> nodes;

  // The scopes of that key; 0: the account has no such key.
  uint32_t ScopesOf(const PublicKey& key) const {
    for (const KeyRow& row : keys) {
      if (row.key == key) return row.scopes;
    }
    return 0;
  }
};

struct OrderRow {
  OrderId id;
  AccountId account;
  InstrumentId instrument;
  NodeId node;    // of asks, but
  LeaseId lease;  // of those that resell a lease
  ClientOrderId client_order_id;
  Price price;
  Timestamp expires;
  Quantity gpus, remaining, min_fill;
  uint32_t session = 0;  // the mark of the session that has placed it
  Side side = Side::kBuy;
  OrderType type = OrderType::kLimit;
  TimeInForce time_in_force = TimeInForce::kGtc;
  uint8_t queue = 0;  // a bid's Tier, an ask's Assurance
  Assurance min_assurance = Assurance::kListed;
  bool post_only = false;
  // In its queue who has the lower one is served first: the sequence of the event that gave the
  // order its place.
  uint64_t priority = 0;
  uint32_t place = 0;  // in its instrument's `orders`
};

// What an instrument's resting orders are sorted by, within a side: best price, queue, priority.
inline bool ComesFirst(const OrderRow& a, const OrderRow& b) {
  if (a.price != b.price) return a.side == Side::kBuy ? a.price > b.price : a.price < b.price;
  if (a.queue != b.queue) return a.queue < b.queue;
  return std::pair(a.priority, a.id) < std::pair(b.priority, b.id);
}
// An order that is no more.
struct FinishedOrder {
  OrderId id;
  AccountId account;
  InstrumentId instrument;
  ClientOrderId client_order_id;
  Price price;
  Timestamp time;            // when it came to its end
  Quantity gpus, remaining;  // of these, what was not filled
  Side side = Side::kBuy;
  bool cancelled = false;                          // else: filled
  CancelReason reason = CancelReason::kRequested;  // of one that was cancelled
};

struct LeaseRow {
  LeaseId id;
  AccountId buyer, provider;
  NodeId node;
  LeaseId resold_lease;  // that it was made from; none: it is a node's own sale
  std::shared_ptr<const InstrumentTerms> terms;
  Price price;           // that the buyer pays
  Price provider_price;  // that the provider is paid
  Quantity gpus;         // that were not resold
  Minutes minutes;
  Timestamp delivery_start, delivery_end;
  LeaseState state = LeaseState::kReserved;
  bool completed = false;
};

struct NodeRow {
  NodeId id;
  AccountId account;
  ClassId class_id;
  RegionId region_id;
  PublicKey device_key{};
  Quantity registered;  // GPUs that its owner says it has
  Quantity capacity;    // GPUs that an operator has approved, or a probe
  Assurance assurance = Assurance::kListed;
  bool approved = false;
  // Of its probes (engine/core/accounts.h).
  Sequence probe = {};          // 0: none is open
  uint64_t probe_tag = 0;       // of the request that began it: tells whose it is
  Timestamp proved_until = {};  // 0: it is not proved
  Timestamp probe_due = {};     // 0: it is not called
};
// Whether the node is one of those that its owner proves, and that prove themselves together.
inline bool TakesPart(const NodeRow& node) {
  return node.proved_until != Timestamp() || node.probe_due != Timestamp() ||
         node.probe != Sequence();
}

}  // namespace warpbook::gateway
