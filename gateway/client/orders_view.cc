#include "gateway/client/orders_view.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/protocol/book_checksum.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

std::optional<Quantity> QuantityOf(const JsonValue& value) {
  const int64_t gpus = value.integer();
  if (gpus <= 0 || gpus > std::numeric_limits<int32_t>::max()) return std::nullopt;
  return Quantity(static_cast<int32_t>(gpus));
}

// The order of a snapshot's item or an "add".
std::optional<OrdersView::Order> OrderOf(const JsonValue& item, Side side) {
  const auto price = ParsePrice(item["price"].text());
  const auto gpus = QuantityOf(item["gpus"]);
  std::optional<size_t> queue;
  if (side == Side::kBuy) {
    if (const auto tier = ParseName<Tier>(item["tier"].text())) queue = static_cast<size_t>(*tier);
  } else if (const auto assurance = ParseName<Assurance>(item["assurance"].text())) {
    queue = static_cast<size_t>(*assurance);
  }
  if (item["order_id"].id() == 0 || !price || !gpus || !queue) return std::nullopt;
  return OrdersView::Order{
      .id = OrderId(item["order_id"].id()),
      .side = side,
      .price = *price,
      .gpus = *gpus,
      .queue = *queue,
      .min_fill = QuantityOf(item["min_fill"]).value_or(Quantity(0)),
      .min_assurance =
          ParseName<Assurance>(item["min_assurance"].text()).value_or(Assurance::kListed)};
}

}  // namespace

absl::Status OrdersView::Apply(const JsonValue& message) {
  const std::string& type = message["type"].text();
  if (type != "snapshot" && type != "update") {
    return absl::InvalidArgumentError(absl::StrCat("a message of orders of type \"", type, "\""));
  }
  const bool is_snapshot = type == "snapshot";
  if (is_snapshot) {
    levels_ = {};
    orders_.clear();
  } else if (!has_snapshot_ || message["prev_seq"].integer() != sequence_) {
    has_snapshot_ = false;
    return absl::DataLossError(absl::StrCat("the update ", message["seq"].integer(), " follows ",
                                            message["prev_seq"].integer(), ", but ", sequence_,
                                            " was the last one here"));
  }
  has_snapshot_ = false;
  for (const auto& [side, name] : {std::pair(Side::kBuy, "bids"), std::pair(Side::kSell, "asks")}) {
    for (const JsonValue& item : message["data"][name].items()) {
      const absl::Status applied = ApplyItem(item, side, is_snapshot);
      if (!applied.ok()) return applied;
    }
  }
  sequence_ = message["seq"].integer();
  if (Checksum() != message["checksum"].integer()) {
    return absl::DataLossError(
        absl::StrCat("the checksum of the orders differs at ", message["seq"].integer()));
  }
  has_snapshot_ = true;
  return absl::OkStatus();
}

absl::Status OrdersView::ApplyItem(const JsonValue& item, Side side, bool is_snapshot) {
  const OrderId id(item["order_id"].id());
  const std::string& event = item["event"].text();
  if (is_snapshot || event == "add") {
    const std::optional<Order> order = OrderOf(item, side);
    if (!order) return absl::InvalidArgumentError("an order's fields are wrong");
    if (orders_.contains(id)) return absl::DataLossError("an order is there already");
    Join(*order);
    return absl::OkStatus();
  }
  if (!orders_.contains(id)) return absl::DataLossError("an order is not there");
  if (event == "change") return Change(item);
  if (event != "remove") return absl::InvalidArgumentError("an order's event is none");
  Leave(id);
  return absl::OkStatus();
}

absl::Status OrdersView::Change(const JsonValue& item) {
  const auto price = ParsePrice(item["price"].text());
  const auto gpus = QuantityOf(item["gpus"]);
  Order& order = *orders_.find(OrderId(item["order_id"].id()))->second;
  const bool kept_priority = item["kept_priority"].flag();
  if (!price || !gpus || (kept_priority && *price != order.price)) {
    return absl::InvalidArgumentError("a changed order's fields are wrong");
  }
  if (kept_priority) {
    LevelsOf(order.side)[RankOf(order)].gpus += *gpus - order.gpus;
    order.gpus = *gpus;
  } else {
    Order moved = Leave(order.id);
    moved.price = *price;
    moved.gpus = *gpus;
    Join(moved);
  }
  return absl::OkStatus();
}

void OrdersView::Join(const Order& order) {
  Level& level = LevelsOf(order.side)[RankOf(order)];
  level.gpus += order.gpus;
  std::list<Order>& queue = level.queues[order.queue];
  orders_[order.id] = queue.insert(queue.end(), order);
}

OrdersView::Order OrdersView::Leave(OrderId id) {
  const auto place = orders_.find(id);
  const Order order = *place->second;
  Levels& levels = LevelsOf(order.side);
  const auto level = levels.find(RankOf(order));
  level->second.gpus -= order.gpus;
  level->second.queues[order.queue].erase(place->second);
  if (level->second.gpus == Quantity(0)) levels.erase(level);
  orders_.erase(place);
  return order;
}

std::vector<const OrdersView::Order*> OrdersView::Queue(Side side) const {
  std::vector<const Order*> orders;
  for (const auto& [rank, level] : levels_[static_cast<size_t>(side)]) {
    for (const std::list<Order>& queue : level.queues) {
      for (const Order& order : queue) orders.push_back(&order);
    }
  }
  return orders;
}

const OrdersView::Order* OrdersView::Find(OrderId id) const {
  const auto place = orders_.find(id);
  return place == orders_.end() ? nullptr : &*place->second;
}

uint32_t OrdersView::Checksum() const {
  const auto best = [this](Side side) {
    std::vector<std::pair<Price, Quantity>> levels;
    for (const auto& [rank, level] : levels_[static_cast<size_t>(side)]) {
      if (levels.size() == kChecksumLevels) break;
      levels.emplace_back(Price(rank < 0 ? -rank : rank), level.gpus);
    }
    return levels;
  };
  return BookChecksum(best(Side::kSell), best(Side::kBuy), tick_);
}

}  // namespace warpbook::gateway
