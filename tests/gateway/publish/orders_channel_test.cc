// The channel orders, as a client sees it: from its messages alone it has every queue as the engine
// serves it.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/client/orders_view.h"
#include "gateway/publish/order_messages.h"
#include "tests/engine/core/derived_books.h"
#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

const ManualClock kClock(1);
const GatewayLimits kLimits;
constexpr uint64_t kWatcher = 7;

JsonValue Parse(const std::string& text) {
  const absl::StatusOr<JsonValue> value = JsonValue::Parse(text);
  REQUIRE(value.ok());
  return *value;
}

// A client that listens to the orders of every instrument from its opening, or from `first_batch`.
class Watcher {
 public:
  explicit Watcher(Publisher& publisher)
      : publisher_(publisher), peer_(kWatcher, false, kLimits.client) {}

  void SubscribeToNew() {
    for (const InstrumentId id : publisher_.state().open_instruments()) {
      const auto [view, is_new] =
          views_.try_emplace(id, publisher_.state().FindInstrument(id)->terms->tick);
      if (!is_new) continue;
      const Topic topic{.channel = Channel::kOrders, .instrument = id};
      publisher_.public_feed().Subscribe(kWatcher, peer_, topic);
      publisher_.public_feed().SendSnapshot(kWatcher, topic, publisher_.last_time_us());
    }
    TakeMessages();
  }
  void TakeMessages() {
    for (const std::string& text : peer_.messages) {
      const JsonValue message = Parse(text);
      const InstrumentId id =
          publisher_.state().FindInstrument(message["symbol"].text())->terms->id;
      if (message["type"].text() == "closed") {
        CHECK(views_.at(id).size() == 0);
        views_.erase(id);
        continue;
      }
      const absl::Status applied = views_.at(id).Apply(message);
      REQUIRE_MESSAGE(applied.ok(), std::string(applied.message()) << "\n" << text);
      for (const auto& name : {"bids", "asks"}) {
        for (const JsonValue& item : message["data"][name].items()) {
          std::string event = item["event"].text();
          if (event == "change") event += item["kept_priority"].flag() ? " kept" : " lost";
          ++events_[event];
        }
      }
    }
    peer_.messages.clear();
  }
  const std::map<InstrumentId, OrdersView>& views() const { return views_; }
  const std::map<std::string, uint64_t>& events() const { return events_; }
  TestPeer& peer() { return peer_; }

 private:
  Publisher& publisher_;
  TestPeer peer_;
  std::map<InstrumentId, OrdersView> views_;
  std::map<std::string, uint64_t> events_;
};

// The engine's queue, as its events tell it (tests/engine/core/market_data_test.cc holds them to
// the engine), the client's, and the gateway's own: all three are one.
void CheckQueues(const MarketState& state, const OrdersView& view, InstrumentId id,
                 const engine::DerivedBooks& engine_books) {
  const InstrumentRow& instrument = *state.FindInstrument(id);
  std::vector<const OrderRow*> rows = state.RestingOrders(instrument);
  auto row = rows.begin();
  for (const Side side : {Side::kBuy, Side::kSell}) {
    const auto held = engine_books.Orders(id.value(), static_cast<uint8_t>(side));
    const auto queue = view.Queue(side);
    REQUIRE(queue.size() == held.size());
    std::map<Price, Quantity> levels;
    for (size_t i = 0; i < held.size(); ++i, ++row) {
      const OrdersView::Order& order = *queue[i];
      REQUIRE(order.id.value() == held[i].id);
      REQUIRE(order.price.value() == held[i].price);
      REQUIRE(order.gpus.value() == held[i].remaining);
      REQUIRE(order.queue == held[i].queue);
      REQUIRE(row != rows.end());
      REQUIRE((*row)->id == order.id);
      if ((*row)->min_fill > Quantity(1)) REQUIRE(order.min_fill == (*row)->min_fill);
      if (side == Side::kBuy) REQUIRE(order.min_assurance == (*row)->min_assurance);
      levels[order.price] += order.gpus;
    }
    for (const auto& [price, gpus] : levels) REQUIRE(instrument.book.At(side, price) == gpus);
    REQUIRE(levels.size() ==
            (side == Side::kBuy ? instrument.book.bids.size() : instrument.book.asks.size()));
  }
  REQUIRE(row == rows.end());
}

