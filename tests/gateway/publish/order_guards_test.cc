// cancel_on_disconnect and cancel_after: who is not heard of any more has its orders cancelled.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Bid(int gpus) {
  return R"({"symbol":")" + std::string(kTestSymbol) +
         R"(","side":"buy","order_type":"limit","price":"2.50","gpus":)" + std::to_string(gpus) +
         "}";
}

// Two sessions of one account.
struct Sessions {
  Sessions() {
    gateway.Logon(first, account, key);
    gateway.Logon(second, account, key);
    gateway.Fund(first, account, 1'000 * kCreditsPerUsd);
  }
  void Place(TestPeer& peer, int gpus) {
    REQUIRE(gateway.ReasonOf(peer, "order.place", Bid(gpus)) == 0);
  }
  void Guard(TestPeer& peer, const std::string& scope) {
    const std::string reply =
        gateway.Ask(peer, "cancel_on_disconnect", R"({"scope":")" + scope + R"("})");
    REQUIRE(At(reply, "/result/scope") == scope);
  }
  // GPUs of the account's open orders, by id.
  std::vector<int> Open(const MarketState& state) const {
    std::vector<int> gpus;
    for (const OrderId id : state.FindAccount(account)->orders) {
      gpus.push_back(state.FindOrder(id)->gpus.value());
    }
    return gpus;
  }
  std::vector<int> Open() const { return Open(gateway.publisher.state()); }
  const OrderGuards& guards() const { return gateway.publisher.state().guards(); }
  std::string ReasonOf(uint64_t order) const {
    const FinishedOrder* finished =
        gateway.publisher.state().finished_orders().Find(OrderId(order));
    REQUIRE(finished != nullptr);
    return std::string(Name(finished->reason));
  }

  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& first = gateway.Connect();
  TestPeer& second = gateway.Connect();
};

using Gpus = std::vector<int>;

}  // namespace

TEST_CASE("A session that asked for it takes its own orders with it, and no others") {
  Sessions sessions;
  sessions.Guard(sessions.first, "session");
  sessions.Place(sessions.first, 1);
  sessions.Place(sessions.second, 2);
  sessions.Place(sessions.first, 3);
  CHECK(sessions.guards().sessions().size() == 1);
  SUBCASE("with its connection") { sessions.gateway.Disconnect(sessions.first); }
  SUBCASE("by logging out") {
    REQUIRE(sessions.gateway.ReasonOf(sessions.first, "session.logout") == 0);
  }
  CHECK(sessions.Open() == Gpus{2});
  CHECK(sessions.ReasonOf(1) == "disconnected");
  CHECK(sessions.guards().sessions().empty());
  CHECK(sessions.gateway.handler.idle());
  // Who did not ask leaves its orders.
  sessions.gateway.Disconnect(sessions.second);
  CHECK(sessions.Open() == Gpus{2});
}

TEST_CASE("A session may ask for all orders of its account, and take it back") {
  Sessions sessions;
  sessions.Guard(sessions.first, "account");
  sessions.Place(sessions.first, 1);
  sessions.Place(sessions.second, 2);
  SUBCASE("all") {
    sessions.gateway.Disconnect(sessions.first);
    CHECK(sessions.Open().empty());
    CHECK(sessions.ReasonOf(2) == "disconnected");
  }
  SUBCASE("narrowed") {
    sessions.Guard(sessions.first, "session");
    sessions.gateway.Disconnect(sessions.first);
    CHECK(sessions.Open() == Gpus{2});
  }
  SUBCASE("off") {
    sessions.Guard(sessions.first, "off");
    sessions.gateway.Disconnect(sessions.first);
    CHECK(sessions.Open() == Gpus{1, 2});
  }
  CHECK(sessions.guards().sessions().empty());
}

TEST_CASE("What is under way when the connection ends is not left behind") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  gateway.exchange.Hold();
  SUBCASE("the guard itself too") {
    gateway.Say(sessions.first, RequestText("cancel_on_disconnect", R"({"scope":"session"})"));
  }
  SUBCASE("with a guard that was there") {
    gateway.exchange.LetThrough();
    sessions.Guard(sessions.first, "session");
    gateway.exchange.Hold();
  }
  gateway.Say(sessions.first, RequestText("order.place", Bid(1)));
  gateway.Say(sessions.first,
              RequestText("order.batch",
                          R"({"requests":[{"method":"order.place","params":)" + Bid(2) + "}]}"));
  gateway.Say(sessions.second, RequestText("order.place", Bid(3)));
  gateway.Disconnect(sessions.first);
  CHECK_FALSE(gateway.handler.idle());
  gateway.exchange.LetThrough();
  gateway.Pump();
  CHECK(sessions.Open() == Gpus{3});
  CHECK(gateway.handler.idle());
}

TEST_CASE("A port without room is waited for, order by order") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  sessions.Guard(sessions.first, "session");
  for (const int gpus : {1, 2, 3}) sessions.Place(sessions.first, gpus);
  gateway.exchange.SetRoom(2);
  gateway.Disconnect(sessions.first);
  CHECK(sessions.Open() == Gpus{3});
  CHECK_FALSE(gateway.handler.idle());
  gateway.exchange.SetRoom(1);
  gateway.Pump();
  CHECK(sessions.Open().empty());
  CHECK(sessions.guards().sessions().size() == 1);
  gateway.exchange.SetRoom(1);
  gateway.Pump();
  CHECK(sessions.guards().sessions().empty());
  CHECK(gateway.handler.idle());
}

