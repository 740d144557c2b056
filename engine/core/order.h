// Order: one live order, bid or ask, in two cache lines. Owned by State's pool; the engine's thread
// owns them all.
// Invariants: 0 < remaining <= gpus and remaining >= min_fill while it rests; gpus - remaining is
// what has been filled; `level` is set exactly while it rests in its instrument's book.
#pragma once

#include <cstdint>

#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

struct Account;
struct Instrument;
struct Lease;
struct Node;
struct PriceLevel;

// Whether what is left of an order of this kind rests.
constexpr bool MayRest(TimeInForce time_in_force) {
  return time_in_force == TimeInForce::kGtc || time_in_force == TimeInForce::kGtd;
}

struct alignas(64) Order {
  // What a walk through the book reads.
  OwnerId owner;
  Price price;  // the limit; a market order's protection price
  Quantity remaining;
  Quantity gpus;  // the total, filled included
  // Its place in the book: the level, and the neighbours in its queue there.
  PriceLevel* level = nullptr;
  Order* queue_next = nullptr;
  Order* queue_previous = nullptr;
  Quantity min_fill;  // 0 and 1: none
  Side side = Side::kBuy;
  Tier tier = Tier::kPremium;                    // bids
  Assurance assurance = Assurance::kAttested;    // asks: that of the acceptance
  Assurance min_assurance = Assurance::kListed;  // bids
  OrderId id;

  Account* account = nullptr;
  Instrument* instrument = nullptr;
  union {                  // what an ask sells:
    Node* node = nullptr;  // GPUs of a node; null for bids
    Lease* lease;          // where is_resale: of a lease
  };
  // Its place among its account's orders, ascending by id.
  Order* account_previous = nullptr;
  Order* account_next = nullptr;
  Timestamp expires;  // its own time (gtd), the gate or the end of its lease's resale: the first
  uint32_t client_order_handle = 0;  // in ClientOrderIds; 0: it has none
  Minutes lock_minutes;  // the minutes at which it is locked (bids) or counts as exposure (asks)
  OrderType type = OrderType::kLimit;
  TimeInForce time_in_force = TimeInForce::kGtc;
  SelfTradePrevention self_trade_prevention = SelfTradePrevention::kCancelNewest;
  bool post_only = false;
  bool is_resale = false;

  // Whether it is an ask for GPUs of this node.
  bool sells_of(const Node& of) const { return !is_resale && node == &of; }
  Quantity filled() const { return gpus - remaining; }
  // Which of a level's queues it waits in: its tier (bids) or its assurance (asks).
  size_t queue() const {
    return side == Side::kBuy ? static_cast<size_t>(tier) : static_cast<size_t>(assurance);
  }
};
static_assert(sizeof(Order) == 128);

}  // namespace warpbook::engine
