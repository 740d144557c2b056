// The running server over loopback: what arrives on the wire, good and bad.
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

constexpr size_t kMessageMax = 64 * 1024;
const std::string kPing = R"({"method":"ping","req_id":1})";

}  // namespace

TEST_CASE("An address opens so many accounts, over however many connections") {
  GatewayServer::Options options = TestOptions();
  options.limits.account_opens.per_address_burst = 2;
  TestServer server(options);
  for (int i = 0; i < 2; ++i) {
    TestSocket socket = TestSocket::Open(server.port());
    server.OpenAccount(socket, Ed25519PrivateKey::Generate());
  }
  TestSocket socket = TestSocket::Open(server.port());
  const std::string answer =
      socket.Ask(SignedRequest(socket, AccountId(), Ed25519PrivateKey::Generate()));
  CHECK(At(answer, "/error/code") == "rate_limited");
  CHECK(IntegerAt(answer, "/error/data/retry_after_us") > 0);
}

TEST_CASE("A client opens an account, logs on, trades and sees its order on its channel") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = server.OpenAccount(socket, key);
  server.Logon(socket, account, key);
  socket.Ask(RequestText("subscribe", R"({"channel":"executions"})"));
  auto snapshot = socket.Read();
  REQUIRE(snapshot.has_value());
  CHECK(At(snapshot->payload, "/type") == "snapshot");
  const std::string refused =
      socket.Ask(RequestText("order.place", R"({"symbol":")" + std::string(kTestSymbol) +
                                                R"(","side":"buy","order_type":"limit",)"
                                                R"("price":"2.50","gpus":1})"));
  CHECK(At(refused, "/error/code") == "insufficient_credits");
}

TEST_CASE("Bad messages are answered each by its own error and the connection lives on") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  const auto code_of = [&](std::string_view text) { return At(socket.Ask(text), "/error/code"); };
  CHECK(code_of("") == "malformed_json");
  CHECK(code_of("{") == "malformed_json");
  CHECK(code_of("[]") == "not_an_object");
  CHECK(code_of(R"({"method":"ping","method":"ping"})") == "duplicate_key");
  CHECK(code_of("{}") == "method_missing");
  CHECK(code_of(R"({"method":"x"})") == "unknown_method");
  CHECK(code_of(R"({"method":"account.balances"})") == "not_logged_on");
  CHECK(code_of(std::string(10, '[') + std::string(10, ']')) == "nesting_too_deep");
  socket.SendRaw(TestSocket::FrameText(2, kPing));
  CHECK(At(socket.ReadReply(), "/error/code") == "binary_not_supported");
  CHECK(At(socket.Ask(kPing), "/success") == "true");
}

TEST_CASE("A message may come in fragments, with a ping between them") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  socket.SendRaw(TestSocket::FrameText(1, kPing.substr(0, 5), /*final=*/false));
  socket.SendRaw(TestSocket::FrameText(9, "are you there"));
  const auto pong = socket.Read();
  REQUIRE(pong.has_value());
  CHECK(pong->opcode == 10);
  CHECK(pong->payload == "are you there");
  socket.SendRaw(TestSocket::FrameText(0, kPing.substr(5)));
  CHECK(At(socket.ReadReply(), "/success") == "true");
}

