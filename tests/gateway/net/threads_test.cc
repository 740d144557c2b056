// Several I/O threads on one port: each client is served by one of them, and all tell the same.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

const std::string kPing = R"({"method":"ping","req_id":1})";
const std::string kBid = RequestText(
    "order.place", R"({"symbol":")" + std::string(kTestSymbol) +
                       R"(","side":"buy","order_type":"limit","price":"2.50","gpus":1})");

GatewayServer::Options ThreeThreads() {
  GatewayServer::Options options = TestOptions();
  options.io_threads = 3;
  return options;
}

}  // namespace

TEST_CASE("Clients on three threads trade, each with its own account, and see the same market") {
  TestServer server(ThreeThreads());
  constexpr size_t kClients = 24;
  std::vector<TestSocket> sockets;
  for (size_t i = 0; i < kClients; ++i) sockets.push_back(TestSocket::Open(server.port()));
  std::vector<std::thread> clients;
  std::vector<std::string> accounts(kClients), instruments(kClients);
  for (size_t i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
      const AccountId account = server.OpenAccount(sockets[i], key);
      server.Logon(sockets[i], account, key);
      for (int order = 0; order < 20; ++order) {
        CHECK(At(sockets[i].Ask(kBid), "/error/code") == "insufficient_credits");
      }
      accounts[i] = std::to_string(account.value());
      instruments[i] = At(sockets[i].Ask(RequestText("instruments")), "/result");
    });
  }
  for (std::thread& client : clients) client.join();
  std::ranges::sort(accounts);
  CHECK(std::ranges::adjacent_find(accounts) == accounts.end());
  for (const std::string& text : instruments) CHECK(text == instruments.front());
  CHECK(server.exchange.submitted() == kClients * 21);
}

TEST_CASE("Limits of an address hold over all threads") {
  GatewayServer::Options options = ThreeThreads();
  options.limits.client_connections.per_address_max = 6;
  options.limits.account_opens.per_address_burst = 4;
  TestServer server(options);
  std::vector<TestSocket> sockets;
  for (int i = 0; i < 6; ++i) sockets.push_back(TestSocket::Open(server.port()));
  for (int i = 0; i < 3; ++i) {
    CHECK(TestSocket(server.port()).Http(TestSocket::UpgradeRequest()).starts_with("HTTP/1.1 503"));
  }
  int opened = 0;
  for (TestSocket& socket : sockets) {
    const std::string answer =
        socket.Ask(SignedRequest(socket, AccountId(), Ed25519PrivateKey::Generate()));
    opened += At(answer, "/success") == "true" ? 1 : 0;
  }
  CHECK(opened == 4);
}

TEST_CASE("A port that is served by several threads is nobody else's") {
  TestServer server(ThreeThreads());
  GatewayServer::Options options = ThreeThreads();
  options.listen = "127.0.0.1:" + std::to_string(server.port());
  const auto second = GatewayServer::Create(options, TestCatalogue());
  REQUIRE_FALSE(second.ok());
  CHECK(std::string(second.status().message()).find(options.listen) != std::string::npos);
}

TEST_CASE("A drain and a lost engine reach the clients of every thread") {
  std::atomic<int> told = 0;
  GatewayServer::Options options = ThreeThreads();
  options.on_engine_lost = [&told] { ++told; };
  bool drains = false;
  SUBCASE("drain") { drains = true; }
  SUBCASE("lost engine") {}
  TestServer server(options);
  std::vector<TestSocket> sockets;
  for (int i = 0; i < 12; ++i) {
    sockets.push_back(TestSocket::Open(server.port()));
    sockets.back().Ask(kPing);
  }
  std::thread drainer;
  if (drains) {
    drainer = std::thread([&] { server.server->Drain(milliseconds(10'000)); });
  } else {
    server.exchange.Lose();
  }
  for (TestSocket& socket : sockets) {
    auto frame = socket.Read();
    if (drains) {
      REQUIRE(frame.has_value());
      CHECK(At(frame->payload, "/data/event") == "server_shutdown");
      frame = socket.Read();
    }
    REQUIRE(frame.has_value());
    CHECK(frame->close_code() == 1'001);
    socket.SendRaw(TestSocket::FrameText(8, "\x03\xe9"));
    CHECK(socket.AtEnd());
  }
  if (drains) drainer.join();
  server.server->Stop();
  CHECK(told == (drains ? 0 : 1));
}

}  // namespace warpbook::gateway
