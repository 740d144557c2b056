// The channel candles: what was traded in each stretch of the market's time.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/client/json_value.h"
#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

const ManualClock kClock(1);
const GatewayLimits kLimits;

std::string Params(const std::string& interval) {
  return R"({"channel":"candles","symbol":")" + std::string(kTestSymbol) + R"(","interval":")" +
         interval + R"("})";
}

std::string DataOf(const std::string& message) {
  const size_t begin = message.find("\"data\":") + 7;
  return message.substr(begin, message.size() - begin - 1);
}

// A market in which somebody buys, at a price and a time.
class Trading {
 public:
  Trading() {
    buyer_ = &gateway.Member(&buyer_id_);
    seller_ = &gateway.Member(&seller_id_);
    gateway.Fund(*buyer_, buyer_id_, 1'000'000 * kCreditsPerUsd);
  }
  // The seconds count from the minute in which the test market begins.
  void GoTo(int64_t seconds) {
    gateway.exchange.clock().Set(kBegin + seconds * kMicrosPerSecond);
    gateway.exchange.Tick();
    gateway.Pump();
  }
  void Trade(int64_t seconds, const char* price, int gpus) {
    gateway.exchange.clock().Set(kBegin + seconds * kMicrosPerSecond);
    const std::string node =
        gateway.ApprovedNode(*seller_, seller_id_, Ed25519PrivateKey::Generate());
    const std::string order = R"({"symbol":")" + std::string(kTestSymbol) +
                              R"(","order_type":"limit","price":")" + price + R"(","gpus":)" +
                              std::to_string(gpus) + R"(,"side":)";
    CHECK(gateway.ReasonOf(*seller_, "order.place", order + R"("sell","node":")" + node + "\"}") ==
          0);
    CHECK(gateway.ReasonOf(*buyer_, "order.place", order + R"("buy"})") == 0);
  }
  static constexpr int64_t kBegin = kTestWindowMicros + kMicrosPerMinute;

  TestGateway gateway;

 private:
  AccountId buyer_id_, seller_id_;
  TestPeer* buyer_;
  TestPeer* seller_;
};

std::string Start(int64_t minute) {
  return std::to_string(kTestWindowMicros + minute * kMicrosPerMinute);
}

}  // namespace