TEST_CASE("A message of 64 KiB is read; a longer one is answered with its error and close 1009") {
  TestServer server;
  {
    TestSocket socket = TestSocket::Open(server.port());
    std::string text = kPing;
    text.append(kMessageMax - text.size(), ' ');
    CHECK(At(socket.Ask(text), "/success") == "true");
  }
  const auto check_refused = [](TestSocket& socket) {
    const std::string error = socket.ReadReply();
    CHECK(At(error, "/error/code") == "frame_too_large");
    CHECK(IntegerAt(error, "/error/number") == 1'001);
    const auto close = socket.Read();
    REQUIRE(close.has_value());
    CHECK(close->close_code() == 1'009);
    CHECK(socket.AtEnd());
  };
  for (const size_t size : {kMessageMax + 1, size_t{300'000}}) {
    TestSocket socket = TestSocket::Open(server.port());
    socket.SendText(std::string(size, ' '));
    check_refused(socket);
  }
  {
    // In fragments that are small each.
    TestSocket socket = TestSocket::Open(server.port());
    socket.SendRaw(TestSocket::FrameText(1, std::string(40'000, ' '), false));
    socket.SendRaw(TestSocket::FrameText(0, std::string(40'000, ' '), true));
    check_refused(socket);
  }
  {
    // Announced only: nobody waits for what never comes.
    TestSocket socket = TestSocket::Open(server.port());
    socket.SendRaw(
        std::string("\x81\xff\x00\x00\x00\x10\x00\x00\x00\x00"
                    "mask",
                    14));
    check_refused(socket);
  }
}

TEST_CASE(
    "Bytes that are not UTF-8 are answered with their error, and the protocol closes with 1007") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  CHECK(At(socket.Ask(kPing), "/success") == "true");
  socket.SendText("{\"method\":\"\xff\"}");
  const std::string error = socket.ReadReply();
  CHECK(At(error, "/error/code") == "invalid_utf8");
  CHECK(IntegerAt(error, "/error/number") == 1'002);
  const auto close = socket.Read();
  REQUIRE(close.has_value());
  CHECK(close->close_code() == 1'007);
  CHECK(socket.AtEnd());
}

TEST_CASE("Frames that break the protocol end the connection with 1002") {
  TestServer server;
  const std::vector<std::string> broken = {
      std::string("\x81\x02{}", 4),                  // not masked
      std::string("\xf1\x82\x00\x00\x00\x00{}", 8),  // reserved bits
      std::string("\x83\x80\x00\x00\x00\x00", 6),    // unknown opcode
      std::string("\x80\x80\x00\x00\x00\x00", 6),    // nothing to continue
      std::string("\x09\x80\x00\x00\x00\x00", 6),    // a ping in fragments
      std::string("\x89\xfe\x00\x7e\x00\x00\x00\x00", 8) + std::string(126, 'x'),  // a long ping
  };
  for (const std::string& bytes : broken) {
    TestSocket socket = TestSocket::Open(server.port());
    socket.SendRaw(bytes);
    const auto close = socket.Read();
    REQUIRE(close.has_value());
    CHECK(close->close_code() == 1'002);
  }
  TestSocket socket = TestSocket::Open(server.port());
  CHECK(At(socket.Ask(kPing), "/success") == "true");
}

TEST_CASE("A client that closes is answered with its close") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  socket.SendRaw(TestSocket::FrameText(8, "\x03\xe8"));
  const auto close = socket.Read();
  REQUIRE(close.has_value());
  CHECK(close->close_code() == 1'000);
  CHECK(socket.AtEnd());
}

TEST_CASE("Replies come in the order of their requests, many at once") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  std::string frames;
  constexpr int kCount = 1'000;
  for (int i = 0; i < kCount; ++i) {
    frames += TestSocket::FrameText(1, R"({"method":"ping","req_id":)" + std::to_string(i) + "}");
  }
  std::thread sender([&] { socket.SendRaw(frames); });
  for (int i = 0; i < kCount; ++i) {
    const std::string reply = socket.ReadReply();
    REQUIRE(At(reply, "/success") == "true");
    REQUIRE(IntegerAt(reply, "/req_id") == i);
  }
  sender.join();
}

TEST_CASE("A client that says nothing is asked, and let go when it does not answer") {
  GatewayServer::Options options = TestOptions();
  options.limits.idle_timeout_micros = 400'000;
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port());
  const auto ping = socket.Read();
  REQUIRE(ping.has_value());
  CHECK(ping->opcode == 9);
  // It answers: it may stay.
  socket.SendRaw(TestSocket::FrameText(10, ping->payload));
  const auto second_ping = socket.Read();
  REQUIRE(second_ping.has_value());
  CHECK(second_ping->opcode == 9);
  const auto reason = socket.Read();
  REQUIRE(reason.has_value());
  CHECK(At(reason->payload, "/error/code") == "idle_connection");
  const auto close = socket.Read();
  REQUIRE(close.has_value());
  CHECK(close->close_code() == 1'008);
}

TEST_CASE("Operators' methods are on the admin listener only") {
  TestServer server;
  const std::string halt =
      RequestText("instrument.halt", R"({"symbol":")" + std::string(kTestSymbol) + R"("})");
  TestSocket outside = TestSocket::Open(server.port());
  server.Logon(outside, AccountId(1), server.exchange.operator_key());
  CHECK(At(outside.Ask(halt), "/error/code") == "operator_listener_only");
  TestSocket inside = TestSocket::Open(server.admin_port());
  server.Logon(inside, AccountId(1), server.exchange.operator_key());
  CHECK(At(inside.Ask(halt), "/success") == "true");
}

TEST_CASE("A recorded logon does not log on again, on its own or another connection") {
  TestServer server;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  TestSocket socket = TestSocket::Open(server.port());
  const AccountId account = server.OpenAccount(socket, key);
  const std::string logon = SignedRequest(socket, account, key);
  CHECK(At(socket.Ask(logon), "/success") == "true");
  socket.Ask(RequestText("session.logout"));
  CHECK(At(socket.Ask(logon), "/error/code") == "no_challenge");
  TestSocket other = TestSocket::Open(server.port());
  other.Ask(RequestText("session.challenge"));
  CHECK(At(other.Ask(logon), "/error/code") == "bad_signature");
}

TEST_CASE("When the engine's port is lost every client is sent away and the owner is told") {
  std::promise<void> told;  // a second time throws
  GatewayServer::Options options = TestOptions();
  options.on_engine_lost = [&told] { told.set_value(); };
  TestServer server(options);
  TestSocket socket = TestSocket::Open(server.port());
  CHECK(At(socket.Ask(kPing), "/success") == "true");
  server.exchange.Lose();
  const auto close = socket.Read();
  REQUIRE(close.has_value());
  CHECK(close->close_code() == 1'001);
  CHECK(told.get_future().wait_for(std::chrono::seconds(10)) == std::future_status::ready);
}

}  // namespace warpbook::gateway
