// Clients that do not read: market data is conflated into a snapshot, everything else ends the
// connection, and the reason is said.
#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <thread>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

const std::string kPing = R"({"method":"ping","req_id":1})";
const std::string kInstruments = R"({"method":"instruments","req_id":1})";

GatewayServer::Options SmallQueues() {
  GatewayServer::Options options = TestOptions();
  options.limits.socket_send_buffer_bytes = 4'096;
  options.limits.send_queue_public_bytes = 4'096;
  options.limits.send_queue_bytes_max = 64 * 1024;
  options.limits.client.requests_burst = 1'000'000;
  return options;
}

}  // namespace

TEST_CASE(
    "A client that asks and does not read is told that it is too slow, then closed with 1008") {
  GatewayServer::Options options = SmallQueues();
  options.limits.close_timeout_micros = 10'000'000;
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port(), 4'096);
  // Requests until the server's queue is full and it stops reading.
  std::thread asker([&] {
    for (int i = 0; i < 2'000; ++i) {
      if (!socket.SendText(kInstruments)) return;
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::string last;
  std::optional<Frame> frame = socket.Read();
  size_t replies = 0;
  while (frame && frame->opcode == 1) {
    last = frame->payload;
    ++replies;
    frame = socket.Read();
  }
  asker.join();
  REQUIRE(frame.has_value());
  CHECK(frame->close_code() == 1'008);
  CHECK(At(last, "/error/code") == "slow_consumer");
  CHECK(IntegerAt(last, "/error/number") == 1'206);
  CHECK(replies < 2'000);
  // The others have not noticed.
  TestSocket other = TestSocket::Open(server.port());
  CHECK(At(other.Ask(kPing), "/success") == "true");
}

TEST_CASE("A client that does not read is not read from, and gets every answer once it does") {
  GatewayServer::Options options = TestOptions();
  options.limits.socket_send_buffer_bytes = 64 * 1024;
  options.limits.client.requests_burst = 1'000'000;
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port(), 64 * 1024);
  // Long ones, so that few of them fill the system's own buffers.
  const std::string request = TestSocket::FrameText(1, kInstruments + std::string(4'000, ' '));
  constexpr size_t kEnough = 64 * 1024 * 1024;
  const size_t taken = socket.SendUntilStuck(request, kEnough);
  CHECK(taken < kEnough);
  // The last one whole.
  std::thread asker([&] { socket.SendRaw(request.substr(taken % request.size())); });
  for (size_t i = 0; i <= taken / request.size(); ++i) {
    REQUIRE(At(socket.ReadReply(), "/success") == "true");
  }
  asker.join();
  CHECK(At(socket.Ask(kPing), "/success") == "true");
}

TEST_CASE("A client that was not read from is forgotten, whether it is cut or goes by itself") {
  GatewayServer::Options options = TestOptions();
  options.limits.socket_send_buffer_bytes = 4'096;
  options.limits.client.requests_burst = 1'000'000;
  options.limits.client_connections.total_max = 1;
  bool goes = false;
  SUBCASE("cut after the write stall") { options.limits.write_stall_micros = 500'000; }
  SUBCASE("goes") { goes = true; }
  TestServer server(options);
  std::optional<TestSocket> socket(TestSocket::Open(server.port(), 4'096));
  socket->SendUntilStuck(TestSocket::FrameText(1, kInstruments), 64 * 1024 * 1024);
  if (goes) socket.reset();
  std::string answer;
  for (int attempt = 0; attempt < 300 && !answer.starts_with("HTTP/1.1 101"); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    answer = TestSocket(server.port()).Http(TestSocket::UpgradeRequest());
  }
  CHECK(answer.starts_with("HTTP/1.1 101"));
}

TEST_CASE("A client that never reads is cut after the write stall") {
  GatewayServer::Options options = SmallQueues();
  options.limits.write_stall_micros = 500'000;
  options.limits.send_queue_bytes_max = 64 * 1024 * 1024;
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port(), 4'096);
  for (int i = 0; i < 1'000; ++i) {
    if (!socket.SendText(kInstruments)) break;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  // What was on its way may still be read; then there is nothing more, and no close.
  bool ended_in_order = false;
  while (const auto frame = socket.Read()) ended_in_order = frame->opcode == 8;
  CHECK_FALSE(ended_in_order);
}

TEST_CASE("What has waited too long ends the connection as too slow, however little it is") {
  GatewayServer::Options options = SmallQueues();
  options.limits.send_queue_age_max_micros = 400'000;
  options.limits.close_timeout_micros = 10'000'000;
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port(), 4'096);
  // Far less than the queue may hold, and a little more than the sockets do.
  const size_t taken = socket.SendUntilStuck(TestSocket::FrameText(1, kInstruments), 5'000);
  CHECK(taken >= 5'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
  std::string last;
  std::optional<Frame> frame = socket.Read();
  for (; frame && frame->opcode == 1; frame = socket.Read()) last = frame->payload;
  REQUIRE(frame.has_value());
  CHECK(frame->close_code() == 1'008);
  CHECK(At(last, "/error/code") == "slow_consumer");
}

TEST_CASE("A flood of pings, or of empty fragments, ends with its reason and 1008") {
  GatewayServer::Options options = TestOptions();
  options.limits.control_frames_burst = 100;
  options.limits.message_frames_max = 50;
  TestServer server(options);
  std::string pings, fragments = TestSocket::FrameText(1, "{", false);
  for (int i = 0; i < 150; ++i) {
    pings += TestSocket::FrameText(9, "p");
    fragments += TestSocket::FrameText(0, "", false);
  }
  for (const std::string& flood : {pings, fragments}) {
    TestSocket socket = TestSocket::Open(server.port());
    REQUIRE(socket.SendRaw(flood));
    auto frame = socket.Read();
    while (frame && frame->opcode == 10) frame = socket.Read();
    REQUIRE(frame.has_value());
    CHECK(At(frame->payload, "/error/code") == "rate_limited");
    frame = socket.Read();
    REQUIRE(frame.has_value());
    CHECK(frame->close_code() == 1'008);
    CHECK(socket.AtEnd());
  }
}

TEST_CASE("A client that sends pings and reads no pongs is not read from for ever") {
  TestServer server(SmallQueues());
  TestSocket socket = TestSocket::Open(server.port(), 4'096);
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += TestSocket::FrameText(9, std::string(120, 'p'));
  constexpr size_t kEnough = 64 * 1024 * 1024;
  CHECK(socket.SendUntilStuck(pings, kEnough) < kEnough);
  TestSocket other = TestSocket::Open(server.port());
  CHECK(At(other.Ask(kPing), "/success") == "true");
}

TEST_CASE("Market data for a slow reader is replaced by a fresh snapshot, and the reader stays") {
  TestServer server(SmallQueues());
  TestSocket trader = TestSocket::Open(server.admin_port());
  server.Logon(trader, AccountId(1), server.exchange.operator_key());
  // A buyer with money.
  TestSocket member = TestSocket::Open(server.port());
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = server.OpenAccount(member, key);
  server.Logon(member, account, key);
  wire::PostTopUp top_up;
  {
    wire::RequestTopUp request;
    request.mutable_header().mutate_account_id(account.value());
    request.mutate_burn_utok(1);
    server.exchange.Apply(request);
    top_up.mutable_header().mutate_account_id(2);
    top_up.mutate_number(1);
    top_up.mutate_request_sequence(server.exchange.History().back()->first_sequence);
    top_up.mutate_credits(1'000'000 * kCreditsPerUsd);
    server.exchange.Apply(top_up);
  }
  TestSocket watcher = TestSocket::Open(server.port(), 4'096);
  watcher.Ask(RequestText("subscribe",
                          R"({"channel":"book","symbol":")" + std::string(kTestSymbol) + R"("})"));
  // The watcher does not read while a thousand bids come and go.
  for (int i = 0; i < 500; ++i) {
    const std::string id = std::to_string(i);
    const std::string placed = member.Ask(RequestText(
        "order.place", R"({"symbol":")" + std::string(kTestSymbol) +
                           R"(","side":"buy","order_type":"limit","price":"2.50","gpus":)" +
                           std::to_string(1 + i % 7) + R"(,"cl_ord_id":")" + id + R"("})"));
    REQUIRE(At(placed, "/success") == "true");
    if (i == 499) break;
    REQUIRE(At(member.Ask(RequestText("order.cancel", R"({"cl_ord_id":")" + id + R"("})")),
               "/success") == "true");
  }
  // It reads: an unbroken chain, except where a snapshot begins anew; the end is the book.
  int64_t last = -1;
  int snapshots = 0, updates = 0;
  std::string message;
  do {
    const auto frame = watcher.Read();
    REQUIRE(frame.has_value());
    REQUIRE(frame->opcode == 1);
    message = frame->payload;
    if (At(message, "/type") == "snapshot") {
      ++snapshots;
    } else {
      ++updates;
      REQUIRE(IntegerAt(message, "/prev_seq") == last);
    }
    last = IntegerAt(message, "/seq");
  } while (last < 999);
  CHECK(last == 999);
  CHECK(snapshots >= 2);
  CHECK(updates < 999);
  CHECK(At(watcher.Ask(kPing), "/success") == "true");
}

}  // namespace warpbook::gateway
