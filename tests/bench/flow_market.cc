#include "tests/bench/flow_market.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"

namespace warpbook::bench {
namespace {

// What the flow asks of one of its orders, and what became of it.
struct PlayedOrder {
  uint64_t engine_id = 0;
  int64_t price = 0;  // micro-USD
  int32_t filled = 0;
};

class Player {
 public:
  Player(std::span<const FlowMessage> messages, const MarketSize& size)
      : messages_(messages),
        market_(size),
        engine_(market_.limits()),
        orders_(messages.size() + 1),
        flow_ids_(messages.size() + 1) {}

  FlowResult Play() {
    OpenMarket();
    for (; sequence_ < messages_.size(); ++sequence_) {
      const FlowMessage& message = messages_[sequence_];
      wire::CommandRecord command = Translate(message);
      Apply(command, market_.size().start_us + message.time_us);
      result_.commands.flow.push_back(command);
      Report(message);
    }
    if (!result_.reports.empty()) result_.reports.pop_back();  // no newline at the end
    result_.event_hash = engine_.event_hash();
    return std::move(result_);
  }

 private:
  void OpenMarket() {
    result_.commands.limits = market_.limits();
    result_.commands.setup = market_.SetUp();
    for (const wire::CommandRecord& command : result_.commands.setup) {
      events_.Clear();
      engine_.Apply(command.view(), 0, events_);
      for (const wire::RecordView event : wire::Records(events_.bytes())) {
        WARPBOOK_CHECK(event.type() != wire::RecordType::kCommandRejected);
      }
    }
  }

  void Apply(wire::CommandRecord& command, int64_t time_us) {
    command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(time_us);
    events_.Clear();
    engine_.Apply(command.view(), 0, events_);
  }

  // ---- Messages to commands ----

  wire::CommandRecord Translate(const FlowMessage& message) {
    const PlayedOrder& order = orders_[message.order];
    const uint32_t instrument = market_.InstrumentOf(message.order);
    wire::PlaceOrder place =
        message.is_sell
            ? market_.Ask(message.order, instrument, message.price * kTick, message.quantity)
            : market_.Bid(message.order, instrument, message.price * kTick, message.quantity);
    if (message.action == FlowAction::kCancel) {
      wire::CancelOrder cancel;
      cancel.mutable_header() = place.header();
      cancel.mutate_order_id(order.engine_id);
      return wire::CommandRecord(cancel);
    }
    if (message.action == FlowAction::kModify) {
      wire::AmendOrder amend;
      amend.mutable_header() = place.header();
      amend.mutate_order_id(order.engine_id);
      amend.mutate_price(message.price * kTick);
      amend.mutate_gpus(message.quantity + order.filled);  // the flow names the new remainder
      return wire::CommandRecord(amend);
    }
    place.mutate_time_in_force(
        static_cast<uint8_t>(message.immediate_or_cancel ? TimeInForce::kIoc : TimeInForce::kGtc));
    return wire::CommandRecord(place);
  }

  // ---- Events to reports ----

  void Report(const FlowMessage& message) {
    for (const wire::RecordView event : wire::Records(events_.bytes())) OnEvent(message, event);
    for (std::string& line : lines_) {
      result_.reports += line;
      line.clear();
    }
  }

  void OnEvent(const FlowMessage& message, wire::RecordView event) {
    PlayedOrder& order = orders_[message.order];
    switch (event.type()) {
      case wire::RecordType::kOrderAccepted: {
        const auto& accepted = event.as<wire::OrderAccepted>();
        order.engine_id = accepted.order_id();
        order.price = accepted.price();
        flow_ids_.at(accepted.order_id()) = message.order;
        return Line(0, message.is_sell ? 1 : 0, ",", message.order, ",", order.price / kTick, ",",
                    accepted.gpus());
      }
      case wire::RecordType::kTradeExecuted:
        return OnTrade(event.as<wire::TradeExecuted>());
      case wire::RecordType::kOrderCancelled: {
        WARPBOOK_CHECK(event.as<wire::OrderCancelled>().order_id() == order.engine_id);
        return Line(2, message.is_sell ? 1 : 0, ",", message.order, ",", order.price / kTick);
      }
      case wire::RecordType::kOrderAmended: {
        const auto& amended = event.as<wire::OrderAmended>();
        WARPBOOK_CHECK(amended.order_id() == order.engine_id);
        order.price = amended.price();
        return Line(3, message.is_sell ? 1 : 0, ",", message.order, ",", order.price / kTick, ",",
                    amended.remaining());
      }
      case wire::RecordType::kCommandRejected: {
        const auto reason = static_cast<RejectReason>(event.as<wire::CommandRejected>().reason());
        WARPBOOK_CHECK(reason == RejectReason::kUnknownOrder);
        ++result_.refused;
        return Line(message.action == FlowAction::kCancel ? 4 : 5, message.order);
      }
      default:
        return;
    }
  }

  void OnTrade(const wire::TradeExecuted& trade) {
    ++result_.trades;
    const uint32_t buy = flow_ids_.at(trade.buy_order_id());
    const uint32_t sell = flow_ids_.at(trade.sell_order_id());
    orders_[buy].filled += trade.gpus();
    orders_[sell].filled += trade.gpus();
    const bool buyer_came = trade.taker_side() == static_cast<uint8_t>(Side::kBuy);
    Line(1, trade.price() / kTick, ",", trade.gpus(), ",", buyer_came ? sell : buy, ",",
         buyer_came ? buy : sell);
  }

  template <typename... Parts>
  void Line(size_t type, const Parts&... parts) {
    absl::StrAppend(&lines_[type], type, ",", sequence_, ",");
    absl::StrAppend(&lines_[type], absl::StrCat(parts...), "\n");
  }

  const std::span<const FlowMessage> messages_;
  Market market_;
  engine::Engine engine_;
  wire::RecordWriter events_;  // of the last command
  FlowResult result_;
  size_t sequence_ = 0;
  std::vector<PlayedOrder> orders_;        // by the flow's id
  std::vector<uint32_t> flow_ids_;         // by the engine's
  std::array<std::string, 6> lines_ = {};  // of one message, by the report's type
};

}  // namespace

FlowResult PlayOrderFlow(std::span<const FlowMessage> messages, const MarketSize& size) {
  // A rare seed leaves the usual band.
  MarketSize wide_enough = size;
  for (const FlowMessage& message : messages) {
    wide_enough.band_ticks = std::max(wide_enough.band_ticks, message.price);
  }
  WARPBOOK_CHECK(wide_enough.band_ticks <= kBandTicksMax);
  return Player(messages, wide_enough).Play();
}

}  // namespace warpbook::bench
