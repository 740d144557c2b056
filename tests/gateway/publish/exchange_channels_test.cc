// The channels of the exchange as a whole: instruments, status and heartbeat.
#include <doctest/doctest.h>

#include <string>

#include "schema/base/version.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

constexpr const char* kInstrumentsParams = R"({"channel":"instruments"})";
constexpr const char* kStatusParams = R"({"channel":"status"})";
constexpr const char* kHeartbeatParams = R"({"channel":"heartbeat"})";

}  // namespace

TEST_CASE("The channel instruments begins with those there are, and tells what becomes of them") {
  TestGateway gateway;
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", kInstrumentsParams) == 0);
  auto messages = watcher.Take("instruments");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "snapshot");
  CHECK(At(messages[0], "/data/0/symbol") == kTestSymbol);
  CHECK(At(messages[0], "/data/0/state") == "open");
  CHECK(At(messages[0], "/data/0/tick") == "0.02");
  CHECK(Has(messages[0], "/data/1"));
  CHECK_FALSE(Has(messages[0], "/data/2"));
  const int64_t first = IntegerAt(messages[0], "/seq");

  const std::string symbol = R"({"symbol":")" + std::string(kTestSymbol) + R"("})";
  CHECK(gateway.ReasonOf(gateway.Operator(), "instrument.halt", symbol) == 0);
  CHECK(gateway.ReasonOf(gateway.Operator(), "instrument.resume", symbol) == 0);
  gateway.exchange.clock().Set(kTestWindowMicros + 57 * kMicrosPerMinute);
  gateway.exchange.Tick();
  gateway.Pump();
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  messages = watcher.Take("instruments");
  REQUIRE(messages.size() == 4);
  const char* const expected[][2] = {{"halted", "halted"},
                                     {"resumed", "open"},
                                     {"gate_closed", "gate_closed"},
                                     {"closed", "closed"}};
  for (size_t i = 0; i < messages.size(); ++i) {
    CHECK(messages[i].ends_with(R"("data":[{"event":")" + std::string(expected[i][0]) +
                                R"(","symbol":")" + kTestSymbol + R"(","state":")" +
                                expected[i][1] + R"("}]})"));
    CHECK(IntegerAt(messages[i], "/prev_seq") == first + static_cast<int64_t>(i));
  }
  // The window opens anew, for longer.
  wire::OpenInstrument open;
  open.mutate_window_start_us(kTestWindowMicros + 48 * kMicrosPerHour);
  open.mutate_tick(20'000);
  open.mutate_band_low(20'000);
  open.mutate_band_high(2'000'000);
  open.mutate_window_minutes(60);
  open.mutate_notice_seconds(120);
  open.mutate_gate_minutes(3);
  open.mutate_class_id(1);
  open.mutate_region_id(1);
  gateway.exchange.Apply(open);
  gateway.Pump();
  messages = watcher.Take("instruments");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/0/event") == "opened");
  CHECK(At(messages[0], "/data/0/symbol") == "H100-SXM.us-east.2026-12-03T14:00");
  CHECK(At(messages[0], "/data/0/band_high") == "2.00");
  CHECK(gateway.ReasonOf(watcher, "unsubscribe", kInstrumentsParams) == 0);
}

TEST_CASE("The status begins with how the exchange is, and tells everybody when it goes") {
  TestGateway gateway;
  TestPeer& watcher = gateway.Connect();
  TestPeer& other = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", kStatusParams) == 0);
  auto messages = watcher.Take("status");
  REQUIRE(messages.size() == 1);
  const std::string ts = std::to_string(gateway.publisher.last_time_us());
  CHECK(messages[0] == R"({"channel":"status","type":"snapshot","seq":0,"ts":)" + ts +
                           R"(,"data":{"status":"online","storage_low":false,"version":")" +
                           std::string(kVersion) + R"("}})");
  gateway.publisher.AnnounceShutdown(1'234);
  gateway.publisher.DeliverAll();
  messages = watcher.Take("status");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/event") == "server_shutdown");
  CHECK(IntegerAt(messages[0], "/data/reconnect_by") == 1'234);
  CHECK(At(messages[0], "/data/status") == "draining");
  CHECK(IntegerAt(messages[0], "/seq") == 1);
  messages = other.Take("status");
  REQUIRE(messages.size() == 1);
  CHECK(
      messages[0] ==
      R"({"channel":"status","type":"update","data":{"event":"server_shutdown","reconnect_by":1234}})");
  // And who comes while it goes.
  CHECK(gateway.ReasonOf(other, "subscribe", kStatusParams) == 0);
  messages = other.Take("status");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/status") == "draining");
}

TEST_CASE("The status tells that the journal's disk is full, until an order is taken again") {
  TestGateway gateway;
  AccountId buyer_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  TestPeer& watcher = gateway.Connect();
  CHECK(gateway.ReasonOf(watcher, "subscribe", kStatusParams) == 0);
  watcher.messages.clear();
  for (int i = 0; i < 2; ++i) {
    wire::RefuseCommand refused;
    refused.mutable_header().mutate_account_id(buyer_id.value());
    refused.mutate_command_type(static_cast<uint16_t>(wire::RecordType::kPlaceOrder));
    refused.mutate_reason(static_cast<uint16_t>(RejectReason::kStorageLow));
    gateway.exchange.Apply(refused);
    gateway.Pump();
  }
  auto messages = watcher.Take("status");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/event") == "storage_low");
  CHECK(At(messages[0], "/data/storage_low") == "true");
  for (int i = 0; i < 2; ++i) {
    CHECK(gateway.ReasonOf(buyer, "order.place",
                           R"({"symbol":")" + std::string(kTestSymbol) +
                               R"(","side":"buy","order_type":"limit","price":"2.50","gpus":1})") ==
          0);
  }
  messages = watcher.Take("status");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/data/event") == "storage_recovered");
  CHECK(At(messages[0], "/data/storage_low") == "false");
}

