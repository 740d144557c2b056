#include "tests/bench/resting_market.h"

#include <algorithm>

#include "schema/base/check.h"
#include "schema/types/enums.h"

namespace warpbook::bench {

uint32_t LevelsFor(uint32_t orders_per_book) {
  return std::clamp<uint32_t>(orders_per_book / 10, 20, 400);
}

wire::PlaceOrder RestingOrder(const Market& market, uint32_t number, uint32_t instrument, bool ask,
                              uint32_t levels, std::mt19937& random) {
  const auto distance = static_cast<int64_t>(1 + random() % levels);
  const auto gpus = static_cast<int32_t>(2 + random() % 19);
  return ask ? market.Ask(number, instrument, (kMidTicks + distance) * kTick, gpus)
             : market.Bid(number, instrument, (kMidTicks - distance) * kTick, gpus);
}

RestingMarket::RestingMarket(const MarketSize& size, uint32_t orders, uint32_t seed)
    : market_(size),
      orders_(orders),
      levels_(LevelsFor(orders / size.instruments)),
      random_(seed),
      engine_(market_.limits()),
      time_us_(size.start_us),
      places_(1) {}

FlowCommands RestingMarket::Make(size_t count) {
  FlowCommands commands{market_.limits(), market_.SetUp(), {}};
  for (const wire::CommandRecord& command : commands.setup) {
    events_.Clear();
    engine_.Apply(command.view(), 0, events_);
  }
  commands.setup.reserve(commands.setup.size() + orders_);
  while (live_.size() < orders_) commands.setup.push_back(Place(/*fills=*/false));
  commands.flow.reserve(count);
  while (commands.flow.size() < count) commands.flow.push_back(Next());
  return commands;
}

wire::CommandRecord RestingMarket::Next() {
  const uint32_t share = Random(100);
  if (share < 10) return Place(/*fills=*/true);
  if (share < 25) return Amend(/*price=*/false);
  if (share < 40) return Amend(/*price=*/true);
  // As many as before: what fills took is placed again.
  return live_.size() < orders_ ? Place(/*fills=*/false) : Cancel();
}

wire::CommandRecord RestingMarket::Place(bool fills) {
  const uint32_t number = ++number_;
  const uint32_t instrument = 1 + Random(market_.size().instruments);
  const bool ask = Random(2) == 1;
  if (!fills) {
    wire::PlaceOrder place = RestingOrder(market_, number, instrument, ask, levels_, random_);
    return Apply(place);
  }
  const auto gpus = static_cast<int32_t>(1 + Random(20));
  wire::PlaceOrder taker = ask ? market_.Ask(number, instrument, kTick, gpus)
                               : market_.Bid(number, instrument, 2 * kMidTicks * kTick, gpus);
  taker.mutate_time_in_force(static_cast<uint8_t>(TimeInForce::kIoc));
  return Apply(taker);
}

wire::CommandRecord RestingMarket::Cancel() {
  const Live& order = live_[Random(static_cast<uint32_t>(live_.size()))];
  wire::CancelOrder cancel;
  cancel.mutable_header().mutate_account_id(order.account);
  cancel.mutate_order_id(order.id);
  return Apply(cancel);
}

wire::CommandRecord RestingMarket::Amend(bool price) {
  const Live& order = live_[Random(static_cast<uint32_t>(live_.size()))];
  wire::AmendOrder amend;
  amend.mutable_header().mutate_account_id(order.account);
  amend.mutate_order_id(order.id);
  if (price) {
    const int64_t distance = 1 + Random(levels_);
    amend.mutate_price((order.ask ? kMidTicks + distance : kMidTicks - distance) * kTick);
  } else {
    // Fewer GPUs; the last one cannot go.
    amend.mutate_gpus(order.filled + std::max(1, order.remaining - 1));
  }
  return Apply(amend);
}

template <typename Command>
wire::CommandRecord RestingMarket::Apply(Command& command) {
  command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
  command.mutable_header().mutate_time_us(++time_us_);
  const wire::CommandRecord record(command);
  events_.Clear();
  engine_.Apply(record.view(), 0, events_);
  for (const wire::RecordView event : wire::Records(events_.bytes())) OnEvent(record, event);
  return record;
}

void RestingMarket::OnEvent(const wire::CommandRecord& command, wire::RecordView event) {
  switch (event.type()) {
    case wire::RecordType::kOrderAccepted: {
      const auto& accepted = event.as<wire::OrderAccepted>();
      places_.resize(accepted.order_id() + 1);
      places_[accepted.order_id()] = static_cast<uint32_t>(live_.size());
      live_.push_back({accepted.order_id(), command.view().command_header().account_id(), 0,
                       accepted.gpus(), accepted.side() == static_cast<uint8_t>(Side::kSell)});
      return;
    }
    case wire::RecordType::kTradeExecuted: {
      const auto& trade = event.as<wire::TradeExecuted>();
      Took(trade.buy_order_id(), trade.gpus());
      return Took(trade.sell_order_id(), trade.gpus());
    }
    case wire::RecordType::kOrderAmended: {
      const auto& amended = event.as<wire::OrderAmended>();
      live_[places_[amended.order_id()]].remaining = amended.remaining();
      return;
    }
    case wire::RecordType::kOrderCancelled:
      return Forget(event.as<wire::OrderCancelled>().order_id());
    case wire::RecordType::kCommandRejected:
      WARPBOOK_CHECK(!"nothing is refused");
    default:
      return;
  }
}

void RestingMarket::Took(uint64_t order_id, int32_t gpus) {
  Live& order = live_[places_[order_id]];
  order.filled += gpus;
  order.remaining -= gpus;
  if (order.remaining == 0) Forget(order_id);
}

void RestingMarket::Forget(uint64_t order_id) {
  const uint32_t place = places_[order_id];
  live_[place] = live_.back();
  places_[live_[place].id] = place;
  live_.pop_back();
}

}  // namespace warpbook::bench
