#include "tests/bench/flow_market.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "schema/types/timestamp.h"

namespace warpbook::bench {
namespace {

constexpr int64_t kTick = 5'000;  // micro-USD: the flow's $0.005
// Up to $1,310.72: the flow begins at $167.52 and swings by 60% at most.
constexpr int64_t kBandTicks = 262'144;
constexpr int64_t kStart = 1'700'000'000'000'000 / kMicrosPerMinute * kMicrosPerMinute;
constexpr int64_t kWindowStart = kStart + 365 * 24 * 60 * kMicrosPerMinute;
constexpr uint32_t kInstrument = 1;
constexpr uint64_t kOperatorAccount = 1;
constexpr uint64_t kSettlementAccount = 2;
// Nodes enough that no ask lacks capacity.
constexpr uint32_t kNodesMin = 64;
// More than all orders together could lock: nobody is refused, but everything is checked.
constexpr int64_t kMoney = 4'000'000'000'000'000'000;

// Spreads the flow's orders over `count` members.
uint32_t Scatter(uint32_t number, uint32_t count) {
  return static_cast<uint32_t>((uint64_t{number} * 0x9e3779b97f4a7c15 >> 32) % count);
}

template <typename FlatArray>
void SetKey(FlatArray& key, uint64_t number) {
  std::memcpy(key.Data(), &number, sizeof number);
}

// What the flow asks of one of its orders, and what became of it.
struct PlayedOrder {
  uint64_t engine_id = 0;
  int64_t price = 0;  // micro-USD
  int32_t filled = 0;
};

class Player {
 public:
  Player(std::span<const FlowMessage> messages, const FlowMembers& members)
      : messages_(messages),
        members_(members),
        engine_(FlowLimits()),
        orders_(messages.size() + 1),
        flow_ids_(messages.size() + 1) {}

  FlowResult Play() {
    OpenMarket();
    for (; sequence_ < messages_.size(); ++sequence_) {
      const FlowMessage& message = messages_[sequence_];
      wire::CommandRecord command = Translate(message);
      Apply(command, kStart + message.time_us);
      result_.commands.flow.push_back(command);
      Report(message);
    }
    if (!result_.reports.empty()) result_.reports.pop_back();  // no newline at the end
    result_.event_hash = engine_.event_hash();
    return std::move(result_);
  }

 private:
  uint64_t BuyerAccount(uint32_t index) const { return kSettlementAccount + 1 + index; }
  uint32_t node_count() const { return std::max(members_.providers, kNodesMin); }
  uint64_t ProviderAccount(uint32_t index) const { return BuyerAccount(members_.buyers) + index; }

  // ---- Setup ----

  void OpenMarket() {
    AddSystemKey(kOperatorAccount, AccountKind::kOperator);
    AddSystemKey(kSettlementAccount, AccountKind::kSettlement);
    for (uint32_t i = 0; i < members_.buyers + members_.providers; ++i) {
      wire::OpenAccount open;
      SetKey(*open.mutable_public_key(), BuyerAccount(i));
      SetUp(open, 0);
    }
    for (uint32_t i = 0; i < members_.buyers; ++i) Fund(i);
    for (uint32_t i = 0; i < members_.providers; ++i) Bond(i);
    for (uint32_t i = 0; i < node_count(); ++i) AddNode(i);
    wire::OpenInstrument open;
    open.mutate_window_start_us(kWindowStart);
    open.mutate_tick(kTick);
    open.mutate_band_low(kTick);
    open.mutate_band_high(kTick * kBandTicks);
    open.mutate_window_minutes(60);
    open.mutate_notice_seconds(120);
    open.mutate_gate_minutes(3);
    open.mutate_class_id(1);
    open.mutate_region_id(1);
    SetUp(open, 0);
  }

  void AddSystemKey(uint64_t account, AccountKind kind) {
    wire::RegisterSystemKey key;
    SetKey(*key.mutable_public_key(), account);
    key.mutate_kind(static_cast<uint8_t>(kind));
    SetUp(key, 0);
  }

