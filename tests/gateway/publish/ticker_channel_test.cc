// The channel ticker: the top of the book and what was traded, kept by hand beside it.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "tests/gateway/publish/market_batches.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string OrderText(const char* side, const char* price, int gpus, const std::string& extra) {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

std::string DataOf(const std::string& message) {
  const size_t begin = message.find("\"data\":") + 7;
  return message.substr(begin, message.size() - begin - 1);
}

}  // namespace

TEST_CASE("The ticker tells the best of both sides and all that was traded, once for each batch") {
  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  const std::string of_node = R"(,"node":")" + node + "\"";
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(
            watcher, "subscribe",
            R"({"channel":"ticker","symbol":")" + std::string(kTestSymbol) + R"("})") == 0);
  auto messages = watcher.Take("ticker");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "snapshot");
  CHECK(IntegerAt(messages[0], "/seq") == 0);
  CHECK(DataOf(messages[0]) == R"({"volume_gpus":0,"volume_gpu_minutes":0,"trades":0})");

  CHECK(gateway.ReasonOf(seller, "order.place", OrderText("sell", "2.50", 5, of_node)) == 0);
  CHECK(gateway.ReasonOf(seller, "order.place", OrderText("sell", "2.60", 3, of_node)) == 0);
  messages = watcher.Take("ticker");
  REQUIRE(messages.size() == 1);  // a worse ask is no news
  CHECK(DataOf(messages[0]) ==
        R"({"ask":"2.50","ask_gpus":5,"volume_gpus":0,"volume_gpu_minutes":0,"trades":0})");
  CHECK(IntegerAt(messages[0], "/prev_seq") == 0);

  // Both levels at once: two trades of one batch, 57 minutes each.
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", "2.60", 7, "")) == 0);
  const std::string now = std::to_string(gateway.exchange.clock().NowMicros());
  messages = watcher.Take("ticker");
  REQUIRE(messages.size() == 1);
  CHECK(DataOf(messages[0]) ==
        R"({"ask":"2.60","ask_gpus":1,"last":"2.60","last_gpus":2,"last_ts":)" + now +
            R"(,"open":"2.50","high":"2.60","low":"2.50",)" +
            R"("volume_gpus":7,"volume_gpu_minutes":399,"trades":2})");

  // Who takes the last one and leaves a bid.
  CHECK(gateway.ReasonOf(buyer, "order.place", OrderText("buy", "2.60", 4, "")) == 0);
  messages = watcher.Take("ticker");
  REQUIRE(messages.size() == 1);
  CHECK(DataOf(messages[0]) ==
        R"({"bid":"2.60","bid_gpus":3,"last":"2.60","last_gpus":1,"last_ts":)" + now +
            R"(,"open":"2.50","high":"2.60","low":"2.50",)" +
            R"("volume_gpus":8,"volume_gpu_minutes":456,"trades":3})");
  CHECK(IntegerAt(messages[0], "/seq") == 3);

  // Its window is over.
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  messages = watcher.Take("ticker");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "closed");
  CHECK(IntegerAt(messages[0], "/prev_seq") == 3);
}

TEST_CASE("The ticker's sums are those of the trades, and its best prices those of the book") {
  const Catalogue catalogue = TestCatalogue();
  const ManualClock clock(1);
  const GatewayLimits limits;
  uint64_t updates = 0, trades = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Publisher publisher(catalogue, clock);
    TestPeer watcher(1, false, limits.client);
    std::map<std::string, TradeSummary> sums;
    std::map<InstrumentId, bool> listening;
    for (const engine::DurableBatch& batch : RandomBatches(seed, 1'000)) {
      publisher.Publish(batch);
      for (const InstrumentId id : publisher.state().open_instruments()) {
        if (std::exchange(listening[id], true)) continue;
        for (const Channel channel : {Channel::kTrades, Channel::kTicker}) {
          publisher.public_feed().Subscribe(1, watcher, {.channel = channel, .instrument = id});
          publisher.public_feed().SendSnapshot(1, {.channel = channel, .instrument = id}, 0);
        }
      }
      for (const std::string& message : watcher.messages) {
        if (At(message, "/type") == "closed") continue;
        const std::string symbol = At(message, "/symbol");
        if (At(message, "/channel") == "trades") {
          for (int i = 0; Has(message, "/data/" + std::to_string(i)); ++i) {
            const std::string at = "/data/" + std::to_string(i);
            sums[symbol].Add(*ParsePrice(At(message, at + "/price")),
                             Quantity(static_cast<int32_t>(IntegerAt(message, at + "/gpus"))),
                             Minutes(static_cast<int32_t>(IntegerAt(message, at + "/minutes"))));
            ++trades;
          }
          continue;
        }
        ++updates;
        const TradeSummary& sum = sums[symbol];
        CHECK(IntegerAt(message, "/data/volume_gpus") == sum.gpus);
        CHECK(IntegerAt(message, "/data/volume_gpu_minutes") == sum.gpu_minutes);
        CHECK(IntegerAt(message, "/data/trades") == sum.trades);
        if (sum.trades == 0) continue;
        CHECK(At(message, "/data/open") == FormatPrice(sum.open));
        CHECK(At(message, "/data/high") == FormatPrice(sum.high));
        CHECK(At(message, "/data/low") == FormatPrice(sum.low));
        CHECK(At(message, "/data/last") == FormatPrice(sum.close));
      }
      watcher.messages.clear();
    }
  }
  CHECK(updates > 500);
  CHECK(trades > 200);
}

}  // namespace warpbook::gateway
