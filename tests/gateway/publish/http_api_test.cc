// The read-only HTTP API: the same facts as the WebSocket's, and its error object.
#include "gateway/publish/http_api.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

const std::string kSymbol = kTestSymbol;

// "404 unknown_instrument symbol"
std::string RefusalOf(TestGateway& gateway, const std::string& target) {
  const ApiAnswer answer = AnswerApi(target, gateway.publisher);
  if (answer.status == 200) return "";
  CHECK(At(answer.body, "/success") == "false");
  CHECK(At(answer.body, "/error/outcome") == "rejected");
  CHECK(Has(answer.body, "/error/message"));
  CHECK(Has(answer.body, "/error/number"));
  return std::to_string(answer.status) + " " + At(answer.body, "/error/code") + " " +
         At(answer.body, "/error/data/param");
}

std::string Get(TestGateway& gateway, const std::string& target) {
  const ApiAnswer answer = AnswerApi(target, gateway.publisher);
  REQUIRE_MESSAGE(answer.status == 200, answer.body);
  CHECK(At(answer.body, "/success") == "true");
  CHECK(IntegerAt(answer.body, "/seq") == static_cast<int64_t>(gateway.publisher.last_sequence()));
  CHECK(IntegerAt(answer.body, "/ts") == gateway.publisher.last_time_us());
  return answer.body;
}

// A bid of 2.40, an ask of 2.60 and one trade.
void Trade(TestGateway& gateway) {
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  const auto order = [&](const char* side, const char* price, int gpus, const std::string& more) {
    return R"({"symbol":")" + kSymbol + R"(","order_type":"limit","side":")" + side +
           R"(","price":")" + price + R"(","gpus":)" + std::to_string(gpus) + more + "}";
  };
  const std::string of_node = R"(,"node":")" + node + "\"";
  CHECK(gateway.ReasonOf(seller, "order.place", order("sell", "2.60", 5, of_node)) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", order("buy", "2.60", 2, "")) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", order("buy", "2.40", 4, "")) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", order("buy", "2.42", 1, "")) == 0);
}

}  // namespace

TEST_CASE("Instruments are listed by class and region, page by page") {
  TestGateway gateway;
  const std::string all = Get(gateway, "/api/v1/instruments");
  CHECK(At(all, "/result/instruments/0/symbol") == kSymbol);
  CHECK(Has(all, "/result/instruments/1"));
  CHECK_FALSE(Has(all, "/result/next"));
  const std::string first = Get(gateway, "/api/v1/instruments?limit=1");
  CHECK_FALSE(Has(first, "/result/instruments/1"));
  CHECK(At(first, "/result/next") == kSymbol);
  const std::string second = Get(gateway, "/api/v1/instruments?limit=1&after=" + kSymbol);
  CHECK(At(second, "/result/instruments/0/symbol") == At(all, "/result/instruments/1/symbol"));
  CHECK_FALSE(Has(second, "/result/next"));
  CHECK(Has(Get(gateway, "/api/v1/instruments?hardware_class=H100-SXM&region=us-east"),
            "/result/instruments/1"));
  CHECK_FALSE(
      Has(Get(gateway, "/api/v1/instruments?hardware_class=A100-SXM"), "/result/instruments/0"));
  CHECK(RefusalOf(gateway, "/api/v1/instruments?hardware_class=none") ==
        "400 unknown_value hardware_class");
  CHECK(RefusalOf(gateway, "/api/v1/instruments?region=") == "400 unknown_value region");
  CHECK(RefusalOf(gateway, "/api/v1/instruments?after=none") == "404 unknown_instrument after");
  for (const char* const limit : {"0", "1001", "-1", "+1", "1x", "", "99999999999999999999"}) {
    CHECK(RefusalOf(gateway, std::string("/api/v1/instruments?limit=") + limit) ==
          "400 out_of_range limit");
  }
}

