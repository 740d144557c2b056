#include "gateway/protocol/json_decoder.h"

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <variant>

namespace warpbook::gateway {
namespace {

constexpr size_t kBytesMax = 64 * 1024;

// What the decoder refuses, with the field that it names.
struct BadMessage {
  const char* text;
  RejectReason reason;
  const char* param;
};

void CheckBad(std::string_view text, RejectReason reason, std::string_view param) {
  JsonDecoder decoder(kBytesMax);
  const DecodedMessage message = decoder.Decode(text);
  CAPTURE(std::string(text));
  const auto* refusal = std::get_if<Refusal>(&message.request);
  REQUIRE(refusal != nullptr);
  CHECK(RejectReasonCode(refusal->reason) == RejectReasonCode(reason));
  CHECK(refusal->param == param);
}

// What is returned may point into its decoder, which is kept.
template <typename R>
R CheckGood(std::string_view text) {
  static std::deque<JsonDecoder> decoders;
  const DecodedMessage message = decoders.emplace_back(kBytesMax).Decode(text);
  CAPTURE(std::string(text));
  if (const auto* refusal = std::get_if<Refusal>(&message.request)) {
    CAPTURE(refusal->param);
    CAPTURE(RejectReasonCode(refusal->reason));
    REQUIRE(refusal->reason == RejectReason::kNone);
  }
  REQUIRE(std::holds_alternative<R>(message.request));
  return std::get<R>(message.request);
}

// An order.place with one field replaced or added.
std::string Order(std::string_view extra, std::string_view side = "buy",
                  std::string_view price = R"("price":"2.50",)",
                  std::string_view gpus = R"("gpus":8)") {
  return R"({"method":"order.place","req_id":7,"params":{"symbol":"S","side":")" +
         std::string(side) + R"(","order_type":"limit",)" + std::string(price) + std::string(gpus) +
         std::string(extra) + "}}";
}

}  // namespace

TEST_CASE("What is no JSON object is refused before anything is looked at") {
  const BadMessage kCases[] = {
      {"", RejectReason::kMalformedJson, ""},
      {"   \n\t ", RejectReason::kMalformedJson, ""},
      {"{", RejectReason::kMalformedJson, ""},
      {"}", RejectReason::kMalformedJson, ""},
      {"{}}", RejectReason::kMalformedJson, ""},
      {"{} {}", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping"}x)", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping"},)", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping",})", RejectReason::kMalformedJson, ""},
      {R"({"method" "ping"})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping" "req_id":1})", RejectReason::kMalformedJson, ""},
      {R"({method:"ping"})", RejectReason::kMalformedJson, ""},
      {R"({'method':'ping'})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping)", RejectReason::kMalformedJson, ""},
      {R"({"method":"pi\qng"})", RejectReason::kMalformedJson, ""},
      {R"({"method":"\ud800"})", RejectReason::kMalformedJson, ""},
      {"{\"method\":\"pi\nng\"}", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":01})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":+1})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":1.})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":.5})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":1e})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":-})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":0x10})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":NaN})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":tru})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":truee})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","req_id":true false})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","params":[1,]})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","params":[1})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping","params":{"a":1]})", RejectReason::kMalformedJson, ""},
      {R"({"method":"ping"/* no */})", RejectReason::kMalformedJson, ""},
      {"[", RejectReason::kMalformedJson, ""},
      {"nul", RejectReason::kMalformedJson, ""},
      {"1 2", RejectReason::kMalformedJson, ""},
      {R"("a" "b")", RejectReason::kMalformedJson, ""},
      {"[]", RejectReason::kNotAnObject, ""},
      {R"([{"method":"ping"}])", RejectReason::kNotAnObject, ""},
      {" null ", RejectReason::kNotAnObject, ""},
      {"42", RejectReason::kNotAnObject, ""},
      {"\"ping\"", RejectReason::kNotAnObject, ""},
      {"{\"method\":\"\xff\"}", RejectReason::kInvalidUtf8, ""},
      {"\xc3\x28", RejectReason::kInvalidUtf8, ""},
      {"{\"a\":\"\xed\xa0\x80\"}", RejectReason::kInvalidUtf8, ""},
  };
  for (const BadMessage& bad : kCases) CheckBad(bad.text, bad.reason, bad.param);
}

