#include "gateway/protocol/binary_decoder.h"

#include <doctest/doctest.h>
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/protocol/methods.h"
#include "gateway/protocol/table_shape.h"
#include "schema/types/enums.h"
#include "schema/wire/client_messages_generated.h"
#include "schema/wire/client_requests_generated.h"

namespace warpbook::gateway {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

constexpr size_t kBytesMax = 64 * 1024;

std::string BytesOf(const FlatBufferBuilder& builder) {
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// A request of that method's table.
template <typename Table>
std::string RequestWith(FlatBufferBuilder& builder, Offset<Table> params) {
  client::ClientRequestBuilder request(builder);
  request.add_req_id(7);
  request.add_params_type(client::ParamsTraits<Table>::enum_value);
  request.add_params(params.Union());
  builder.Finish(request.Finish());
  return BytesOf(builder);
}

// A request whose params are that offset, of whatever type.
std::string RequestOf(FlatBufferBuilder& builder, uint8_t type, Offset<void> params) {
  client::ClientRequestBuilder request(builder);
  request.add_params_type(static_cast<client::Params>(type));
  request.add_params(params);
  builder.Finish(request.Finish());
  return BytesOf(builder);
}

void CheckBad(std::string_view bytes, RejectReason reason, std::string_view param) {
  BinaryDecoder decoder(kBytesMax);
  const DecodedMessage message = decoder.Decode(bytes);
  const auto* refusal = std::get_if<Refusal>(&message.request);
  REQUIRE(refusal != nullptr);
  CHECK(RejectReasonCode(refusal->reason) == RejectReasonCode(reason));
  CHECK(refusal->param == param);
}

std::string GoodOrder(std::string_view name = "job-42") {
  FlatBufferBuilder builder;
  const auto symbol = builder.CreateString("S");
  const auto client_order_id = builder.CreateString(name.data(), name.size());
  client::OrderPlaceBuilder order(builder);
  order.add_symbol(symbol);
  order.add_side(client::Side::sell);
  order.add_order_type(client::OrderType::limit);
  order.add_price(2'500'000);
  order.add_gpus(8);
  order.add_cl_ord_id(client_order_id);
  order.add_deadline(17);
  order.add_post_only(true);
  order.add_node(5);
  return RequestWith(builder, order.Finish());
}

}  // namespace

TEST_CASE("A request is read from flatc's own code") {
  BinaryDecoder decoder(kBytesMax);
  const std::string bytes = GoodOrder();
  const DecodedMessage message = decoder.Decode(bytes);
  CHECK(message.method == Method::kOrderPlace);
  CHECK(message.method_name == "order.place");
  CHECK(message.req_id == 7);
  REQUIRE(std::holds_alternative<OrderPlaceRequest>(message.request));
  const auto& order = std::get<OrderPlaceRequest>(message.request);
  CHECK(order.symbol == "S");
  CHECK(order.side == Side::kSell);
  CHECK(order.price == Price(2'500'000));
  CHECK(order.gpus == Quantity(8));
  CHECK(order.client_order_id.view() == "job-42");
  CHECK(order.deadline == Timestamp(17));
  CHECK(order.post_only);
  CHECK(order.node == NodeId(5));
  CHECK(order.time_in_force == TimeInForce::kGtc);
}

TEST_CASE("Bytes may lie anywhere in memory") {
  BinaryDecoder decoder(kBytesMax);
  const std::string bytes = GoodOrder();
  for (size_t shift = 0; shift < 9; ++shift) {
    const std::string shifted = std::string(shift, 'x') + bytes;
    const DecodedMessage message = decoder.Decode(std::string_view(shifted).substr(shift));
    CHECK(std::holds_alternative<OrderPlaceRequest>(message.request));
  }
}

TEST_CASE("What is not a FlatBuffer of the schema is refused") {
  CheckBad("", RejectReason::kMalformedBinary, "");
  CheckBad(R"({"method":"ping"})", RejectReason::kMalformedBinary, "");
  CheckBad(std::string(kBytesMax, '\0'), RejectReason::kMalformedBinary, "");
  CheckBad(std::string(kBytesMax + 1, '\0'), RejectReason::kFrameTooLarge, "");
  const std::string good = GoodOrder();
  CheckBad(std::string_view(good).substr(0, good.size() / 2), RejectReason::kMalformedBinary, "");
  CheckBad(GoodOrder("\xc3"), RejectReason::kInvalidUtf8, "");
}

TEST_CASE("A method, field or word that the schema does not have is unknown") {
  {
    FlatBufferBuilder builder;
    client::ClientRequestBuilder request(builder);
    request.add_req_id(3);
    builder.Finish(request.Finish());
    CheckBad(BytesOf(builder), RejectReason::kMethodMissing, "method");
  }
  {
    FlatBufferBuilder builder;
    const Offset<void> params = client::CreatePing(builder).Union();
    CheckBad(RequestOf(builder, 250, params), RejectReason::kUnknownMethod, "method");
  }
  {
    FlatBufferBuilder builder;
    const auto start = builder.StartTable();
    builder.AddElement<uint8_t>(flatbuffers::FieldIndexToOffset(3), 1);
    const Offset<void> params(builder.EndTable(start));
    CheckBad(RequestOf(builder, static_cast<uint8_t>(client::Params::Ping), params),
             RejectReason::kUnknownField, "field 3");
  }
  FlatBufferBuilder builder;
  client::CancelOnDisconnectBuilder request(builder);
  request.add_scope(static_cast<client::DisconnectScope>(3));
  CheckBad(RequestWith(builder, request.Finish()), RejectReason::kUnknownValue, "scope");
}

TEST_CASE("A message that says more by sharing than one may say without is refused") {
  FlatBufferBuilder builder;
  // One vector of scopes, large but in bounds, and a name that is as large.
  const std::vector<uint8_t> large(40'000, 0);
  const auto scopes = builder.CreateVector(large);
  const auto start = builder.StartTable();
  builder.AddOffset(client::KeyAdd::VT_PUBLIC_KEY, scopes);
  builder.AddOffset(client::KeyAdd::VT_SCOPES, scopes);
  const Offset<client::KeyAdd> params(builder.EndTable(start));
  CheckBad(RequestWith(builder, params), RejectReason::kMalformedBinary, "");
}

TEST_CASE("A message that shares within its length is read") {
  FlatBufferBuilder builder;
  const auto feed = [&] {
    client::PriceFeedBuilder one(builder);
    one.add_price(2'000'000);
    one.add_time(5);
    return one.Finish();
  }();
  const std::vector<Offset<client::PriceFeed>> feeds(5, feed);
  const auto vector = builder.CreateVector(feeds);
  client::PriceSetBuilder request(builder);
  request.add_feeds(vector);
  BinaryDecoder decoder(kBytesMax);
  const std::string bytes = RequestWith(builder, request.Finish());
  const DecodedMessage message = decoder.Decode(bytes);
  REQUIRE(std::holds_alternative<PriceSetRequest>(message.request));
  CHECK(std::get<PriceSetRequest>(message.request).feeds[4].price == TokenPrice(2'000'000));
}

TEST_CASE("Mutated binary messages have one answer each") {
  std::mt19937_64 random(9);
  const std::string good = GoodOrder();
  BinaryDecoder used(kBytesMax);
  int taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string bytes = good;
    for (uint64_t change = 0; change <= random() % 3; ++change) {
      bytes[random() % bytes.size()] =
          static_cast<char>(random() % 4 == 0 ? random() : random() % 8);
    }
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    BinaryDecoder fresh(kBytesMax);
    const DecodedMessage first = fresh.Decode(bytes);
    const DecodedMessage second = used.Decode(bytes);
    REQUIRE(first.request.index() == second.request.index());
    const auto* refusal = std::get_if<Refusal>(&first.request);
    taken += refusal == nullptr ? 1 : 0;
    if (refusal != nullptr) REQUIRE(FindRejectReason(refusal->reason).has_value());
  }
  CHECK(taken > 1'000);
}

// ---- The schema itself ----

namespace {

std::vector<std::string> NamesOf(const TableShape& shape) {
  std::vector<std::string> names;
  for (const FieldShape& field : shape.fields) names.emplace_back(field.name);
  return names;
}

// "order.cancel_all" -> "OrderCancelAll".
std::string TableName(std::string_view method) {
  std::string name;
  bool is_first = true;
  for (const char c : method) {
    if (c == '.' || c == '_') {
      is_first = true;
      continue;
    }
    name += is_first ? static_cast<char>(c - 'a' + 'A') : c;
    is_first = false;
  }
  return name;
}

const TableShape& WordsOf(const TableShape& table, std::string_view field) {
  const FieldShape* found = table.Find(field);
  REQUIRE_MESSAGE(found != nullptr, std::string(field));
  REQUIRE(found->type == FieldShape::Type::kWord);
  return *found->shape;
}

template <typename E>
void CheckWords(const TableShape& words) {
  const auto names = NamesOf(words);
  CHECK(std::ranges::equal(names, EnumNames<E>::kNames));
}

}  // namespace

TEST_CASE(
    "Both unions have a table for each method, in the order of Method, and a channel's data its "
    "own") {
  std::vector<std::string> params = {"NONE"}, results = {"NONE"}, data = {"NONE"}, words;
  for (const MethodInfo& info : kMethods) {
    params.push_back(TableName(info.name));
    results.push_back(TableName(info.name) + "Result");
    words.emplace_back(info.name);
    std::ranges::replace(words.back(), '.', '_');
  }
  for (const std::string_view channel : kChannelNames) {
    data.push_back(TableName(channel) + "Data");
  }
  const TableShape& message = ServerMessageShape();
  CHECK(NamesOf(*ClientRequestShape().Find("params")->shape) == params);
  CHECK(NamesOf(*message.Find("result")->shape) == results);
  CHECK(NamesOf(*message.Find("data")->shape) == data);
  CHECK(NamesOf(WordsOf(message, "method")) == words);
  CHECK(std::ranges::equal(NamesOf(WordsOf(message, "channel")), kChannelNames));
}

TEST_CASE("The schema has the words of the market's vocabularies, in their order") {
  const auto data_of = [](Channel channel) -> const TableShape& {
    const TableShape& members = *ServerMessageShape().Find("data")->shape;
    const TableShape& data = *members.fields[static_cast<size_t>(channel) + 1].shape;
    return *data.Find("rows")->shape;
  };
  const TableShape& execution = data_of(Channel::kExecutions);
  CheckWords<Side>(WordsOf(execution, "side"));
  CheckWords<OrderType>(WordsOf(execution, "order_type"));
  CheckWords<TimeInForce>(WordsOf(execution, "time_in_force"));
  CheckWords<Tier>(WordsOf(execution, "tier"));
  CheckWords<Assurance>(WordsOf(execution, "assurance"));
  CheckWords<CancelReason>(WordsOf(execution, "reason"));
  CheckWords<LeaseState>(WordsOf(data_of(Channel::kLeases), "state"));
  CheckWords<CreditBucket>(WordsOf(data_of(Channel::kBalances), "from"));
  const auto result_of = [](Method method) -> const TableShape& {
    const TableShape& members = *ServerMessageShape().Find("result")->shape;
    return *members.fields[static_cast<size_t>(method) + 1].shape;
  };
  CheckWords<AccountKind>(WordsOf(result_of(Method::kSessionLogon), "kind"));
  CheckWords<InstrumentState>(
      WordsOf(*result_of(Method::kInstruments).Find("instruments")->shape, "state"));
  const TableShape& params = *ClientRequestShape().Find("params")->shape;
  CheckWords<SelfTradePrevention>(
      WordsOf(*params.fields[static_cast<size_t>(Method::kOrderPlace) + 1].shape, "stp"));
}

}  // namespace warpbook::gateway