TEST_CASE("Book, trades and candles are those of the channels") {
  TestGateway gateway;
  Trade(gateway);
  const std::string of_symbol = "symbol=" + kSymbol;
  const std::string book = Get(gateway, "/api/v1/book?" + of_symbol);
  CHECK(book.find(R"("bids":[["2.42",1],["2.40",4]],"asks":[["2.60",3]],"checksum":)") !=
        std::string::npos);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe",
                         R"({"channel":"book","symbol":")" + kSymbol + R"("})") == 0);
  const std::string snapshot = watcher.Take("book")[0];
  CHECK(At(book, "/result/checksum") == At(snapshot, "/checksum"));
  CHECK(At(book, "/result/book_seq") == At(snapshot, "/seq"));
  const std::string top = Get(gateway, "/api/v1/book?depth=1&" + of_symbol);
  CHECK(top.find(R"("bids":[["2.42",1]],"asks":[["2.60",3]])") != std::string::npos);
  CHECK(At(top, "/result/checksum") == At(snapshot, "/checksum"));
  CHECK(RefusalOf(gateway, "/api/v1/book?depth=1001&" + of_symbol) == "400 out_of_range depth");

  const std::string trades = Get(gateway, "/api/v1/trades?" + of_symbol);
  CHECK(At(trades, "/result/trades/0/price") == "2.60");
  CHECK(IntegerAt(trades, "/result/trades/0/gpus") == 2);
  const std::string candles = Get(gateway, "/api/v1/candles?interval=1h&" + of_symbol);
  CHECK(At(candles, "/result/interval") == "1h");
  CHECK(IntegerAt(candles, "/result/candles/0/volume_gpus") == 2);
  CHECK(At(candles, "/result/candles/0/closed") == "false");
  CHECK(RefusalOf(gateway, "/api/v1/candles?interval=2h&" + of_symbol) ==
        "400 unknown_value interval");
  CHECK(RefusalOf(gateway, "/api/v1/candles?" + of_symbol) == "400 missing_field interval");
}

TEST_CASE("A symbol must be there and be one, and its window must not be over") {
  TestGateway gateway;
  for (const std::string path : {"/api/v1/book", "/api/v1/trades"}) {
    CHECK(RefusalOf(gateway, path) == "400 missing_field symbol");
    CHECK(RefusalOf(gateway, path + "?symbol=nothing") == "404 unknown_instrument symbol");
  }
  CHECK(RefusalOf(gateway, "/api/v1/candles?interval=1m&symbol=nothing") ==
        "404 unknown_instrument symbol");
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  CHECK(RefusalOf(gateway, "/api/v1/book?symbol=" + kSymbol) == "410 instrument_closed symbol");
}

TEST_CASE("What is settlement's is to be asked of it, and said to be missing until then") {
  TestGateway gateway;
  const auto asked = [&](const std::string& target) {
    CHECK(RefusalOf(gateway, target) == "503 settlement_unavailable ");
    return AnswerApi(target, gateway.publisher).settlement_target;
  };
  CHECK(asked("/api/v1/supply") == "/supply");
  CHECK(asked("/api/v1/supply?date=2027-01-01") == "/supply?date=2027-01-01");
  CHECK(asked("/api/v1/disclosures") == "/disclosures");
  for (const std::string date : {"", "2027", "2027-1-01", "2027-02-30", "x", "2027-01-01%26a=b"}) {
    CAPTURE(date);
    const std::string target = "/api/v1/supply?date=" + date;
    CHECK(RefusalOf(gateway, target) == "400 out_of_range date");
    CHECK(AnswerApi(target, gateway.publisher).settlement_target.empty());
  }
  CHECK(RefusalOf(gateway, "/api/v1/disclosures?date=2027-01-01") == "400 unknown_field date");
  CHECK(AnswerApi("/api/v1/book", gateway.publisher).settlement_target.empty());
}

TEST_CASE("Targets that are none are refused, in valid JSON whatever they hold") {
  TestGateway gateway;
  CHECK(RefusalOf(gateway, "/api/v1/nothing") == "404 unknown_method ");
  CHECK(RefusalOf(gateway, "/api/v1/book/") == "404 unknown_method ");
  CHECK(RefusalOf(gateway, "") == "400 malformed_text target");
  CHECK(RefusalOf(gateway, "/api/v1/book?symbol=%zz") == "400 malformed_text target");
  CHECK(RefusalOf(gateway, "/api/v1/book?symbol=a b") == "400 malformed_text target");
  CHECK(RefusalOf(gateway, "/api/v1/book?depht=1") == "400 unknown_field depht");
  CHECK(RefusalOf(gateway, "/api/v1/supply?x") == "400 unknown_field x");
  CHECK(RefusalOf(gateway, "/api/v1/book?symbol=a&symbol=b") == "400 duplicate_key symbol");
  CHECK(RefusalOf(gateway, "/api/v1/book?%ff%00%22=1") == "400 unknown_field ");
  CHECK(RefusalOf(gateway, "/api/v1/book?" + std::string(1'000, 'x') + "=1") ==
        "400 unknown_field " + std::string(64, 'x'));
  CHECK(RefusalOf(gateway, "/api/v1/book?symbol=%ff%00%22") == "404 unknown_instrument symbol");
  CHECK(RefusalOf(gateway, "/api/v1/book?") == "400 unknown_field ");
  // Decoded: the same symbol.
  std::string coded = kSymbol;
  coded.replace(coded.find(':'), 1, "%3A").replace(0, 1, "%48");
  CHECK(At(Get(gateway, "/api/v1/book?symbol=" + coded), "/result/symbol") == kSymbol);
}

}  // namespace warpbook::gateway