TEST_CASE("A candle grows with its trades and is closed when its time is over, without a trade") {
  Trading market;
  TestPeer& watcher = market.gateway.Connect();
  CHECK(market.gateway.ReasonOf(watcher, "subscribe", Params("1m")) == 0);
  auto messages = watcher.Take("candles");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "snapshot");
  CHECK(At(messages[0], "/interval") == "1m");
  CHECK(DataOf(messages[0]) == "[]");

  market.Trade(10, "2.50", 3);  // 56 minutes are left behind the notice
  market.Trade(20, "2.40", 2);
  messages = watcher.Take("candles");
  REQUIRE(messages.size() == 2);
  const std::string minutes = std::to_string(
      market.gateway.publisher.state().FindInstrument(kTestSymbol)->last_trades[0].minutes.value() *
      3);
  CHECK(DataOf(messages[0]) ==
        R"([{"start":)" + Start(1) +
            R"(,"open":"2.50","high":"2.50","low":"2.50","close":"2.50","volume_gpus":3,)" +
            R"("volume_gpu_minutes":)" + minutes + R"(,"trades":1,"closed":false}])");
  CHECK(At(messages[1], "/data/0/open") == "2.50");
  CHECK(At(messages[1], "/data/0/low") == "2.40");
  CHECK(At(messages[1], "/data/0/close") == "2.40");
  CHECK(IntegerAt(messages[1], "/data/0/volume_gpus") == 5);
  CHECK(IntegerAt(messages[1], "/data/0/trades") == 2);
  CHECK(IntegerAt(messages[1], "/prev_seq") == 1);

  market.GoTo(59);
  CHECK(watcher.Take("candles").empty());
  market.GoTo(60);
  messages = watcher.Take("candles");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/0/start") == Start(1));
  CHECK(At(messages[0], "/data/0/closed") == "true");
  CHECK(IntegerAt(messages[0], "/data/0/volume_gpus") == 5);
  market.GoTo(300);
  CHECK(watcher.Take("candles").empty());  // nothing traded, no candle

  // The next trade ends nothing: a new one begins.
  market.Trade(310, "2.60", 1);
  messages = watcher.Take("candles");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/0/start") == Start(6));
  CHECK(At(messages[0], "/data/0/closed") == "false");
  CHECK_FALSE(Has(messages[0], "/data/1"));

  // Who comes later begins with all of them.
  TestPeer& later = market.gateway.Connect();
  CHECK(market.gateway.ReasonOf(later, "subscribe", Params("1m")) == 0);
  CHECK(market.gateway.ReasonOf(later, "subscribe", Params("5m")) == 0);
  CHECK(market.gateway.ReasonOf(later, "subscribe", Params("1h")) == 0);
  CHECK(market.gateway.ReasonOf(later, "subscribe", Params("1h")) ==
        static_cast<int>(RejectReason::kAlreadySubscribed));
  messages = later.Take("candles");
  REQUIRE(messages.size() == 3);
  CHECK(At(messages[0], "/data/0/closed") == "true");
  CHECK(At(messages[0], "/data/1/closed") == "false");
  CHECK(At(messages[1], "/data/0/start") == Start(0));
  CHECK(At(messages[1], "/data/0/closed") == "true");
  CHECK(At(messages[1], "/data/1/start") == Start(5));
  CHECK(IntegerAt(messages[2], "/data/0/volume_gpus") == 6);
  CHECK(At(messages[2], "/data/0/closed") == "false");
  CHECK(market.gateway.ReasonOf(later, "unsubscribe", Params("5m")) == 0);
  CHECK(market.gateway.ReasonOf(later, "unsubscribe", Params("5m")) ==
        static_cast<int>(RejectReason::kNotSubscribed));
}

TEST_CASE("A trade that comes before any tick closes the candle before its own") {
  Trading market;
  TestPeer& watcher = market.gateway.Connect();
  market.Trade(10, "2.50", 3);
  CHECK(market.gateway.ReasonOf(watcher, "subscribe", Params("1m")) == 0);
  watcher.messages.clear();
  // One batch: time passes with the trade itself.
  market.gateway.exchange.Hold();
  market.gateway.exchange.LetThrough();
  market.Trade(70, "2.60", 1);
  std::vector<std::string> told;
  for (const std::string& message : watcher.Take("candles")) {
    for (int i = 0; Has(message, "/data/" + std::to_string(i)); ++i) {
      const std::string at = "/data/" + std::to_string(i);
      told.push_back(At(message, at + "/start") + " " + At(message, at + "/closed"));
    }
  }
  CHECK(told == std::vector{Start(1) + " true", Start(2) + " false"});
}

TEST_CASE("An interval is one of four, and of candles alone") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  const auto number = [](RejectReason reason) { return static_cast<int>(reason); };
  CHECK(gateway.ReasonOf(peer, "subscribe", Params("2m")) == number(RejectReason::kUnknownValue));
  const std::string symbol = R"("symbol":")" + std::string(kTestSymbol) + "\"";
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"candles",)" + symbol + "}") ==
        number(RejectReason::kMissingField));
  CHECK(gateway.ReasonOf(peer, "subscribe",
                         R"({"channel":"ticker","interval":"1m",)" + symbol + "}") ==
        number(RejectReason::kConflictingFields));
}

