#include "tests/engine/core/derived_books.h"

#include "schema/types/enums.h"

namespace warpbook::engine {

using wire::RecordType;

void DerivedBooks::Apply(std::span<const std::byte> events) {
  for (const wire::RecordView event : wire::Records(events)) {
    // What fell due before the command and the command itself have each a run of level events, with
    // the command's reply between them.
    if (event.type() != RecordType::kBookLevelChanged) CheckFlags();
    switch (event.type()) {
      case RecordType::kOrderAccepted:
        On(event.as<wire::OrderAccepted>());
        break;
      case RecordType::kOrderFilled:
        On(event.as<wire::OrderFilled>());
        break;
      case RecordType::kOrderAmended:
        On(event.as<wire::OrderAmended>());
        break;
      case RecordType::kOrderCancelled:
        On(event.as<wire::OrderCancelled>());
        break;
      case RecordType::kInstrumentOpened:
        instruments_.insert(event.as<wire::InstrumentOpened>().instrument_id());
        break;
      case RecordType::kInstrumentStateChanged:
        On(event.as<wire::InstrumentStateChanged>());
        break;
      case RecordType::kBookLevelChanged:
        On(event.as<wire::BookLevelChanged>());
        break;
      default:
        break;
    }
  }
  CheckFlags();
}

// It joins the end of its queue. If it trades first it does not rest yet, but nothing joins that
// queue before it, and if it never rests it is filled or cancelled among the same events.
void DerivedBooks::On(const wire::OrderAccepted& event) {
  const Order order{event.order_id(),      event.header().account_id(),
                    event.instrument_id(), event.price(),
                    event.gpus(),          event.gpus(),
                    event.lock_minutes(),  event.side(),
                    event.tier()};
  if (!orders_.insert({order.id, order}).second) faults_ += "accepted twice\n";
  Join(order);
}

void DerivedBooks::On(const wire::OrderFilled& event) {
  Order* order = Find(event.order_id());
  if (order == nullptr) return;
  if (order->remaining - event.gpus() != event.remaining()) faults_ += "filled by another number\n";
  order->remaining = event.remaining();
  if (order->remaining == 0) Forget(order->id);
}

void DerivedBooks::On(const wire::OrderAmended& event) {
  Order* order = Find(event.order_id());
  if (order == nullptr) return;
  if (event.kept_priority() == 0) Leave(*order);
  if (event.kept_priority() != 0 && event.price() != order->price) faults_ += "moved in place\n";
  order->price = event.price();
  order->gpus = event.gpus();
  order->remaining = event.remaining();
  order->lock_minutes = event.lock_minutes();
  if (event.kept_priority() == 0) Join(*order);
}

void DerivedBooks::On(const wire::OrderCancelled& event) {
  const Order* order = Find(event.order_id());
  if (order == nullptr) return;
  if (order->remaining != event.remaining()) faults_ += "cancelled another number\n";
  Forget(order->id);
}

void DerivedBooks::On(const wire::InstrumentStateChanged& event) {
  if (event.state() != static_cast<uint8_t>(InstrumentState::kClosed)) return;
  instruments_.erase(event.instrument_id());
  for (const uint8_t side : {uint8_t{0}, uint8_t{1}}) {
    if (queues_.contains({event.instrument_id(), side})) faults_ += "closed with orders\n";
    if (levels_.contains({event.instrument_id(), side})) faults_ += "closed with levels\n";
  }
}

void DerivedBooks::On(const wire::BookLevelChanged& event) {
  const SideKey side{event.instrument_id(), event.side()};
  best_before_.try_emplace(side, Best(side.first, side.second));
  if (event.top_of_book() != 0) flagged_.insert(side);
  std::map<int64_t, Level>& levels = levels_[side];
  const int64_t rank = Rank(event.side(), event.price());
  const Level level{event.price(), event.gpus(), event.orders()};
  const auto known = levels.find(rank);
  if (known == levels.end() ? event.gpus() == 0 : known->second == level) {
    faults_ += "a level event without a change\n";
  }
  levels.insert_or_assign(rank, level);
  if (event.gpus() == 0) levels.erase(rank);
  if (levels.empty()) levels_.erase(side);
}

void DerivedBooks::CheckFlags() {
  for (const auto& [side, before] : best_before_) {
    const bool changed = before != Best(side.first, side.second);
    if (changed && !flagged_.contains(side)) faults_ += "the best changed without the flag\n";
    if (!changed && flagged_.contains(side)) faults_ += "the flag without a change of the best\n";
  }
  best_before_.clear();
  flagged_.clear();
}

DerivedBooks::Order* DerivedBooks::Find(uint64_t id) {
  const auto it = orders_.find(id);
  if (it != orders_.end()) return &it->second;
  faults_ += "an event of an order that is not there\n";
  return nullptr;
}

void DerivedBooks::Join(const Order& order) {
  queues_[{order.instrument, order.side}][Rank(order.side, order.price)]
      .at(order.queue)
      .push_back(order.id);
}

void DerivedBooks::Leave(const Order& order) {
  const SideKey side{order.instrument, order.side};
  Queues& queues = queues_[side][Rank(order.side, order.price)];
  queues.at(order.queue).remove(order.id);
  if (queues[0].empty() && queues[1].empty() && queues[2].empty()) {
    queues_[side].erase(Rank(order.side, order.price));
  }
  if (queues_[side].empty()) queues_.erase(side);
}

void DerivedBooks::Forget(uint64_t id) {
  Leave(orders_.at(id));
  orders_.erase(id);
}

std::vector<DerivedBooks::Order> DerivedBooks::Orders(uint32_t instrument, uint8_t side) const {
  std::vector<Order> orders;
  const auto prices = queues_.find({instrument, side});
  if (prices == queues_.end()) return orders;
  for (const auto& [rank, queues] : prices->second) {
    for (const std::list<uint64_t>& queue : queues) {
      for (const uint64_t id : queue) orders.push_back(orders_.at(id));
    }
  }
  return orders;
}

std::vector<DerivedBooks::Level> DerivedBooks::Levels(uint32_t instrument, uint8_t side) const {
  std::vector<Level> levels;
  const auto ranks = levels_.find({instrument, side});
  if (ranks == levels_.end()) return levels;
  for (const auto& [rank, level] : ranks->second) levels.push_back(level);
  return levels;
}

std::optional<DerivedBooks::Level> DerivedBooks::Best(uint32_t instrument, uint8_t side) const {
  const auto ranks = levels_.find({instrument, side});
  if (ranks == levels_.end()) return std::nullopt;
  return ranks->second.begin()->second;
}

}  // namespace warpbook::engine
