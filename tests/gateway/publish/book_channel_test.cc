// The book and trades channels, as a client sees them: a copy of the book kept from the messages
// alone must agree with every checksum and with a fresh snapshot.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

// CRC-32 bit by bit, as RFC 1952 defines it: not the gateway's code.
uint32_t Crc32(const std::string& text) {
  uint32_t crc = 0xffffffff;
  for (const char c : text) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

// A client's copy of one book. Prices in ticks of 0.02.
struct BookCopy {
  std::map<int64_t, int64_t> bids, asks;
  int64_t sequence = -1;

  static int64_t TicksOf(std::string_view price) {
    // "2.5" or "2.50": cents over two.
    const size_t point = price.find('.');
    std::string cents(price.substr(point + 1));
    cents.resize(2, '0');
    return (std::stoll(std::string(price.substr(0, point))) * 100 + std::stoll(cents)) / 2;
  }
  static void Set(std::map<int64_t, int64_t>& side, simdjson::dom::array levels) {
    for (const simdjson::dom::element level : levels) {
      const int64_t ticks = TicksOf(level.at(0).get_string().value());
      const int64_t gpus = level.at(1).get_int64().value();
      if (gpus == 0) {
        CHECK(side.erase(ticks) == 1);  // only a level that was there goes
      } else {
        side[ticks] = gpus;
      }
    }
  }
  std::string ChecksumText() const {
    std::string text;
    int count = 0;
    for (auto at = asks.begin(); at != asks.end() && count < 10; ++at, ++count) {
      text += std::to_string(at->first) + std::to_string(at->second);
    }
    count = 0;
    for (auto at = bids.rbegin(); at != bids.rend() && count < 10; ++at, ++count) {
      text += std::to_string(at->first) + std::to_string(at->second);
    }
    return text;
  }
  void Take(const std::string& message) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(message);
    if (root["type"].get_string().value() == "snapshot") {
      bids.clear();
      asks.clear();
    } else {
      CHECK(root["prev_seq"].get_int64().value() == sequence);
    }
    sequence = root["seq"].get_int64().value();
    Set(bids, root["data"]["bids"].get_array());
    Set(asks, root["data"]["asks"].get_array());
    CHECK(static_cast<uint32_t>(root["checksum"].get_int64().value()) == Crc32(ChecksumText()));
  }
};

std::string OrderText(const char* side, int64_t ticks, int gpus, const std::string& extra) {
  std::string cents = std::to_string(ticks * 2);
  cents.insert(cents.size() - 2, ".");
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + cents + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

std::string ChannelParams(const char* channel) {
  return R"({"channel":")" + std::string(channel) + R"(","symbol":")" + kTestSymbol + R"("})";
}

// A buyer with money and a seller with many nodes, and random orders of both.
class RandomMarket {
 public:
  explicit RandomMarket(TestGateway& gateway, uint64_t seed) : gateway_(gateway), random_(seed) {
    buyer_ = &gateway.Member(&buyer_id_);
    seller_ = &gateway.Member(&seller_id_);
    gateway.Fund(*buyer_, buyer_id_, 1'000'000 * kCreditsPerUsd);
    for (int i = 0; i < 200; ++i) {
      nodes_.push_back(gateway.ApprovedNode(*seller_, seller_id_, Ed25519PrivateKey::Generate()));
    }
  }
  // A few orders and cancels, as one batch.
  void Step() {
    gateway_.exchange.Hold();
    for (int count = 1 + Below(6); count > 0; --count) {
      const bool is_buy = Below(2) == 0;
      const std::string name = R"("cl_ord_id":")" + std::to_string(++last_name_) + "\"";
      if (is_buy) {
        Say(*buyer_, "order.place", OrderText("buy", 100 + Below(40), 1 + Below(8), "," + name));
      } else {
        Say(*seller_, "order.place",
            OrderText("sell", 110 + Below(40), 1 + Below(8),
                      "," + name + R"(,"node":")" + nodes_[Below(nodes_.size())] + "\""));
      }
      // One of the last, which may be its own or gone: often in the same batch.
      const int back = Below(20);
      if (Below(2) == 0 && back < last_name_) {
        Say(is_buy ? *buyer_ : *seller_, "order.cancel",
            R"({"cl_ord_id":")" + std::to_string(last_name_ - back) + R"("})");
      }
    }
    gateway_.exchange.LetThrough();
    gateway_.Pump();
    buyer_->messages.clear();
    seller_->messages.clear();
  }

 private:
  int Below(uint64_t limit) { return static_cast<int>(random_() % limit); }
  void Say(TestPeer& peer, const char* method, const std::string& params) {
    gateway_.Say(peer, RequestText(method, params));
  }

  TestGateway& gateway_;
  std::mt19937_64 random_;
  AccountId buyer_id_, seller_id_;
  TestPeer* buyer_;
  TestPeer* seller_;
  std::vector<std::string> nodes_;
  int last_name_ = 0;
};