TEST_CASE("Candles are what the trades add up to, each closed once, in order, whatever happens") {
  const Catalogue catalogue = TestCatalogue();
  uint64_t closed = 0, running = 0;
  for (uint64_t seed = 1; seed <= 15; ++seed) {
    CAPTURE(seed);
    Publisher publisher(catalogue, kClock);
    TestPeer watcher(1, false, kLimits.client);
    struct Told {
      std::map<int64_t, TradeSummary> expected;
      int64_t last_start = -1;
      bool last_closed = true;
    };
    std::map<std::pair<std::string, CandleInterval>, Told> told;
    std::map<InstrumentId, bool> listening;
    for (const engine::DurableBatch& batch : RandomBatches(seed, 1'200)) {
      publisher.Publish(batch);
      for (const std::string& text : watcher.messages) {
        const JsonValue message = *JsonValue::Parse(text);
        const std::string& symbol = message["symbol"].text();
        if (message["channel"].text() == "trades") {
          for (const JsonValue& trade : message["data"].items()) {
            for (const CandleInterval interval : kCandleIntervals) {
              const int64_t ts = trade["ts"].integer();
              told[{symbol, interval}].expected[ts - ts % MicrosOf(interval)].Add(
                  *ParsePrice(trade["price"].text()),
                  Quantity(static_cast<int32_t>(trade["gpus"].integer())),
                  Minutes(static_cast<int32_t>(trade["minutes"].integer())));
            }
          }
          continue;
        }
        const CandleInterval interval = *ParseName<CandleInterval>(message["interval"].text());
        Told& so_far = told[{symbol, interval}];
        for (const JsonValue& candle : message["data"].items()) {
          const int64_t start = candle["start"].integer();
          REQUIRE(start >= so_far.last_start);
          // Closed once and for all; and the one before is closed when the next begins.
          if (start == so_far.last_start) REQUIRE_FALSE(so_far.last_closed);
          if (start > so_far.last_start) REQUIRE(so_far.last_closed);
          so_far.last_start = start;
          so_far.last_closed = candle["closed"].flag();
          REQUIRE(so_far.last_closed == (start + MicrosOf(interval) <= message["ts"].integer()));
          ++(so_far.last_closed ? closed : running);
          const TradeSummary& sum = so_far.expected[start];
          REQUIRE(candle["volume_gpus"].integer() == sum.gpus);
          REQUIRE(candle["volume_gpu_minutes"].integer() == sum.gpu_minutes);
          REQUIRE(candle["trades"].integer() == sum.trades);
          REQUIRE(candle["open"].text() == FormatPrice(sum.open));
          REQUIRE(candle["high"].text() == FormatPrice(sum.high));
          REQUIRE(candle["low"].text() == FormatPrice(sum.low));
          REQUIRE(candle["close"].text() == FormatPrice(sum.close));
        }
      }
      watcher.messages.clear();
      for (const InstrumentId id : publisher.state().open_instruments()) {
        if (std::exchange(listening[id], true)) continue;
        PublicFeed& feed = publisher.public_feed();
        feed.Subscribe(1, watcher, {.channel = Channel::kTrades, .instrument = id});
        for (const CandleInterval interval : kCandleIntervals) {
          feed.Subscribe(1, watcher,
                         {.channel = Channel::kCandles, .instrument = id, .interval = interval});
        }
      }
    }
  }
  CHECK(closed > 200);
  CHECK(running > 200);
}

TEST_CASE("Of each interval only the last candles are kept") {
  Candles candles;
  for (int64_t minute = 0; minute < int64_t{kCandlesKept} + 60; ++minute) {
    candles.Add(Timestamp(minute * kMicrosPerMinute + 7), Price(1'000 + minute), Quantity(2),
                Minutes(3));
  }
  const auto& of_minute = candles.Of(CandleInterval::k1m);
  REQUIRE(of_minute.size() == kCandlesKept);
  CHECK(of_minute.front().start == Timestamp(60 * kMicrosPerMinute));
  CHECK(of_minute.back().traded.close == Price(1'000 + int64_t{kCandlesKept} + 59));
  CHECK(candles.Of(CandleInterval::k1h).front().start == Timestamp(0));
  CHECK(candles.Of(CandleInterval::k1h).front().traded.gpu_minutes == 60 * 6);
}

}  // namespace warpbook::gateway
