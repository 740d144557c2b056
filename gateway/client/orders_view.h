// OrdersView: all that rests of one instrument, order by order, as the channel `orders` tells it:
// each queue as the exchange serves it. Checks what the API promises: no update is missed
// (prev_seq), and what the orders add up to is the gateway's book (checksum). No thread of its own:
// its owner's.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "gateway/client/json_value.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

class OrdersView {
 public:
  struct Order {
    OrderId id;
    Side side = Side::kBuy;
    Price price;
    Quantity gpus;      // that are left of it
    size_t queue = 0;   // a bid's Tier, an ask's Assurance
    Quantity min_fill;  // 0: none
    Assurance min_assurance = Assurance::kListed;
  };

  // The instrument's tick is needed for the checksum.
  explicit OrdersView(Price tick) : tick_(tick) {}

  // Takes a snapshot or an update. DataLoss where an update was missed or the checksum differs: the
  // view is then of no use until the next snapshot (subscribe again). InvalidArgument where the
  // message is none of orders. The last one, of type "closed", is its owner's to see.
  absl::Status Apply(const JsonValue& message);

  // One side in the order in which it is served. Valid until the next Apply.
  std::vector<const Order*> Queue(Side side) const;
  const Order* Find(OrderId id) const;
  size_t size() const { return orders_.size(); }
  int64_t sequence() const { return sequence_; }

 private:
  struct Level {
    std::array<std::list<Order>, kTierCount> queues;
    Quantity gpus;
  };
  // By rank: the price of asks, minus the price of bids, so that the best comes first.
  using Levels = std::map<int64_t, Level>;

  static int64_t RankOf(const Order& order) {
    return order.side == Side::kBuy ? -order.price.value() : order.price.value();
  }
  Levels& LevelsOf(Side side) { return levels_[static_cast<size_t>(side)]; }
  absl::Status ApplyItem(const JsonValue& item, Side side, bool is_snapshot);
  absl::Status Change(const JsonValue& item);
  void Join(const Order& order);
  Order Leave(OrderId id);
  uint32_t Checksum() const;

  const Price tick_;
  std::array<Levels, 2> levels_;  // by Side
  absl::flat_hash_map<OrderId, std::list<Order>::iterator> orders_;
  int64_t sequence_ = 0;
  bool has_snapshot_ = false;
};

}  // namespace warpbook::gateway