TEST_CASE("A message is nested at most eight deep") {
  const auto nested = [](int depth) {
    std::string text = R"({"method":"ping","params":)";
    for (int i = 2; i <= depth; ++i) text += i % 2 == 0 ? R"({"a":)" : "[";
    text += "1";
    for (int i = depth; i >= 2; --i) text += i % 2 == 0 ? "}" : "]";
    return text + "}";
  };
  CheckBad(nested(8), RejectReason::kUnknownField, "a");
  CheckBad(nested(9), RejectReason::kNestingTooDeep, "");
  CheckBad(std::string(30'000, '[') + std::string(30'000, ']'), RejectReason::kNestingTooDeep, "");
  CheckBad(std::string(60'000, '['), RejectReason::kMalformedJson, "");
  CheckBad(std::string(8, '[') + std::string(8, ']'), RejectReason::kNotAnObject, "");
}

TEST_CASE("A message of more than 64 KiB is refused unread, and one of 64 KiB is read") {
  std::string text = R"({"method":"ping","req_id":1})";
  text.append(kBytesMax - text.size(), ' ');
  CheckGood<PingRequest>(text);
  CheckBad(text + " ", RejectReason::kFrameTooLarge, "");
}

TEST_CASE("A key that occurs twice is refused by name, in any object, and the request is echoed") {
  CheckBad(R"({"method":"ping","req_id":1,"req_id":1})", RejectReason::kDuplicateKey, "req_id");
  CheckBad(R"({"method":"ping","params":{"a":{"b":1,"c":2,"b":1}}})", RejectReason::kDuplicateKey,
           "b");
  // The same key behind an escape.
  CheckBad(R"({"method":"ping","m\u0065thod":"ping"})", RejectReason::kDuplicateKey, "method");
  JsonDecoder decoder(kBytesMax);
  const DecodedMessage message =
      decoder.Decode(R"({"method":"order.place","req_id":9,"params":{"gpus":1,"gpus":2}})");
  CHECK(message.method == Method::kOrderPlace);
  CHECK(message.req_id == 9);
}

TEST_CASE("Method and req_id are judged first and echoed where they could be read") {
  const BadMessage kCases[] = {
      {"{}", RejectReason::kMethodMissing, "method"},
      {R"({"req_id":1,"params":{}})", RejectReason::kMethodMissing, "method"},
      {R"({"method":"order.plase"})", RejectReason::kUnknownMethod, "method"},
      {R"({"method":""})", RejectReason::kUnknownMethod, "method"},
      {R"({"method":"Ping"})", RejectReason::kUnknownMethod, "method"},
      {R"({"method":7})", RejectReason::kWrongType, "method"},
      {R"({"method":null})", RejectReason::kWrongType, "method"},
      {R"({"method":"ping","id":1})", RejectReason::kUnknownField, "id"},
      {R"({"method":"ping","params":{"x":1}})", RejectReason::kUnknownField, "x"},
      {R"({"method":"ping","params":[]})", RejectReason::kWrongType, "params"},
      {R"({"method":"ping","params":null})", RejectReason::kWrongType, "params"},
      {R"({"method":"ping","req_id":"1"})", RejectReason::kWrongType, "req_id"},
      {R"({"method":"ping","req_id":null})", RejectReason::kWrongType, "req_id"},
      {R"({"method":"ping","req_id":-1})", RejectReason::kOutOfRange, "req_id"},
      {R"({"method":"ping","req_id":-0})", RejectReason::kMalformedNumber, "req_id"},
      {R"({"method":"ping","req_id":1.0})", RejectReason::kMalformedNumber, "req_id"},
      {R"({"method":"ping","req_id":1e3})", RejectReason::kMalformedNumber, "req_id"},
      {R"({"method":"ping","req_id":9007199254740992})", RejectReason::kOutOfRange, "req_id"},
      {R"({"method":"ping","req_id":99999999999999999999999})", RejectReason::kOutOfRange,
       "req_id"},
  };
  for (const BadMessage& bad : kCases) CheckBad(bad.text, bad.reason, bad.param);

  JsonDecoder decoder(kBytesMax);
  const DecodedMessage message = decoder.Decode(R"({"method":"pong","req_id":9007199254740991})");
  CHECK_FALSE(message.method.has_value());
  CHECK(message.method_name == "pong");
  CHECK(message.req_id == 9'007'199'254'740'991);
}

TEST_CASE("An order's fields are refused each for its own fault and by name") {
  const auto price = [](const char* value) {
    return Order("", "buy", std::string(R"("price":)") + value + ",");
  };
  const auto gpus = [](const char* value) {
    return Order("", "buy", R"("price":"2.50",)", std::string(R"("gpus":)") + value);
  };
  CheckBad(price("\"-2.50\""), RejectReason::kPriceNotPositive, "price");
  CheckBad(price("\"0\""), RejectReason::kPriceNotPositive, "price");
  CheckBad(price("\"-0.00\""), RejectReason::kPriceNotPositive, "price");
  CheckBad(price("2.50"), RejectReason::kWrongType, "price");
  CheckBad(price("\"\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"2.\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"2,50\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"2.5e1\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"+2.50\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"02.50\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"2.5000000\""), RejectReason::kMalformedDecimal, "price");
  CheckBad(price("\"99999999999999999999\""), RejectReason::kOutOfRange, "price");
  CheckBad(gpus("\"8\""), RejectReason::kWrongType, "gpus");
  CheckBad(gpus("8.0"), RejectReason::kMalformedNumber, "gpus");
  CheckBad(gpus("8e0"), RejectReason::kMalformedNumber, "gpus");
  CheckBad(gpus("-0"), RejectReason::kMalformedNumber, "gpus");
  CheckBad(gpus("2147483648"), RejectReason::kOutOfRange, "gpus");
  CheckBad(gpus("-2147483649"), RejectReason::kOutOfRange, "gpus");
  CheckBad(Order(R"(,"side2":1)"), RejectReason::kUnknownField, "side2");
  CheckBad(Order(R"(,"tier":"gold")"), RejectReason::kUnknownValue, "tier");
  CheckBad(Order(R"(,"tier":"Standard")"), RejectReason::kUnknownValue, "tier");
  CheckBad(Order(R"(,"tier":1)"), RejectReason::kWrongType, "tier");
  CheckBad(Order(R"(,"time_in_force":"day")"), RejectReason::kUnknownValue, "time_in_force");
  CheckBad(Order(R"(,"cl_ord_id":"")"), RejectReason::kMalformedText, "cl_ord_id");
  CheckBad(Order(R"(,"cl_ord_id":"a b")"), RejectReason::kMalformedText, "cl_ord_id");
  CheckBad(Order(R"(,"cl_ord_id":"ü")"), RejectReason::kMalformedText, "cl_ord_id");
  CheckBad(Order(R"(,"cl_ord_id":"123456789012345678901234567890123")"),
           RejectReason::kMalformedText, "cl_ord_id");
  CheckBad(Order(R"(,"post_only":1)"), RejectReason::kWrongType, "post_only");
  CheckBad(Order(R"(,"deadline":0)"), RejectReason::kOutOfRange, "deadline");
  CheckBad(Order(R"(,"deadline":-5)"), RejectReason::kOutOfRange, "deadline");
  CheckBad(Order(R"(,"node":"1")"), RejectReason::kFieldNotForSide, "node");
  CheckBad(Order(R"(,"lease":"1")"), RejectReason::kFieldNotForSide, "lease");
  CheckBad(Order(R"(,"tier":"premium")", "sell"), RejectReason::kFieldNotForSide, "tier");
  CheckBad(Order(R"(,"min_assurance":"listed")", "sell"), RejectReason::kFieldNotForSide,
           "min_assurance");
  CheckBad(Order(R"(,"node":7)", "sell"), RejectReason::kWrongType, "node");
  CheckBad(Order(R"(,"node":"07")", "sell"), RejectReason::kMalformedText, "node");
  CheckBad(Order(R"(,"node":"0")", "sell"), RejectReason::kOutOfRange, "node");
  CheckBad(Order(R"(,"node":"18446744073709551616")", "sell"), RejectReason::kOutOfRange, "node");
  CheckBad(Order("", "buy", ""), RejectReason::kMissingField, "price");
  CheckBad(R"({"method":"order.place","params":{}})", RejectReason::kMissingField, "symbol");
  CheckBad(R"({"method":"order.place"})", RejectReason::kMissingField, "symbol");
}

TEST_CASE("Of several faults the one that comes first in the table of reasons is given") {
  // A wrong type (1012) and an unknown field (1010).
  CheckBad(Order(R"(,"post_only":1,"zzz":2)"), RejectReason::kUnknownField, "zzz");
  // A missing field (1011) and a value outside its range (1015).
  CheckBad(R"({"method":"lease.heartbeat","params":{"lease":"1","minute":0}})",
           RejectReason::kMissingField, "signature");
  // A duplicate key (1007) and a missing method (1008).
  CheckBad(R"({"a":1,"a":2})", RejectReason::kDuplicateKey, "a");
  // An unknown method (1009) and an unknown field (1010).
  CheckBad(R"({"method":"nope","x":1})", RejectReason::kUnknownMethod, "method");
}

TEST_CASE("An order with all its fields is read as it stands") {
  const auto order = CheckGood<OrderPlaceRequest>(
      R"({"method":"order.place","req_id":7,"params":{"symbol":"H100-SXM.us-east.2026-12-01T14:00",
      "side":"buy","order_type":"limit","price":"2.50","gpus":8,"tier":"premium","min_fill":4,
      "min_assurance":"verified","time_in_force":"gtd","expires":1796133700000000,
      "cl_ord_id":"job-42","post_only":true,"stp":"decrement","deadline":1796133650000000,
      "validate":true}})");
  CHECK(order.symbol == "H100-SXM.us-east.2026-12-01T14:00");
  CHECK(order.side == Side::kBuy);
  CHECK(order.order_type == OrderType::kLimit);
  CHECK(order.price == Price(2'500'000));
  CHECK(order.gpus == Quantity(8));
  CHECK(order.min_fill == Quantity(4));
  CHECK(order.tier == Tier::kPremium);
  CHECK(order.min_assurance == Assurance::kVerified);
  CHECK(order.time_in_force == TimeInForce::kGtd);
  CHECK(order.expires.micros() == 1'796'133'700'000'000);
  CHECK(order.deadline.micros() == 1'796'133'650'000'000);
  CHECK(order.client_order_id.view() == "job-42");
  CHECK(order.post_only);
  CHECK(order.stp == SelfTradePrevention::kDecrement);
}

TEST_CASE("What an order leaves out has the default of the API") {
  const auto bid = CheckGood<OrderPlaceRequest>(Order(""));
  CHECK(bid.tier == Tier::kStandard);
  CHECK(bid.min_assurance == Assurance::kListed);
  CHECK(bid.time_in_force == TimeInForce::kGtc);
  CHECK(bid.stp == SelfTradePrevention::kCancelNewest);
  CHECK(bid.client_order_id.empty());
  CHECK_FALSE(bid.post_only);
  CHECK(bid.expires == Timestamp());

  const auto market = CheckGood<OrderPlaceRequest>(
      R"({"method":"order.place","params":{"symbol":"S","side":"buy","order_type":"market","gpus":1}})");
  CHECK(market.time_in_force == TimeInForce::kIoc);
  CHECK(market.price == Price(0));

  const auto ask = CheckGood<OrderPlaceRequest>(Order(R"(,"node":"3")", "sell"));
  CHECK(ask.node == NodeId(3));
  CHECK(ask.tier == Tier::kPremium);  // asks carry 0
  CHECK(ask.min_assurance == Assurance::kListed);
}

TEST_CASE("Every command may say that it is only to be checked, and no question") {
  JsonDecoder decoder(64 * 1024);
  for (const char* const text :
       {R"({"method":"order.cancel","params":{"order_id":"1","validate":true}})",
        R"({"method":"order.cancel_all","params":{"validate":true}})",
        R"({"method":"lease.start","params":{"lease":"1","validate":true}})",
        R"({"method":"cancel_after","params":{"timeout_ms":5,"validate":true}})",
        R"({"method":"limit.set","params":{"account":"1","limit_usd":"1","validate":true}})",
        R"({"method":"drain","params":{"validate":true}})"}) {
    CAPTURE(std::string(text));
    const DecodedMessage message = decoder.Decode(text);
    CHECK_FALSE(std::holds_alternative<Refusal>(message.request));
    CHECK(message.validate);
  }
  CHECK_FALSE(decoder.Decode(R"({"method":"order.cancel","params":{"order_id":"1"}})").validate);
  CheckBad(R"({"method":"account.orders","params":{"validate":true}})", RejectReason::kUnknownField,
           "validate");
  CheckBad(R"({"method":"lease.start","params":{"lease":"1","validate":1}})",
           RejectReason::kWrongType, "validate");
}

TEST_CASE("A batch's items are read each by itself") {
  const auto batch = CheckGood<OrderBatchRequest>(R"({"method":"order.batch","params":{"requests":[
      {"method":"order.place","params":{"symbol":"S","side":"buy","order_type":"limit",
       "price":"1.00","gpus":2,"validate":true}},
      {"method":"order.amend","params":{"cl_ord_id":"a","gpus":3}},
      {"method":"order.cancel","params":{"order_id":"5"}},
      {"method":"order.cancel","params":{"order_id":"5","x":1}},
      {"method":"order.cancel"},
      {"method":"ping"},
      {"params":{}},
      {"method":"order.cancel","params":{"order_id":"5"},"req_id":1},
      7]}})");
  REQUIRE(batch.items.size() == 9);
  CHECK(std::get<OrderPlaceRequest>(batch.items[0].request).gpus == Quantity(2));
  CHECK(batch.items[0].validate);
  CHECK(std::get<OrderAmendRequest>(batch.items[1].request).client_order_id.view() == "a");
  CHECK(batch.items[1].method == Method::kOrderAmend);
  CHECK_FALSE(batch.items[1].validate);
  CHECK(std::get<OrderCancelRequest>(batch.items[2].request).order_id == OrderId(5));
  const auto check_refused = [&](size_t item, RejectReason reason, const char* param) {
    CAPTURE(item);
    REQUIRE(std::holds_alternative<Refusal>(batch.items[item].request));
    CHECK(std::get<Refusal>(batch.items[item].request).reason == reason);
    CHECK(std::get<Refusal>(batch.items[item].request).param == param);
  };
  check_refused(3, RejectReason::kUnknownField, "x");
  check_refused(4, RejectReason::kMissingField, "order_id");
  check_refused(5, RejectReason::kUnknownValue, "method");
  check_refused(6, RejectReason::kMissingField, "method");
  check_refused(7, RejectReason::kUnknownField, "req_id");
  check_refused(8, RejectReason::kNotAnObject, "");
}

TEST_CASE("A batch holds at least one request and at most fifty") {
  const auto batch_of = [](int count) {
    std::string text = R"({"method":"order.batch","params":{"requests":[)";
    for (int i = 0; i < count; ++i) text += i == 0 ? "0" : ",0";
    return text + "]}}";
  };
  CHECK(CheckGood<OrderBatchRequest>(batch_of(50)).items.size() == 50);
  CheckBad(batch_of(51), RejectReason::kOutOfRange, "requests");
  CheckBad(batch_of(0), RejectReason::kOutOfRange, "requests");
  CheckBad(R"({"method":"order.batch"})", RejectReason::kMissingField, "requests");
  CheckBad(R"({"method":"order.batch","params":{"requests":{}}})", RejectReason::kWrongType,
           "requests");
}

TEST_CASE("GPUs outside the market's range reach the engine, which refuses them") {
  CHECK(CheckGood<OrderPlaceRequest>(Order("", "buy", R"("price":"2.50",)", R"("gpus":0)")).gpus ==
        Quantity(0));
  CHECK(CheckGood<OrderPlaceRequest>(Order("", "buy", R"("price":"2.50",)", R"("gpus":-5)")).gpus ==
        Quantity(-5));
}

TEST_CASE("Amend and cancel name an order in exactly one way") {
  CheckBad(R"({"method":"order.cancel","params":{}})", RejectReason::kMissingField, "order_id");
  CheckBad(R"({"method":"order.cancel","params":{"order_id":"1","cl_ord_id":"a"}})",
           RejectReason::kConflictingFields, "cl_ord_id");
  CheckBad(R"({"method":"order.amend","params":{"order_id":"1","gpus":0}})",
           RejectReason::kOutOfRange, "gpus");
  CheckBad(R"({"method":"order.amend","params":{"order_id":"1","price":"0.00"}})",
           RejectReason::kPriceNotPositive, "price");
  const auto amend = CheckGood<OrderAmendRequest>(
      R"({"method":"order.amend","params":{"cl_ord_id":"a","price":"3.00","gpus":2,"deadline":9}})");
  CHECK(amend.order_id == OrderId());
  CHECK(amend.client_order_id.view() == "a");
  CHECK(amend.price == Price(3'000'000));
  CHECK(amend.gpus == Quantity(2));
  CHECK(amend.deadline == Timestamp(9));
  const auto cancel =
      CheckGood<OrderCancelRequest>(R"({"method":"order.cancel","params":{"order_id":"12"}})");
  CHECK(cancel.order_id == OrderId(12));
}

TEST_CASE("A cancel of all names an instrument, a class and a side, or leaves them out") {
  const auto all = CheckGood<OrderCancelAllRequest>(R"({"method":"order.cancel_all","params":{}})");
  CHECK_FALSE(all.symbol.has_value());
  CHECK_FALSE(all.hardware_class.has_value());
  CHECK_FALSE(all.side.has_value());
  CHECK(all.deadline == Timestamp());
  CheckGood<OrderCancelAllRequest>(R"({"method":"order.cancel_all"})");
  const auto some = CheckGood<OrderCancelAllRequest>(
      R"({"method":"order.cancel_all","params":{"symbol":"S","hardware_class":"H100-SXM",
      "side":"sell","deadline":9}})");
  CHECK(some.symbol == "S");
  CHECK(some.hardware_class == "H100-SXM");
  CHECK(some.side == Side::kSell);
  CHECK(some.deadline == Timestamp(9));
  const auto with = [](const char* field) {
    return std::string(R"({"method":"order.cancel_all","params":{)") + field + "}}";
  };
  CheckBad(with(R"("side":"both")"), RejectReason::kUnknownValue, "side");
  CheckBad(with(R"("symbol":"")"), RejectReason::kMalformedText, "symbol");
  CheckBad(with(R"("hardware_class":7)"), RejectReason::kWrongType, "hardware_class");
  CheckBad(with(R"("deadline":0)"), RejectReason::kOutOfRange, "deadline");
  CheckBad(with(R"("account":"3")"), RejectReason::kUnknownField, "account");
  CheckBad(with(R"("order_id":"1")"), RejectReason::kUnknownField, "order_id");
}

