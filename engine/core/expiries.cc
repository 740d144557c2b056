#include "engine/core/expiries.h"

#include <algorithm>

#include "engine/core/handlers.h"
#include "engine/core/order_effects.h"

namespace warpbook::engine {
namespace {

struct DueOrder {
  OrderId id;
  CancelReason reason = CancelReason::kExpired;
};

// The earliest time at which something falls due; nothing: kLatestTime, which no command reaches.
Timestamp FindNextDue(State& state) {
  Timestamp next = kLatestTime;
  if (!state.expiries.empty()) next = std::min(next, state.expiries.begin()->first);
  const auto& gates = state.instruments.gates();
  if (!gates.empty()) next = std::min(next, gates.begin()->first);
  return next;
}

// Appends all orders of one side of a book.
void CollectOrders(const PriceLadder& ladder, std::vector<DueOrder>& due) {
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* order = queue.head; order != nullptr; order = order->queue_next) {
        due.push_back({order->id, CancelReason::kGateClosed});
      }
    }
  }
}

// Gates first, by instrument; then the orders, by id.
void ExpireAt(Context& context, Timestamp time) {
  State& state = context.state;
  std::vector<DueOrder> due;
  auto& gates = state.instruments.gates();
  while (!gates.empty() && gates.begin()->first == time) {
    Instrument& instrument = *state.instruments.Find(gates.begin()->second);
    gates.erase(gates.begin());
    instrument.state = InstrumentState::kGateClosed;
    EmitInstrumentState(context, instrument.id, instrument.state);
    CollectOrders(instrument.book.ladder(Side::kBuy), due);
    CollectOrders(instrument.book.ladder(Side::kSell), due);
  }
  for (auto it = state.expiries.begin(); it != state.expiries.end() && it->first == time; ++it) {
    due.push_back({it->second, CancelReason::kExpired});
  }
  std::ranges::sort(due, {}, &DueOrder::id);
  for (const DueOrder& order : due) {
    CancelOrder(context, *state.orders.Find(order.id), order.reason, 0);
  }
}

}  // namespace

void RunExpiries(Context& context) {
  State& state = context.state;
  state.client_order_ids.ForgetOld(context.now);
  while (state.next_due <= context.now) {
    const Timestamp due = FindNextDue(state);
    if (due <= context.now) {
      ExpireAt(context, due);
    } else {
      state.next_due = due;
    }
  }
}

}  // namespace warpbook::engine