  void Fund(uint32_t buyer) {
    wire::RequestTopUp top_up;
    top_up.mutate_burn_utok(1);
    SetUp(top_up, BuyerAccount(buyer));
    wire::PostTopUp post;
    post.mutate_number(buyer + 1);
    post.mutate_request_sequence(engine_.last_sequence().value());
    post.mutate_credits(kMoney / members_.buyers);
    SetUp(post, kSettlementAccount);
  }

  void Bond(uint32_t provider) {
    wire::SetBondedLimit limit;
    limit.mutate_target_account_id(ProviderAccount(provider));
    limit.mutate_limit(kMoney);
    SetUp(limit, kOperatorAccount);
  }

  // Node index + 1, of provider index % providers.
  void AddNode(uint32_t index) {
    wire::RegisterNode node;
    SetKey(*node.mutable_device_key(), index + 1);
    node.mutate_gpus(kMaxQuantity.value());
    node.mutate_class_id(1);
    node.mutate_region_id(1);
    SetUp(node, ProviderAccount(index % members_.providers));
    wire::SetCapacity capacity;
    capacity.mutate_node_id(index + 1);
    capacity.mutate_gpus(kMaxQuantity.value());
    capacity.mutate_assurance(members_.tiers ? static_cast<uint8_t>(index % 3) : 0);
    SetUp(capacity, kOperatorAccount);
  }

  template <typename Command>
  void SetUp(Command& command, uint64_t account) {
    command.mutable_header().mutate_account_id(account);
    wire::CommandRecord record(command);
    Apply(record, kStart);
    for (const wire::RecordView event : wire::Records(events_.bytes())) {
      WARPBOOK_CHECK(event.type() != wire::RecordType::kCommandRejected);
    }
    result_.commands.setup.push_back(record);
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
    const uint32_t node = Scatter(message.order, node_count());
    const uint64_t account = message.is_sell
                                 ? ProviderAccount(node % members_.providers)
                                 : BuyerAccount(Scatter(message.order, members_.buyers));
    if (message.action == FlowAction::kCancel) {
      wire::CancelOrder cancel;
      cancel.mutable_header().mutate_account_id(account);
      cancel.mutate_order_id(order.engine_id);
      return wire::CommandRecord(cancel);
    }
    if (message.action == FlowAction::kModify) {
      wire::AmendOrder amend;
      amend.mutable_header().mutate_account_id(account);
      amend.mutate_order_id(order.engine_id);
      amend.mutate_price(message.price * kTick);
      amend.mutate_gpus(message.quantity + order.filled);  // the flow names the new remainder
      return wire::CommandRecord(amend);
    }
    wire::PlaceOrder place;
    place.mutable_header().mutate_account_id(account);
    place.mutate_price(message.price * kTick);
    place.mutate_instrument_id(kInstrument);
    place.mutate_gpus(message.quantity);
    place.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
    place.mutate_time_in_force(
        static_cast<uint8_t>(message.immediate_or_cancel ? TimeInForce::kIoc : TimeInForce::kGtc));
    if (message.is_sell) {
      place.mutate_side(static_cast<uint8_t>(Side::kSell));
      place.mutate_node_id(node + 1);
    } else if (members_.tiers) {
      place.mutate_tier(static_cast<uint8_t>(Scatter(message.order, 3)));
    }
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
  const FlowMembers members_;
  engine::Engine engine_;
  wire::RecordWriter events_;  // of the last command
  FlowResult result_;
  size_t sequence_ = 0;
  std::vector<PlayedOrder> orders_;        // by the flow's id
  std::vector<uint32_t> flow_ids_;         // by the engine's
  std::array<std::string, 6> lines_ = {};  // of one message, by the report's type
};

}  // namespace

engine::EngineLimits FlowLimits() {
  engine::EngineLimits limits;
  limits.orders_per_account_max = 100'000'000;
  limits.orders_per_account_and_book_max = 100'000'000;
  limits.resting_orders_max = 100'000'000;
  limits.leases_max = 100'000'000;
  limits.nodes_per_account_max = kNodesMin;
  return limits;
}

FlowResult PlayOrderFlow(std::span<const FlowMessage> messages, const FlowMembers& members) {
  return Player(messages, members).Play();
}

}  // namespace warpbook::bench
