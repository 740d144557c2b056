#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

const std::string kBid = RequestText(
    "order.place", R"({"symbol":")" + std::string(kTestSymbol) +
                       R"(","side":"buy","order_type":"limit","price":"2.50","gpus":1})");
const std::string kPing = R"({"method":"ping","req_id":1})";

// Reads up to the notice of the shutdown.
std::string ReadNotice(TestSocket& socket) {
  const auto frame = socket.Read();
  REQUIRE(frame.has_value());
  REQUIRE(frame->opcode == 1);
  return frame->payload;
}

struct Trader {
  explicit Trader(TestServer& server) : socket(TestSocket::Open(server.port())) {
    const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
    server.Logon(socket, server.OpenAccount(socket, key), key);
  }
  TestSocket socket;
};

}  // namespace

TEST_CASE("A drain tells everybody, finishes what is in flight, and closes with 1001") {
  TestServer server;
  Trader trader(server);
  TestSocket watcher = TestSocket::Open(server.port());
  watcher.Ask(kPing);
  server.exchange.Hold();
  trader.socket.SendText(kBid);
  while (server.exchange.submitted() < 2) std::this_thread::sleep_for(milliseconds(1));
  std::thread drainer([&] { server.server->Drain(milliseconds(10'000)); });
  for (TestSocket* socket : {&trader.socket, &watcher}) {
    const std::string notice = ReadNotice(*socket);
    CHECK(At(notice, "/channel") == "status");
    CHECK(At(notice, "/data/event") == "server_shutdown");
    CHECK(IntegerAt(notice, "/data/reconnect_by") > 1'700'000'000'000'000);
  }
  // Not ready, closed to newcomers, and no new commands; questions are still answered.
  TestSocket probe(server.admin_port());
  CHECK(probe.Http("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 503"));
  CHECK(At(trader.socket.Ask(kBid), "/error/code") == "shutting_down");
  CHECK(At(watcher.Ask(kPing), "/success") == "true");
  // The command in flight is answered, and then the connections end.
  server.exchange.LetThrough();
  CHECK(At(trader.socket.ReadReply(), "/error/code") == "insufficient_credits");
  for (TestSocket* socket : {&trader.socket, &watcher}) {
    const auto close = socket->Read();
    REQUIRE(close.has_value());
    CHECK(close->close_code() == 1'001);
    socket->SendRaw(TestSocket::FrameText(8, "\x03\xe9"));
    CHECK(socket->AtEnd());
  }
  drainer.join();
}

TEST_CASE("A drain ends at its deadline, and what is open then has an unknown outcome") {
  TestServer server;
  Trader trader(server);
  server.exchange.Hold();
  trader.socket.SendText(kBid);
  while (server.exchange.submitted() < 2) std::this_thread::sleep_for(milliseconds(1));
  const auto begin = steady_clock::now();
  std::thread drainer([&] { server.server->Drain(milliseconds(1'000)); });
  ReadNotice(trader.socket);
  const std::string reply = trader.socket.ReadReply();
  CHECK(At(reply, "/error/code") == "shutting_down");
  CHECK(At(reply, "/error/outcome") == "unknown");
  // The client does not answer the close: it is not waited for.
  drainer.join();
  const auto took = steady_clock::now() - begin;
  CHECK(took >= milliseconds(900));
  CHECK(took < milliseconds(2'000));
  server.server->Stop();
  const auto close = trader.socket.Read();
  REQUIRE(close.has_value());
  CHECK(close->close_code() == 1'001);
}

TEST_CASE("A server without clients drains at once, and may be stopped twice") {
  TestServer server;
  const auto begin = steady_clock::now();
  server.server->Drain(milliseconds(10'000));
  CHECK(steady_clock::now() - begin < milliseconds(1'000));
  server.server->Stop();
  server.server->Stop();
}

TEST_CASE("Stopping without a drain ends every connection") {
  TestServer server;
  TestSocket socket = TestSocket::Open(server.port());
  socket.Ask(kPing);
  server.server->Stop();
  CHECK(socket.AtEnd());
}

}  // namespace warpbook::gateway