// A snapshot from a subscription of its own.
BookCopy FreshCopy(TestGateway& gateway) {
  TestPeer& peer = gateway.Connect();
  REQUIRE(gateway.ReasonOf(peer, "subscribe", ChannelParams("book")) == 0);
  BookCopy copy;
  const auto messages = peer.Take("book");
  REQUIRE(messages.size() == 1);
  copy.Take(messages[0]);
  gateway.Disconnect(peer);
  return copy;
}

GatewayLimits FastLimits() {
  GatewayLimits limits;
  limits.client.requests_burst = 1'000'000;
  limits.client.in_flight_max = 1'000'000;
  return limits;
}

}  // namespace

TEST_CASE(
    "A book kept from the channel's messages has every checksum and equals a fresh snapshot") {
  TestGateway gateway(FastLimits());
  RandomMarket market(gateway, 42);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("book")) == 0);
  BookCopy copy;
  size_t updates = 0;
  for (int step = 0; step < 2'000; ++step) {
    market.Step();
    for (const std::string& message : watcher.Take("book")) {
      copy.Take(message);
      ++updates;
    }
    if (step % 500 == 499) {
      const BookCopy fresh = FreshCopy(gateway);
      CHECK(fresh.bids == copy.bids);
      CHECK(fresh.asks == copy.asks);
      CHECK(fresh.sequence == copy.sequence);
    }
  }
  CHECK(updates > 500);
  CHECK(copy.bids.size() + copy.asks.size() > 5);
}

TEST_CASE("A watcher that was too slow gets a fresh snapshot and goes on from there") {
  TestGateway gateway(FastLimits());
  RandomMarket market(gateway, 43);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("book")) == 0);
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("trades")) == 0);
  BookCopy copy;
  for (const std::string& message : watcher.Take("book")) copy.Take(message);
  CHECK(watcher.Take("trades").size() == 1);
  watcher.is_slow = true;
  for (int step = 0; step < 100; ++step) market.Step();
  CHECK(watcher.messages.empty());
  // Still slow when it is offered room: it stays behind.
  PublicFeed& feed = gateway.publisher.public_feed();
  feed.Resume(watcher.visitor.connection_id, 1);
  CHECK(watcher.messages.empty());
  watcher.is_slow = false;
  feed.Resume(watcher.visitor.connection_id, 1);
  const auto messages = watcher.Take("book");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "snapshot");
  copy.Take(messages[0]);
  const auto trades = watcher.Take("trades");
  REQUIRE(trades.size() == 1);
  CHECK(At(trades[0], "/type") == "snapshot");
  for (int step = 0; step < 100; ++step) {
    market.Step();
    for (const std::string& message : watcher.Take("book")) copy.Take(message);
  }
  const BookCopy fresh = FreshCopy(gateway);
  CHECK(fresh.bids == copy.bids);
  CHECK(fresh.asks == copy.asks);
}

TEST_CASE("A book is sent anew when its subscriber asks, and goes on from there") {
  TestGateway gateway(FastLimits());
  RandomMarket market(gateway, 44);
  TestPeer& watcher = gateway.Connect();
  const std::string params = R"({"symbol":")" + std::string(kTestSymbol) + R"("})";
  CHECK(gateway.ReasonOf(watcher, "book.resync", params) ==
        static_cast<int>(RejectReason::kNotSubscribed));
  CHECK(gateway.ReasonOf(watcher, "book.resync", R"({"symbol":"nothing"})") ==
        static_cast<int>(RejectReason::kUnknownInstrument));
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("book")) == 0);
  BookCopy copy;
  for (int step = 0; step < 50; ++step) market.Step();
  watcher.messages.clear();  // lost, and with them the right to go on
  CHECK(gateway.ReasonOf(watcher, "book.resync", params) == 0);
  const auto fresh = watcher.Take("book");
  REQUIRE(fresh.size() == 1);
  CHECK(At(fresh[0], "/type") == "snapshot");
  copy.Take(fresh[0]);
  CHECK(copy.sequence > 0);
  for (int step = 0; step < 50; ++step) {
    market.Step();
    for (const std::string& message : watcher.Take("book")) copy.Take(message);
  }
  CHECK(FreshCopy(gateway).bids == copy.bids);
  CHECK(gateway.ReasonOf(watcher, "unsubscribe", ChannelParams("book")) == 0);
  CHECK(gateway.ReasonOf(watcher, "book.resync", params) ==
        static_cast<int>(RejectReason::kNotSubscribed));
}