TEST_CASE("More orders than are withdrawn in one turn all go") {
  Sessions sessions;
  sessions.Guard(sessions.first, "session");
  for (int i = 0; i < OrderGuardian::kCommandsPerTurn + 10; ++i) sessions.Place(sessions.first, 1);
  sessions.gateway.Disconnect(sessions.first);
  CHECK(sessions.Open().empty());
  CHECK(sessions.gateway.handler.idle());
}

TEST_CASE("The dead man's timer cancels all of the account unless it is set again in time") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  sessions.Place(sessions.first, 1);
  sessions.Place(sessions.second, 2);
  const int64_t start = gateway.real.NowMicros();
  const auto set = [&](int milliseconds) {
    return IntegerAt(gateway.Ask(sessions.first, "cancel_after",
                                 R"({"timeout_ms":)" + std::to_string(milliseconds) + "}"),
                     "/result/trigger_time");
  };
  CHECK(set(5'000) == start + 5'000'000);
  gateway.real.Advance(4'000'000);
  CHECK(set(5'000) == start + 9'000'000);
  gateway.real.Advance(4'000'000);
  gateway.Pump();
  CHECK(sessions.Open() == Gpus{1, 2});
  SUBCASE("it runs out") {
    // Whether anybody is connected or not.
    gateway.Disconnect(sessions.first);
    gateway.real.Advance(1'000'000);
    gateway.Pump();
    CHECK(sessions.Open().empty());
    CHECK(sessions.ReasonOf(1) == "timer");
    CHECK(sessions.guards().timers().empty());
    CHECK(gateway.handler.idle());
    sessions.Place(sessions.second, 3);
    gateway.real.Advance(60'000'000);
    gateway.Pump();
    CHECK(sessions.Open() == Gpus{3});
  }
  SUBCASE("it is taken off") {
    CHECK(set(0) == 0);
    gateway.real.Advance(60'000'000);
    gateway.Pump();
    CHECK(sessions.Open() == Gpus{1, 2});
  }
  SUBCASE("a new one is not taken off with the one that ran out") {
    gateway.exchange.Hold();
    gateway.real.Advance(1'000'000);
    gateway.Pump();  // the cancel and its end are under way
    gateway.Say(sessions.first, RequestText("cancel_after", R"({"timeout_ms":5000})"));
    gateway.exchange.LetThrough();
    gateway.Pump();
    CHECK(sessions.Open().empty());
    CHECK(sessions.guards().TimerOf(sessions.account) == Timestamp(start + 14'000'000));
  }
}

TEST_CASE("A start after a crash cancels for all who had asked; timers go on") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  sessions.Guard(sessions.first, "session");
  sessions.Place(sessions.first, 1);
  sessions.Place(sessions.second, 2);
  REQUIRE(gateway.ReasonOf(sessions.second, "cancel_after", R"({"timeout_ms":5000})") == 0);

  RestartedGateway restarted(gateway);
  restarted.Pump();
  CHECK(sessions.Open(restarted.publisher.state()) == Gpus{2});
  CHECK(restarted.publisher.state().guards().sessions().empty());
  CHECK(restarted.publisher.state().guards().timers().size() == 1);
  CHECK(restarted.handler.idle());
  gateway.real.Advance(5'000'000);
  restarted.Pump();
  CHECK(sessions.Open(restarted.publisher.state()).empty());
  CHECK(restarted.handler.idle());
}

TEST_CASE("Of several threads only the first does what is nobody's connection") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  sessions.Guard(sessions.first, "session");
  sessions.Place(sessions.first, 1);
  REQUIRE(gateway.ReasonOf(sessions.first, "cancel_after", R"({"timeout_ms":1})") == 0);
  gateway.real.Advance(1'000'000);
  const size_t submitted = gateway.exchange.submitted();
  RequestHandler handler(
      kTestServerName, gateway.limits, gateway.admission, gateway.publisher, *gateway.port,
      gateway.probes,
      {.real = gateway.real, .monotonic = gateway.monotonic, .market = gateway.exchange.clock()},
      {.is_first = false});
  handler.GoOn();
  CHECK(handler.idle());
  CHECK(gateway.exchange.submitted() == submitted);
}

TEST_CASE("A drain takes the guards of sessions off, and cancels nothing; a timer stays") {
  Sessions sessions;
  TestGateway& gateway = sessions.gateway;
  sessions.Guard(sessions.first, "session");
  sessions.Guard(sessions.second, "account");
  sessions.Place(sessions.first, 1);
  REQUIRE(gateway.ReasonOf(sessions.second, "cancel_after", R"({"timeout_ms":5000})") == 0);
  gateway.handler.BeginDrain();
  CHECK_FALSE(gateway.handler.idle());
  gateway.Disconnect(sessions.first);
  gateway.Disconnect(sessions.second);
  CHECK(gateway.handler.idle());
  CHECK(sessions.Open() == Gpus{1});
  CHECK(sessions.guards().sessions().empty());
  CHECK(sessions.guards().timers().size() == 1);
}

TEST_CASE("Guards of sessions are bounded") {
  GatewayLimits limits;
  limits.session_guards_max = 1;
  TestGateway gateway(limits);
  CHECK(gateway.ReasonOf(gateway.Member(), "cancel_on_disconnect", R"({"scope":"session"})") == 0);
  TestPeer& late = gateway.Member();
  CHECK(gateway.ReasonOf(late, "cancel_on_disconnect", R"({"scope":"session"})") ==
        static_cast<int>(RejectReason::kEngineBusy));
  CHECK(gateway.ReasonOf(late, "cancel_on_disconnect", R"({"scope":"off"})") == 0);
  CHECK(gateway.ReasonOf(gateway.Operator(), "cancel_on_disconnect", R"({"scope":"session"})") ==
        static_cast<int>(RejectReason::kScopeMissing));
}

}  // namespace warpbook::gateway
