// The channel orders (L3): what rests of an instrument, order by order and without names, so that a
// client can keep each queue as the engine has it. An order stands in its level's queue of its tier
// (bids) or assurance (asks); one that is added, or changed without keeping its priority, joins the
// end of its queue. The fields of an update are to be applied in their order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/publish/market_state.h"
#include "gateway/publish/public_messages.h"

namespace warpbook::gateway {

// An instrument with more resting orders has no snapshot of them: kSnapshotTooLarge. About 1 MB.
inline constexpr size_t kOrdersSnapshotMax = 10'000;

// What became of the orders of one instrument since the last message.
class OrderChanges {
 public:
  enum class Kind : uint8_t { kRemove, kChange, kJoin };
  struct Change {
    OrderId id;
    Side side = Side::kBuy;
    Kind kind = Kind::kRemove;
    bool is_new = false;              // it joins, and was not there before
    const OrderRow* order = nullptr;  // null: it is gone
  };

  // An event of an order: after it the order may be gone.
  void Note(OrderId id, Side side, bool kept_priority) {
    noted_.push_back({id, side, kept_priority});
  }
  bool empty() const { return noted_.empty(); }

  // What has changed, in the order of the message: what is gone, what is changed in its place, what
  // joins its queue. An order that came and went is left out. `last_told`: those above it are new.
  // Valid until the state changes. Forgets all.
  std::vector<Change> Take(const MarketState& state, OrderId last_told);

 private:
  struct Noted {
    OrderId id;
    Side side;
    bool kept_priority;
  };
  std::vector<Noted> noted_;
};

std::string OrdersSnapshot(Encoding encoding, const InstrumentRow& instrument,
                           const MarketState& state, PublicHead head);
std::string OrdersUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const OrderChanges::Change> changes);
// The end of a subscription that needs a snapshot and cannot have one.
std::string OrdersTooMany(Encoding encoding, const InstrumentRow& instrument, PublicHead head);

}  // namespace warpbook::gateway
