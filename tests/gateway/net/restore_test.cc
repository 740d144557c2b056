// A server restored from a market snapshot answers its clients as one that replayed everything.
#include <doctest/doctest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "gateway/publish/market_follower.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {
namespace {

std::string Order(const char* side, const char* price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

// A market with orders, a lease and a halted window, whose two members' keys are known.
struct Market {
  TestGateway gateway;
  Ed25519PrivateKey buyer_key = Ed25519PrivateKey::Generate();
  Ed25519PrivateKey seller_key = Ed25519PrivateKey::Generate();
  AccountId buyer_id = gateway.OpenAccount(buyer_key);
  AccountId seller_id = gateway.OpenAccount(seller_key);
  size_t half = 0;  // how many batches there were before the trading went on

  Market() {
    TestPeer& buyer = gateway.Connect();
    TestPeer& seller = gateway.Connect();
    gateway.Logon(buyer, buyer_id, buyer_key);
    gateway.Logon(seller, seller_id, seller_key);
    gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
    const std::string node =
        R"(,"node":")" + gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate()) +
        "\"";
    const auto place = [&](TestPeer& peer, const std::string& order) {
      REQUIRE(gateway.ReasonOf(peer, "order.place", order) == 0);
    };
    place(seller, Order("sell", "2.50", 3, node));
    place(seller, Order("sell", "2.60", 2, node));
    place(buyer, Order("buy", "2.40", 4, R"(,"cl_ord_id":"low")"));
    place(buyer, Order("buy", "2.50", 1));
    half = gateway.exchange.History().size();
    place(buyer, Order("buy", "2.50", 1));
    place(buyer, Order("buy", "2.30", 5));
    place(seller, Order("sell", "2.40", 2, node));
    REQUIRE(gateway.ReasonOf(gateway.Operator(), "instrument.halt",
                             R"({"symbol":"H100-SXM.us-east.2026-12-01T15:00"})") == 0);
  }
};

// All that a client of the server sees.
std::string AllAnswers(Market& market, const GatewayServer& server) {
  std::string answers;
  for (const bool is_buyer : {true, false}) {
    TestSocket socket = TestSocket::Open(server.port());
    const std::string logon =
        socket.Ask(SignedRequest(socket, is_buyer ? market.buyer_id : market.seller_id,
                                 is_buyer ? market.buyer_key : market.seller_key));
    REQUIRE_MESSAGE(At(logon, "/success") == "true", logon);
    for (const char* method :
         {"instruments", "account.balances", "account.orders", "account.leases", "account.nodes"}) {
      const std::string answer = socket.Ask(RequestText(method));
      REQUIRE_MESSAGE(At(answer, "/success") == "true", answer);
      answers += At(answer, "/result") + " " + At(answer, "/seq") + "\n";
    }
    for (const std::string channel : {"book", "trades", "executions", "balances", "leases"}) {
      const bool is_public = channel == "book" || channel == "trades";
      socket.Ask(
          RequestText("subscribe",
                      R"({"channel":")" + channel + "\"" +
                          (is_public ? R"(,"symbol":")" + std::string(kTestSymbol) + "\"}" : "}")));
      const auto snapshot = socket.Read();
      REQUIRE(snapshot.has_value());
      answers += snapshot->payload + "\n";
    }
  }
  return answers;
}

using Bytes = std::vector<std::byte>;

Bytes SnapshotOf(const DirectExchange& exchange, size_t batches) {
  MarketFollower follower(exchange.catalogue());
  const auto history = exchange.History();
  for (size_t i = 0; i < batches; ++i) REQUIRE(follower.Apply(*history[i]).ok());
  Bytes bytes;
  follower.Write([&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

}  // namespace

TEST_CASE("A server restored from a snapshot answers as one that replayed, and goes on") {
  Market market;
  DirectExchange& exchange = market.gateway.exchange;
  const auto history = exchange.History();
  std::vector<std::string> answers;
  for (const size_t restored : {size_t{0}, market.half, history.size()}) {
    auto created = GatewayServer::Create(TestOptions(), exchange.catalogue());
    REQUIRE_MESSAGE(created.ok(), std::string(created.status().message()));
    GatewayServer& server = **created;
    if (restored > 0) {
      Bytes bytes = SnapshotOf(exchange, restored);
      // A damaged one changes nothing: the good one can still be taken.
      bytes.front() ^= std::byte{1};
      CHECK(absl::IsDataLoss(server.RestoreMarket(bytes)));
      bytes.front() ^= std::byte{1};
      const absl::Status status = server.RestoreMarket(bytes);
      REQUIRE_MESSAGE(status.ok(), std::string(status.message()));
    }
    for (size_t i = restored; i < history.size(); ++i) {
      REQUIRE(server.ApplyReplayed(*history[i]).ok());
    }
    REQUIRE(server.Start(exchange.CreatePorts(), exchange.clock()).ok());
    answers.push_back(AllAnswers(market, server));
    if (restored == history.size()) {
      // A level that was there before goes, and whoever listens is told.
      TestSocket listener = TestSocket::Open(server.port());
      listener.Ask(RequestText(
          "subscribe", R"({"channel":"book","symbol":")" + std::string(kTestSymbol) + "\"}"));
      const auto snapshot = listener.Read();
      REQUIRE(snapshot.has_value());
      TestSocket buyer = TestSocket::Open(server.port());
      buyer.Ask(SignedRequest(buyer, market.buyer_id, market.buyer_key));
      const std::string cancelled =
          buyer.Ask(RequestText("order.cancel", R"({"cl_ord_id":"low"})"));
      CHECK(At(cancelled, "/success") == "true");
      const auto update = listener.Read();
      REQUIRE(update.has_value());
      CHECK(At(update->payload, "/type") == "update");
      CHECK(At(update->payload, "/prev_seq") == At(snapshot->payload, "/seq"));
      CHECK(At(update->payload, "/data/bids/0/0") == "2.40");
      CHECK(At(update->payload, "/data/bids/0/1") == "0");
    }
    server.Stop();
  }
  CHECK(answers[0].find("\"cl_ord_id\":\"low\"") != std::string::npos);
  CHECK(answers[0].find("\"state\":\"halted\"") != std::string::npos);
  CHECK(answers[1] == answers[0]);
  CHECK(answers[2] == answers[0]);
}

}  // namespace warpbook::gateway