std::string OrderText(const char* side, const char* price, int gpus, const std::string& extra) {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

const std::string kParams =
    R"({"channel":"orders","symbol":")" + std::string(kTestSymbol) + R"("})";

}  // namespace

TEST_CASE("A client's orders are the engine's, queue by queue, after every batch") {
  const Catalogue catalogue = TestCatalogue();
  std::map<std::string, uint64_t> events;
  uint64_t orders = 0, deep = 0;
  for (uint64_t seed = 1; seed <= 25; ++seed) {
    CAPTURE(seed);
    Publisher publisher(catalogue, kClock);
    Watcher watcher(publisher);
    engine::DerivedBooks books;
    for (const engine::DurableBatch& batch : RandomBatches(seed, 1'500)) {
      CAPTURE(batch.first_sequence);
      books.Apply(batch.records);
      publisher.Publish(batch);
      watcher.TakeMessages();
      watcher.SubscribeToNew();
      REQUIRE(watcher.views().size() == publisher.state().open_instruments().size());
      for (const auto& [id, view] : watcher.views()) {
        CheckQueues(publisher.state(), view, id, books);
        orders += view.size();
        deep += view.size() > 10 ? 1 : 0;
      }
    }
    for (const auto& [event, count] : watcher.events()) events[event] += count;
  }
  CHECK(orders > 50'000);
  CHECK(deep > 300);
  CHECK(events["add"] > 1'000);
  CHECK(events["remove"] > 1'000);
  CHECK(events["change kept"] > 100);
  CHECK(events["change lost"] > 100);
}

TEST_CASE("A client that was passed over, or comes later, has the same orders") {
  const Catalogue catalogue = TestCatalogue();
  Publisher publisher(catalogue, kClock);
  Watcher watcher(publisher);
  engine::DerivedBooks books;
  size_t batches = 0;
  for (const engine::DurableBatch& batch : RandomBatches(77, 1'500)) {
    books.Apply(batch.records);
    publisher.Publish(batch);
    watcher.SubscribeToNew();
    watcher.peer().is_slow = ++batches % 40 < 10;
    if (batches % 40 != 10) continue;
    publisher.public_feed().Resume(kWatcher, publisher.last_time_us());
    watcher.TakeMessages();
    for (const auto& [id, view] : watcher.views()) CheckQueues(publisher.state(), view, id, books);
  }
  CHECK(batches > 200);
}

TEST_CASE("An order is told without its owner, with what decides when it is served") {
  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(buyer, "order.place",
                         OrderText("buy", "2.40", 4, R"(,"cl_ord_id":"mine","tier":"economy")")) ==
        0);
  CHECK(gateway.ReasonOf(watcher, "subscribe", kParams) == 0);
  auto messages = watcher.Take("orders");
  REQUIRE(messages.size() == 1);
  CHECK(
      messages[0].find(
          R"("data":{"bids":[{"order_id":"1","price":"2.40","gpus":4,"tier":"economy"}],"asks":[]},"checksum":)") !=
      std::string::npos);
  CHECK(gateway.ReasonOf(
            buyer, "order.place",
            OrderText("buy", "2.40", 8,
                      R"(,"min_fill":2,"min_assurance":"verified","tier":"standard")")) == 0);
  CHECK(gateway.ReasonOf(seller, "order.place",
                         OrderText("sell", "2.60", 3, R"(,"node":")" + node + "\"")) == 0);
  // Comes and goes: nobody need know.
  CHECK(gateway.ReasonOf(buyer, "order.place",
                         OrderText("buy", "2.30", 1, R"(,"time_in_force":"ioc")")) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.amend", R"({"order_id":"2","gpus":5})") == 0);
  CHECK(gateway.ReasonOf(buyer, "order.amend", R"({"order_id":"2","price":"2.42"})") == 0);
  CHECK(gateway.ReasonOf(buyer, "order.cancel", R"({"order_id":"1"})") == 0);
  messages = watcher.Take("orders");
  REQUIRE(messages.size() == 5);
  const auto data = [&](size_t i) {
    const size_t begin = messages[i].find("\"data\":");
    return messages[i].substr(begin, messages[i].find(",\"checksum\"") - begin);
  };
  CHECK(
      data(0) ==
      R"("data":{"bids":[{"event":"add","order_id":"2","price":"2.40","gpus":8,"tier":"standard","min_assurance":"verified","min_fill":2}],"asks":[]})");
  CHECK(
      data(1) ==
      R"("data":{"bids":[],"asks":[{"event":"add","order_id":"3","price":"2.60","gpus":3,"assurance":"verified"}]})");
  CHECK(
      data(2) ==
      R"("data":{"bids":[{"event":"change","order_id":"2","price":"2.40","gpus":5,"kept_priority":true}],"asks":[]})");
  CHECK(
      data(3) ==
      R"("data":{"bids":[{"event":"change","order_id":"2","price":"2.42","gpus":5,"kept_priority":false}],"asks":[]})");
  CHECK(data(4) == R"("data":{"bids":[{"event":"remove","order_id":"1"}],"asks":[]})");
  for (size_t i = 0; i < messages.size(); ++i) {
    CHECK(IntegerAt(messages[i], "/prev_seq") == static_cast<int64_t>(i) + 1);
  }
}

TEST_CASE("Too many orders for one snapshot are refused, and end a subscription that needs one") {
  const Catalogue catalogue = TestCatalogue();
  Publisher publisher(catalogue, kClock);
  PublishedMarket market{.state = MarketState(catalogue)};
  AccountRow account;
  account.id = AccountId(1);
  market.state.Add(account);
  InstrumentTerms terms;
  terms.id = InstrumentId(1);
  terms.symbol = "S";
  terms.tick = Price(1'000);
  InstrumentRow instrument;
  instrument.terms = std::make_shared<const InstrumentTerms>(terms);
  market.state.Add(instrument);
  OrderRow order;
  order.account = AccountId(1);
  order.instrument = InstrumentId(1);
  order.price = Price(1'000);
  order.gpus = order.remaining = Quantity(1);
  for (uint64_t id = 1; id <= kOrdersSnapshotMax; ++id) {
    order.id = OrderId(id);
    order.priority = id;
    market.state.Add(order);
  }
  market.feeds = {{InstrumentId(1), {}}};
  market.last_sequence = 1;
  publisher.Restore(std::move(market));
  const Topic topic{.channel = Channel::kOrders, .instrument = InstrumentId(1)};
  PublicFeed& feed = publisher.public_feed();
  CHECK(feed.CanSubscribe(topic) == RejectReason::kNone);
  TestPeer watcher(kWatcher, false, kLimits.client);
  feed.Subscribe(kWatcher, watcher, topic);
  feed.SendSnapshot(kWatcher, topic, 5);
  REQUIRE(watcher.messages.size() == 1);
  CHECK(Has(watcher.messages[0], "/data/bids/" + std::to_string(kOrdersSnapshotMax - 1)));

  wire::OrderAccepted accepted;
  accepted.mutable_header().mutate_event_sequence(kOrdersSnapshotMax + 1);
  accepted.mutable_header().mutate_account_id(1);
  accepted.mutate_order_id(kOrdersSnapshotMax + 1);
  accepted.mutate_instrument_id(1);
  accepted.mutate_price(1'000);
  accepted.mutate_gpus(1);
  wire::RecordWriter records;
  records.Append(wire::Tick(), 0);
  records.Append(accepted, 0);
  publisher.Publish({.first_sequence = 2, .command_count = 1, .records = records.Take()});
  CHECK(feed.CanSubscribe(topic) == RejectReason::kSnapshotTooLarge);
  // Who has them all goes on with them.
  REQUIRE(watcher.messages.size() == 2);
  CHECK(At(watcher.messages[1], "/data/bids/0/event") == "add");
  feed.SendSnapshot(kWatcher, topic, 6);
  REQUIRE(watcher.messages.size() == 3);
  CHECK(
      watcher.messages[2] ==
      R"({"channel":"orders","type":"closed","symbol":"S","seq":2,"prev_seq":1,"ts":6,"reason":"snapshot_too_large"})");
  CHECK(feed.CountOf(kWatcher) == 0);
}

TEST_CASE("Subscribing to orders counts for fifty requests") {
  GatewayLimits limits;
  limits.client.requests_per_second = 1;
  limits.client.requests_burst = 101;
  TestGateway gateway(limits);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", kParams) == 0);
  CHECK(gateway.ReasonOf(watcher, "unsubscribe", kParams) == 0);
  CHECK(gateway.ReasonOf(watcher, "subscribe", kParams) == 0);
  CHECK(gateway.ReasonOf(watcher, "ping", "{}") == static_cast<int>(RejectReason::kRateLimited));
}

}  // namespace warpbook::gateway