TEST_CASE("Keys and signatures are hex of their exact length") {
  const std::string key(64, 'a');
  const std::string signature(128, 'B');
  const auto logon = [&](const std::string& the_key, const std::string& the_signature) {
    return R"({"method":"session.logon","params":{"account":"5","public_key":")" + the_key +
           R"(","timestamp":17,"signature":")" + the_signature + R"("}})";
  };
  const auto request = CheckGood<SessionLogonRequest>(logon(key, signature));
  CHECK(request.account == AccountId(5));
  CHECK(request.public_key[0] == 0xaa);
  CHECK(request.signature[63] == 0xbb);
  CHECK(request.timestamp == Timestamp(17));
  CheckBad(logon(key.substr(1), signature), RejectReason::kMalformedText, "public_key");
  CheckBad(logon(key, signature + "0"), RejectReason::kMalformedText, "signature");
  CheckBad(logon(std::string(64, 'g'), signature), RejectReason::kMalformedText, "public_key");
}

TEST_CASE("A new key's scopes are a list of members' words") {
  const std::string key(64, '0');
  const auto add = [&](const char* scopes) {
    return R"({"method":"key.add","params":{"public_key":")" + key + R"(","scopes":)" + scopes +
           "}}";
  };
  CHECK(CheckGood<KeyAddRequest>(add(R"(["read","provide"])")).scopes == 5);
  CHECK(CheckGood<KeyAddRequest>(add("[]")).scopes == 0);  // the engine refuses it
  CheckBad(add(R"(["operate"])"), RejectReason::kUnknownValue, "scopes");
  CheckBad(add(R"([1])"), RejectReason::kWrongType, "scopes");
  CheckBad(add(R"("read")"), RejectReason::kWrongType, "scopes");
}