TEST_CASE("The heart beats once a second, and says how far the gateway has come") {
  TestGateway gateway;
  TestPeer& watcher = gateway.Connect();
  TestPeer& other = gateway.Connect();
  const auto tick = [&](int64_t at) {
    gateway.publisher.Tick(at);
    gateway.publisher.DeliverAll();
  };
  int64_t now = 1'000'000'000;
  tick(now);
  CHECK(gateway.ReasonOf(watcher, "subscribe", kHeartbeatParams) == 0);
  auto messages = watcher.Take("heartbeat");
  REQUIRE(messages.size() == 1);
  CHECK(At(messages[0], "/type") == "snapshot");
  for (int i = 0; i < 35; ++i) tick(now += 100'000);
  messages = watcher.Take("heartbeat");
  REQUIRE(messages.size() == 3);
  CHECK(messages[2] == R"({"channel":"heartbeat","type":"update","seq":)" +
                           std::to_string(gateway.publisher.last_sequence()) + R"(,"ts":)" +
                           std::to_string(gateway.publisher.last_time_us()) + "}");
  gateway.exchange.clock().Advance(5);
  gateway.exchange.Tick();
  gateway.Pump();
  tick(now += 1'000'000);
  const auto next = watcher.Take("heartbeat");
  REQUIRE(next.size() == 1);
  CHECK(IntegerAt(next[0], "/seq") == IntegerAt(messages[2], "/seq") + 1);
  CHECK(IntegerAt(next[0], "/ts") == IntegerAt(messages[2], "/ts") + 5);
  CHECK(other.messages.empty());
  // Who cannot keep up gets one when it can.
  watcher.is_slow = true;
  for (int i = 0; i < 5; ++i) tick(now += 1'000'000);
  watcher.is_slow = false;
  gateway.publisher.public_feed().Resume(watcher.visitor.connection_id, 1);
  CHECK(watcher.Take("heartbeat").size() == 1);
}

TEST_CASE("The channels of the exchange have no symbol") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"status","symbol":"S"})") ==
        static_cast<int>(RejectReason::kConflictingFields));
  CHECK(gateway.ReasonOf(peer, "unsubscribe", kHeartbeatParams) ==
        static_cast<int>(RejectReason::kNotSubscribed));
}

}  // namespace warpbook::gateway
