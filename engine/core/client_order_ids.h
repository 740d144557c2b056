// ClientOrderIds: one account's memory of its client order ids, which are keys of idempotency: the
// same id with the same content is answered with the first outcome. An id is remembered while its
// order lives, and after that while it is among the last N that finished or finished within a time
// (EngineLimits). 1-market, Orders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "absl/container/flat_hash_map.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

// All that a client says of an order, but for its id, the deadline and whether it only wants it
// checked: those say how the command is to be treated, not what the order is.
struct OrderContent {
  Price price;
  Timestamp expires;
  NodeId node;
  LeaseId lease;
  InstrumentId instrument;
  Quantity gpus;
  Quantity min_fill;
  Side side = Side::kBuy;
  OrderType type = OrderType::kLimit;
  TimeInForce time_in_force = TimeInForce::kGtc;
  Tier tier = Tier::kPremium;
  Assurance min_assurance = Assurance::kListed;
  SelfTradePrevention self_trade_prevention = SelfTradePrevention::kCancelNewest;
  bool post_only = false;
  friend bool operator==(const OrderContent&, const OrderContent&) = default;
};

class ClientOrderIds {
 public:
  struct Entry {
    OrderContent content;
    OrderId order;
    bool live = true;
  };
  struct Finished {
    ClientOrderId id;
    Timestamp finished;
  };

  const Entry* Find(const ClientOrderId& id) const;
  // The id must not be remembered.
  void Add(const ClientOrderId& id, const OrderContent& content, OrderId order);
  void Finish(const ClientOrderId& id, Timestamp now);
  // Forgets those finished that are beyond the last `keep` and finished before `oldest`. Returns
  // how many.
  size_t Trim(size_t keep, Timestamp oldest);

  size_t size() const { return entries_.size(); }
  // In the order in which they finished.
  const std::deque<Finished>& finished() const { return finished_; }

 private:
  absl::flat_hash_map<ClientOrderId, Entry> entries_;
  std::deque<Finished> finished_;
};

}  // namespace warpbook::engine