TEST_CASE("Subscriptions name a channel, and a symbol where the channel has one") {
  const auto book = CheckGood<SubscribeRequest>(
      R"({"method":"subscribe","params":{"channel":"book","symbol":"S"}})");
  CHECK(book.channel == Channel::kBook);
  CHECK(book.symbol == "S");
  CHECK(CheckGood<UnsubscribeRequest>(R"({"method":"unsubscribe","params":{"channel":"leases"}})")
            .channel == Channel::kLeases);
  CheckBad(R"({"method":"subscribe","params":{"channel":"tape"}})", RejectReason::kUnknownChannel,
           "channel");
  CheckBad(R"({"method":"subscribe","params":{"channel":"book"}})", RejectReason::kMissingField,
           "symbol");
  CheckBad(R"({"method":"subscribe","params":{"channel":"leases","symbol":"S"}})",
           RejectReason::kConflictingFields, "symbol");
}

TEST_CASE("Operators' and settlement's requests are read with every field") {
  const auto deposit = CheckGood<TokenDepositRequest>(
      R"({"method":"token.deposit","params":{"account":"3","amount":"12.5","reference":"wire-1"}})");
  CHECK(deposit.account == AccountId(3));
  CHECK(deposit.amount == Tokens(12'500'000));
  CHECK(deposit.reference.view() == "wire-1");
  const auto limit = CheckGood<LimitSetRequest>(
      R"({"method":"limit.set","params":{"account":"3","limit_usd":"1000.00"}})");
  CHECK(limit.limit == Credits(1'000 * kCreditsPerUsd));
  CheckBad(R"({"method":"limit.set","params":{"account":"3","limit_usd":"9000000000000.00"}})",
           RejectReason::kOutOfRange, "limit_usd");
  const auto prices = CheckGood<PriceSetRequest>(
      R"({"method":"price.set","params":{"feeds":[{"price":"2.00","time":1},{"price":"2.01","time":2},
      {"price":"1.99","time":3},{"price":"2","time":4},{"price":"0","time":5}]}})");
  CHECK(prices.feeds[1].price == TokenPrice(2'010'000));
  CHECK(prices.feeds[4].time == Timestamp(5));
  CheckBad(R"({"method":"price.set","params":{"feeds":[{"price":"2.00","time":1}]}})",
           RejectReason::kOutOfRange, "feeds");
  CheckBad(R"({"method":"price.set","params":{"feeds":[{"price":"2.00","time":1},
      {"price":"2.00","time":1},{"price":2,"time":1},{"price":"2.00","time":1},
      {"price":"2.00","time":1}]}})",
           RejectReason::kWrongType, "feeds[2].price");
  CheckBad(R"({"method":"price.set","params":{"feeds":[{"price":"2.00","time":1,"x":0},
      {"price":"2.00","time":1},{"price":"2.00","time":1},{"price":"2.00","time":1},
      {"price":"2.00","time":1}]}})",
           RejectReason::kUnknownField, "feeds[0].x");
  CHECK_FALSE(
      CheckGood<InstrumentHaltRequest>(R"({"method":"instrument.resume","params":{"symbol":"S"}})")
          .halt);

  const auto settle = CheckGood<SettlementSubmitRequest>(
      R"({"method":"settlement.submit","params":{"number":9,"decision":"settle_lease","lease":"4",
      "verified_weight":"1200000000","consumed":"1200000000","burned":"1200000",
      "owed":"0","gross_utok":"10000000","provider_utok":"9300000","fee_utok":"200000",
      "retire_utok":"500000","emitted_utok":"0","delivered_minutes":60}})");
  CHECK(settle.number == 9);
  const auto& lease = std::get<SettleLeaseDecision>(settle.decision);
  CHECK(lease.lease == LeaseId(4));
  CHECK(lease.consumed == Credits(1'200'000'000));
  CHECK(lease.provider == Tokens(9'300'000));
  CHECK(lease.delivered_minutes == Minutes(60));
  CheckBad(
      R"({"method":"settlement.submit","params":{"number":9,"decision":"post_deposit","request":"4","credits":"1"}})",
      RejectReason::kUnknownField, "credits");
  const auto judge = CheckGood<LeaseJudgeRequest>(
      R"({"method":"lease.judge","params":{"lease":"4","verdict":"founded","share_bps":2500,"reason":"the probe failed"}})");
  CHECK(judge.verdict == DisputeVerdict::kFounded);
  CHECK(judge.share_bps == 2'500);
  CHECK(judge.reason == "the probe failed");
  CheckBad(R"({"method":"lease.judge","params":{"lease":"4","verdict":"none","reason":"x"}})",
           RejectReason::kUnknownValue, "verdict");
  CheckBad(
      R"({"method":"lease.judge","params":{"lease":"4","verdict":"unfounded","share_bps":9999,"reason":"x"}})",
      RejectReason::kConflictingFields, "share_bps");
  CheckBad(R"({"method":"lease.judge","params":{"lease":"4","verdict":"founded","reason":" x"}})",
           RejectReason::kMalformedText, "reason");
  CheckBad(R"({"method":"settlement.submit","params":{"number":9,"decision":"slash"}})",
           RejectReason::kUnknownValue, "decision");
  CheckBad(
      R"({"method":"settlement.submit","params":{"number":9,"decision":"post_top_up","request":"4","credits":"-1"}})",
      RejectReason::kOutOfRange, "credits");
}

TEST_CASE(
    "A text from a client is repeated to it in part at most, and never cut inside a character") {
  std::string key;
  for (int i = 0; i < 40; ++i) key += "€";  // three bytes each: 64 falls inside one
  JsonDecoder decoder(kBytesMax);
  const DecodedMessage message =
      decoder.Decode(R"({"method":"ping","params":{")" + key + R"(":1}})");
  const auto& refusal = std::get<Refusal>(message.request);
  CHECK(refusal.reason == RejectReason::kUnknownField);
  CHECK(refusal.param.size() == 63);
  CHECK(key.starts_with(refusal.param));
}

}  // namespace warpbook::gateway
