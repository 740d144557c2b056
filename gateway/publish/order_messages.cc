#include "gateway/publish/order_messages.h"

#include <algorithm>
#include <tuple>

#include "gateway/protocol/book_checksum.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {
namespace {

// What everybody may know of an order. A condition that lets any fill pass is left out.
void WriteOrderFields(MessageWriter& out, const OrderRow& order) {
  out.FieldId("order_id", order.id.value());
  out.Field("price", order.price).Field("gpus", order.remaining);
  if (order.side == Side::kBuy) {
    out.Field("tier", Name(static_cast<Tier>(order.queue)));
    if (order.min_assurance != Assurance::kListed) {
      out.Field("min_assurance", Name(order.min_assurance));
    }
  } else {
    out.Field("assurance", Name(static_cast<Assurance>(order.queue)));
  }
  if (order.min_fill > Quantity(1)) out.Field("min_fill", order.min_fill);
}

void WriteChange(MessageWriter& out, const OrderChanges::Change& change) {
  using Kind = OrderChanges::Kind;
  out.BeginObject();
  if (change.kind == Kind::kRemove) {
    out.Field("event", "remove").FieldId("order_id", change.id.value());
  } else if (change.is_new) {
    out.Field("event", "add");
    WriteOrderFields(out, *change.order);
  } else {
    out.Field("event", "change").FieldId("order_id", change.id.value());
    out.Field("price", change.order->price).Field("gpus", change.order->remaining);
    out.Field("kept_priority", change.kind == Kind::kChange);
  }
  out.EndObject();
}

void WriteChecksum(MessageWriter& out, const InstrumentRow& instrument) {
  const L2Book& book = instrument.book;
  out.Field("checksum", BookChecksum(book.asks, book.bids, instrument.terms->tick));
}

constexpr std::pair<Side, std::string_view> kSides[] = {{Side::kBuy, "bids"},
                                                        {Side::kSell, "asks"}};

}  // namespace

std::vector<OrderChanges::Change> OrderChanges::Take(const MarketState& state, OrderId last_told) {
  std::ranges::stable_sort(noted_, {}, &Noted::id);
  std::vector<Change> changes;
  for (size_t i = 0; i < noted_.size();) {
    const auto [id, side, ignored] = noted_[i];
    bool kept_priority = true;
    for (; i < noted_.size() && noted_[i].id == id; ++i) kept_priority &= noted_[i].kept_priority;
    const OrderRow* order = state.FindOrder(id);
    const bool is_new = id > last_told;
    if (is_new && order == nullptr) continue;
    const Kind kind = order == nullptr           ? Kind::kRemove
                      : is_new || !kept_priority ? Kind::kJoin
                                                 : Kind::kChange;
    changes.push_back({.id = id, .side = side, .kind = kind, .is_new = is_new, .order = order});
  }
  noted_.clear();
  const auto rank = [](const Change& change) {
    return std::tuple(change.kind, change.kind == Kind::kJoin ? change.order->priority : 0,
                      change.id);
  };
  std::ranges::sort(changes, {}, rank);
  return changes;
}

std::string OrdersSnapshot(Encoding encoding, const InstrumentRow& instrument,
                           const MarketState& state, PublicHead head) {
  const std::vector<const OrderRow*> orders = state.RestingOrders(instrument);
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kOrders, MessageType::kSnapshot, instrument.terms->symbol,
                       std::nullopt, head);
    out.Key("data").BeginObject();
    for (const auto& [side, name] : kSides) {
      out.Key(name).BeginArray();
      for (const OrderRow* order : orders) {
        if (order->side != side) continue;
        out.BeginObject();
        WriteOrderFields(out, *order);
        out.EndObject();
      }
      out.EndArray();
    }
    out.EndObject();
    WriteChecksum(out, instrument);
  });
}

std::string OrdersUpdate(Encoding encoding, const InstrumentRow& instrument, PublicHead head,
                         std::span<const OrderChanges::Change> changes) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kOrders, MessageType::kUpdate, instrument.terms->symbol,
                       std::nullopt, head);
    out.Key("data").BeginObject();
    for (const auto& [side, name] : kSides) {
      out.Key(name).BeginArray();
      for (const OrderChanges::Change& change : changes) {
        if (change.side == side) WriteChange(out, change);
      }
      out.EndArray();
    }
    out.EndObject();
    WriteChecksum(out, instrument);
  });
}

std::string OrdersTooMany(Encoding encoding, const InstrumentRow& instrument, PublicHead head) {
  return WriteMessage(encoding, [&](MessageWriter& out) {
    BeginPublicMessage(out, Channel::kOrders, MessageType::kClosed, instrument.terms->symbol,
                       std::nullopt, head);
    out.Field("reason", RejectReasonCode(RejectReason::kSnapshotTooLarge));
  });
}

}  // namespace warpbook::gateway
