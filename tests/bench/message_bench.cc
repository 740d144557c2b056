// message_bench: what one message costs in each encoding, by Google Benchmark: an order.place from
// its bytes to the typed request, its reply from the fields to the bytes, and a book update of ten
// levels.
#include <benchmark/benchmark.h>

#include <string>
#include <variant>

#include "gateway/protocol/binary_decoder.h"
#include "gateway/protocol/json_decoder.h"
#include "gateway/protocol/reply_writer.h"
#include "schema/base/check.h"
#include "tests/gateway/support/client_json.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kBytesMax = 64 * 1024;
constexpr const char* kOrder =
    R"({"method":"order.place","req_id":7,"params":{"symbol":"H100-SXM.us-east.2026-12-01T14:00",)"
    R"("side":"buy","order_type":"limit","price":"2.50","gpus":8,"min_fill":8,"tier":"standard",)"
    R"("min_assurance":"verified","time_in_force":"gtc","cl_ord_id":"job-42","post_only":false,)"
    R"("stp":"cancel_newest","deadline":1767225600123456}})";

void DecodeJsonOrder(benchmark::State& state) {
  JsonDecoder decoder(kBytesMax);
  const std::string text = kOrder;
  for (auto _ : state) {
    const DecodedMessage message = decoder.Decode(text);
    benchmark::DoNotOptimize(&message);
  }
  WARPBOOK_CHECK(std::holds_alternative<OrderPlaceRequest>(decoder.Decode(text).request));
  state.counters["bytes"] = static_cast<double>(text.size());
}
BENCHMARK(DecodeJsonOrder);

void ParseJsonOrder(benchmark::State& state) {
  JsonParser parser(kBytesMax);
  FieldTree tree;
  const std::string text = kOrder;
  for (auto _ : state) benchmark::DoNotOptimize(parser.Parse(text, tree));
}
BENCHMARK(ParseJsonOrder);

void DecodeBinaryOrder(benchmark::State& state) {
  BinaryDecoder decoder(kBytesMax);
  const std::string bytes = *BinaryRequest(kOrder);
  for (auto _ : state) {
    const DecodedMessage message = decoder.Decode(bytes);
    benchmark::DoNotOptimize(&message);
  }
  WARPBOOK_CHECK(std::holds_alternative<OrderPlaceRequest>(decoder.Decode(bytes).request));
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK(DecodeBinaryOrder);

void ParseBinaryOrder(benchmark::State& state) {
  BinaryParser parser(kBytesMax);
  FieldTree tree;
  const std::string bytes = *BinaryRequest(kOrder);
  for (auto _ : state) benchmark::DoNotOptimize(parser.Parse(bytes, tree));
}
BENCHMARK(ParseBinaryOrder);

void WriteOrderReply(benchmark::State& state, Encoding encoding) {
  const ReplyHead head{.method = "order.place",
                       .req_id = 7,
                       .sequence = 50'112,
                       .time_in_us = 1'767'225'600'123'456,
                       .time_out_us = 1'767'225'600'123'789};
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    MessageWriter out(encoding, bytes);
    WriteReply(out, head, [](MessageWriter& result) {
      result.FieldId("order_id", uint64_t{1'881}).Field("cl_ord_id", "job-42");
    });
    benchmark::DoNotOptimize(bytes.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK_CAPTURE(WriteOrderReply, json, Encoding::kJson);
BENCHMARK_CAPTURE(WriteOrderReply, flatbuffers, Encoding::kFlatBuffers);

void WriteBookUpdate(benchmark::State& state, Encoding encoding) {
  std::string bytes;
  for (auto _ : state) {
    bytes.clear();
    MessageWriter out(encoding, bytes);
    out.BeginObject().Field("channel", "book").Field("type", "update");
    out.Field("symbol", "H100-SXM.us-east.2026-12-01T14:00").Field("seq", 1'002);
    out.Field("prev_seq", 1'001).Field("ts", int64_t{1'767'225'600'123'456});
    out.Key("data").BeginObject();
    for (const char* side : {"bids", "asks"}) {
      out.Key(side).BeginArray();
      for (int i = 0; i < 5; ++i) out.Level(Price(2'500'000 + 20'000 * i), Quantity(16 + i));
      out.EndArray();
    }
    out.EndObject().Field("checksum", uint32_t{3'000'000'000}).EndObject().Finish();
    benchmark::DoNotOptimize(bytes.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes.size());
}
BENCHMARK_CAPTURE(WriteBookUpdate, json, Encoding::kJson);
BENCHMARK_CAPTURE(WriteBookUpdate, flatbuffers, Encoding::kFlatBuffers);

}  // namespace
}  // namespace warpbook::gateway

BENCHMARK_MAIN();