TEST_CASE("A trade is told once, with the price it was made at, and counted by its channel") {
  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("trades")) == 0);
  const auto none_yet = watcher.Take("trades");
  REQUIRE(none_yet.size() == 1);
  CHECK(At(none_yet[0], "/type") == "snapshot");
  CHECK(IntegerAt(none_yet[0], "/seq") == 0);
  CHECK(gateway.ReasonOf(seller, "order.place",
                         OrderText("sell", 125, 8, R"(,"node":")" + node + "\"")) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", 130, 3, "")) == 0);
  gateway.exchange.clock().Advance(1'000);
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", 130, 5, "")) == 0);
  const auto trades = watcher.Take("trades");
  REQUIRE(trades.size() == 2);
  CHECK(At(trades[0], "/symbol") == kTestSymbol);
  CHECK(IntegerAt(trades[0], "/seq") == 1);
  CHECK(IntegerAt(trades[0], "/prev_seq") == 0);
  const int64_t now = gateway.exchange.clock().NowMicros();
  CHECK(IntegerAt(trades[0], "/ts") == now - 1'000);
  CHECK(IntegerAt(trades[0], "/data/0/ts") == now - 1'000);
  CHECK(At(trades[0], "/data/0/trade_id") == "1");
  CHECK(At(trades[0], "/data/0/price") == "2.50");
  CHECK(IntegerAt(trades[0], "/data/0/gpus") == 3);
  CHECK(IntegerAt(trades[0], "/data/0/minutes") == 57);
  CHECK(At(trades[0], "/data/0/taker_side") == "buy");
  CHECK(IntegerAt(trades[1], "/prev_seq") == 1);

  // Who comes later begins with the last trades, the oldest first, and misses none that follows.
  TestPeer& later = gateway.Connect();
  CHECK(gateway.ReasonOf(later, "subscribe", ChannelParams("trades")) == 0);
  const auto past = later.Take("trades");
  REQUIRE(past.size() == 1);
  CHECK(At(past[0], "/type") == "snapshot");
  CHECK(IntegerAt(past[0], "/seq") == 2);
  CHECK(At(past[0], "/data/0/trade_id") == "1");
  CHECK(IntegerAt(past[0], "/data/0/ts") == now - 1'000);
  CHECK(At(past[0], "/data/1/trade_id") == "2");
  CHECK(IntegerAt(past[0], "/data/1/ts") == now);
}

TEST_CASE("All subscribers of a channel share one encoded message") {
  TestGateway gateway;
  struct Keeper final : Subscriber {
    Encoding encoding() const override { return Encoding::kJson; }
    void Send(std::string_view) override {}
    bool SendPublic(const SharedMessage& message) override {
      last = message;
      return true;
    }
    void OnLogonEnded() override {}
    SharedMessage last;
  };
  Keeper first, second;
  PublicFeed& feed = gateway.publisher.public_feed();
  const Topic book{.channel = Channel::kBook, .instrument = InstrumentId(1)};
  feed.Subscribe(101, first, book);
  feed.Subscribe(102, second, book);
  AccountId buyer_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", 130, 3, "")) == 0);
  REQUIRE(first.last != nullptr);
  CHECK(first.last == second.last);
  feed.RemoveConnection(101);
  feed.RemoveConnection(102);
}

TEST_CASE("The last message of book and trades says that the window is over, to slow readers too") {
  TestGateway gateway;
  TestPeer& watcher = gateway.Connect();
  TestPeer& slow = gateway.Connect();
  for (TestPeer* peer : {&watcher, &slow}) {
    CHECK(gateway.ReasonOf(*peer, "subscribe", ChannelParams("book")) == 0);
    CHECK(gateway.ReasonOf(*peer, "subscribe", ChannelParams("trades")) == 0);
    peer->messages.clear();
  }
  slow.is_slow = true;
  AccountId buyer_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", 130, 3, "")) == 0);
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  const std::string time = std::to_string(kTestWindowMicros + kMicrosPerHour);
  const auto closed = [&](const std::string& channel, int last) {
    return R"({"channel":")" + channel + R"(","type":"closed","symbol":")" + kTestSymbol +
           R"(","seq":)" + std::to_string(last + 1) + R"(,"prev_seq":)" + std::to_string(last) +
           R"(,"ts":)" + time + "}";
  };
  const std::vector<std::string> books = watcher.Take("book");
  REQUIRE(books.size() == 3);  // the bid comes, goes with the window, and that is all
  CHECK(At(books[1], "/data/bids/0/1") == "0");
  CHECK(books[2] == closed("book", 2));
  CHECK(watcher.Take("trades") == std::vector{closed("trades", 0)});
  CHECK(slow.Take("book") == std::vector{closed("book", 2)});
  CHECK(slow.Take("trades") == std::vector{closed("trades", 0)});
  CHECK(gateway.publisher.public_feed().CountOf(watcher.visitor.connection_id) == 0);
}

TEST_CASE("A channel ends with its instrument, and its place is free again") {
  GatewayLimits limits;
  limits.client.subscriptions_max = 1;
  TestGateway gateway(limits);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("book")) == 0);
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  CHECK(gateway.ReasonOf(watcher, "subscribe", ChannelParams("book")) ==
        static_cast<int>(RejectReason::kInstrumentClosed));
  CHECK(gateway.ReasonOf(watcher, "subscribe",
                         R"({"channel":"book","symbol":"H100-SXM.us-east.2026-12-01T15:00"})") ==
        0);
}

}  // namespace warpbook::gateway
