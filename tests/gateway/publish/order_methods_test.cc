// order.batch, order.status and `validate`, through the real engine.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Bid(const std::string& price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) +
         R"(","side":"buy","order_type":"limit","price":")" + price + R"(","gpus":)" +
         std::to_string(gpus) + extra + "}";
}

std::string Item(const std::string& method, const std::string& params) {
  return R"({"method":")" + method + R"(","params":)" + params + "}";
}

std::string Code(RejectReason reason) { return std::string(RejectReasonCode(reason)); }

// A buyer with credits, and one who sells.
struct Traders {
  explicit Traders(const GatewayLimits& limits = {}) : gateway(limits) {
    gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  }
  std::string Batch(const std::string& items, const std::string& extra = "") {
    return gateway.Ask(buyer, "order.batch", R"({"requests":[)" + items + "]" + extra + "}");
  }
  std::string Status(TestPeer& peer, const std::string& params) {
    return gateway.Ask(peer, "order.status", params);
  }

  TestGateway gateway;
  AccountId buyer_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
};

}  // namespace

TEST_CASE("The items of a batch are done in order, each answered in its place") {
  Traders traders;
  const std::string reply = traders.Batch(
      Item("order.place", Bid("2.50", 4, R"(,"cl_ord_id":"a")")) + "," +
      Item("order.place", Bid("2.50", 0)) + "," + Item("order.place", Bid("2.51", 1)) + "," +
      Item("order.amend", R"({"cl_ord_id":"a","gpus":3})") + "," +
      Item("order.cancel", R"({"order_id":"7"})") + "," +
      Item("order.place", R"({"symbol":"nope","side":"buy","order_type":"limit","price":"1",)"
                          R"("gpus":1})") +
      "," + Item("order.cancel", R"({"cl_ord_id":"a"})") + ",7");
  CAPTURE(reply);
  CHECK(At(reply, "/method") == "order.batch");
  CHECK(IntegerAt(reply, "/req_id") == 1);
  CHECK(At(reply, "/success") == "true");
  CHECK(At(reply, "/result/items/0/result/order_id") == "1");
  CHECK(At(reply, "/result/items/0/result/cl_ord_id") == "a");
  CHECK(At(reply, "/result/items/0/success") == "true");
  CHECK(At(reply, "/result/items/1/success") == "false");
  CHECK(At(reply, "/result/items/1/error/code") == Code(RejectReason::kInvalidQuantity));
  CHECK(At(reply, "/result/items/1/error/outcome") == "rejected");
  CHECK(At(reply, "/result/items/2/error/code") == Code(RejectReason::kPriceOffTick));
  CHECK(IntegerAt(reply, "/result/items/3/result/gpus") == 3);
  CHECK(IntegerAt(reply, "/result/items/3/result/remaining") == 3);
  CHECK(At(reply, "/result/items/4/error/code") == Code(RejectReason::kUnknownOrder));
  CHECK(At(reply, "/result/items/5/error/code") == Code(RejectReason::kUnknownInstrument));
  CHECK_FALSE(Has(reply, "/result/items/5/seq"));
  CHECK(IntegerAt(reply, "/result/items/6/result/cancelled_gpus") == 3);
  CHECK(At(reply, "/result/items/7/error/code") == Code(RejectReason::kNotAnObject));
  CHECK_FALSE(Has(reply, "/result/items/8"));
  const int64_t first = IntegerAt(reply, "/result/items/0/seq");
  for (const int item : {1, 2, 3, 4}) {
    CHECK(IntegerAt(reply, "/result/items/" + std::to_string(item) + "/seq") == first + item);
  }
  CHECK(IntegerAt(reply, "/seq") == IntegerAt(reply, "/result/items/6/seq"));
}

TEST_CASE("A batch is answered when its last item is known, and once") {
  Traders traders;
  TestGateway& gateway = traders.gateway;
  gateway.exchange.Hold();
  gateway.Say(traders.buyer,
              RequestText("order.batch", R"({"requests":[)" + Item("order.place", Bid("2.50", 1)) +
                                             "," + Item("order.place", Bid("2.50", 2)) + "]}"));
  CHECK(traders.buyer.messages.empty());
  CHECK(gateway.publisher.replier().pending().size() == 2);
  SUBCASE("as they come") {
    gateway.exchange.LetThrough();
    gateway.Pump();
    REQUIRE(traders.buyer.messages.size() == 1);
    CHECK(At(traders.buyer.messages[0], "/result/items/1/success") == "true");
  }
  SUBCASE("with an outcome that nobody knows at a drain's deadline") {
    gateway.publisher.replier().AnswerAllUnknown();
    REQUIRE(traders.buyer.messages.size() == 1);
    const std::string& reply = traders.buyer.messages[0];
    CHECK(At(reply, "/result/items/0/error/outcome") == "unknown");
    CHECK(At(reply, "/result/items/1/error/code") == Code(RejectReason::kShuttingDown));
  }
  SUBCASE("to nobody where the connection is gone") {
    gateway.Disconnect(traders.buyer);
    gateway.exchange.LetThrough();
    gateway.Pump();
    CHECK(traders.buyer.messages.empty());
    CHECK(gateway.publisher.replier().pending().size() == 0);
  }
}

TEST_CASE("What the engine has no room for, or is too many in flight, is refused item by item") {
  GatewayLimits limits;
  limits.client.in_flight_max = 3;
  Traders traders(limits);
  const std::string bid = Item("order.place", Bid("2.50", 1));
  traders.gateway.exchange.SetRoom(1);
  std::string reply = traders.Batch(bid + "," + bid);
  CHECK(At(reply, "/result/items/0/success") == "true");
  CHECK(At(reply, "/result/items/1/error/code") == Code(RejectReason::kEngineBusy));
  CHECK(IntegerAt(reply, "/result/items/1/error/data/retry_after_us") > 0);
  reply = traders.Batch(bid);
  CHECK(At(reply, "/result/items/0/error/code") == Code(RejectReason::kEngineBusy));
  traders.gateway.exchange.SetRoom(100);
  reply = traders.Batch(bid + "," + bid + "," + bid + "," + bid);
  CHECK(At(reply, "/result/items/2/success") == "true");
  CHECK(At(reply, "/result/items/3/error/code") == Code(RejectReason::kTooManyInFlight));
}

TEST_CASE("A batch counts as many requests, and as many orders, as it has items") {
  GatewayLimits limits;
  limits.client.requests_per_second = 1;
  limits.client.requests_burst = 12;
  limits.shared.account_orders_per_second = 1;
  limits.shared.account_orders_burst = 5;
  Traders traders(limits);
  const std::string cancel = Item("order.cancel", R"({"order_id":"9"})");
  traders.gateway.monotonic.Advance(60 * kMicrosPerSecond);
  std::string reply = traders.Batch(cancel + "," + cancel + "," + cancel);
  REQUIRE(At(reply, "/success") == "true");
  CHECK(At(reply, "/limits/0/name") == "requests");
  CHECK(IntegerAt(reply, "/limits/0/used") == 3);
  CHECK(At(reply, "/limits/1/name") == "orders");
  CHECK(IntegerAt(reply, "/limits/1/used") == 3);
  CHECK(IntegerAt(reply, "/limits/1/limit") == 5);
  CHECK(IntegerAt(reply, "/limits/1/reset_us") == 3 * kMicrosPerSecond);
  reply = traders.Batch(cancel + "," + cancel + "," + cancel);
  CHECK(At(reply, "/error/code") == Code(RejectReason::kRateLimited));
  CHECK(IntegerAt(reply, "/error/data/retry_after_us") == kMicrosPerSecond);
}

TEST_CASE("An order that is open, filled or cancelled is found by its ids, by its account alone") {
  Traders traders;
  TestGateway& gateway = traders.gateway;
  AccountId seller_id;
  TestPeer& seller = gateway.Member(&seller_id);
  const std::string node = gateway.ApprovedNode(seller, seller_id, Ed25519PrivateKey::Generate());
  REQUIRE(gateway.ReasonOf(traders.buyer, "order.place", Bid("2.50", 4, R"(,"cl_ord_id":"job")")) ==
          0);
  std::string status = traders.Status(traders.buyer, R"({"cl_ord_id":"job"})");
  CHECK(At(status, "/result/status") == "open");
  CHECK(At(status, "/result/order_id") == "1");
  CHECK(At(status, "/result/price") == "2.50");
  CHECK(IntegerAt(status, "/result/remaining") == 4);
  CHECK(At(status, "/result/tier") == "standard");
  CHECK(At(status, "/result/symbol") == kTestSymbol);

  const std::string ask =
      R"({"symbol":")" + std::string(kTestSymbol) +
      R"(","side":"sell","order_type":"limit","price":"2.50","gpus":4,"node":")" + node + R"("})";
  REQUIRE(gateway.ReasonOf(seller, "order.place", ask) == 0);
  for (const char* const named : {R"({"cl_ord_id":"job"})", R"({"order_id":"1"})"}) {
    status = traders.Status(traders.buyer, named);
    CHECK(At(status, "/result/status") == "filled");
    CHECK(At(status, "/result/order_id") == "1");
    CHECK(At(status, "/result/cl_ord_id") == "job");
    CHECK(IntegerAt(status, "/result/filled") == 4);
    CHECK(IntegerAt(status, "/result/remaining") == 0);
    CHECK_FALSE(Has(status, "/result/reason"));
    CHECK(IntegerAt(status, "/result/time") == kTestWindowMicros + kMicrosPerMinute);
  }
  CHECK(At(traders.Status(seller, R"({"order_id":"2"})"), "/result/side") == "sell");

  REQUIRE(gateway.ReasonOf(traders.buyer, "order.place", Bid("2.00", 3)) == 0);
  REQUIRE(gateway.ReasonOf(traders.buyer, "order.cancel", R"({"order_id":"3"})") == 0);
  status = traders.Status(traders.buyer, R"({"order_id":"3"})");
  CHECK(At(status, "/result/status") == "cancelled");
  CHECK(At(status, "/result/reason") == "requested");
  CHECK(IntegerAt(status, "/result/remaining") == 3);

  // Somebody else's, and none: the same answer.
  const std::string others = traders.Status(seller, R"({"order_id":"1"})");
  const std::string none = traders.Status(seller, R"({"order_id":"99"})");
  CHECK(At(others, "/error") == At(none, "/error"));
  CHECK(At(none, "/error/code") == Code(RejectReason::kUnknownOrder));
  CHECK(At(traders.Status(seller, R"({"cl_ord_id":"job"})"), "/error/code") ==
        Code(RejectReason::kUnknownOrder));
}

TEST_CASE("The last 1,024 finished orders of an account are known, and what is older is not") {
  FinishedOrders finished;
  const auto add = [&](uint64_t id, uint64_t account) {
    std::vector<uint64_t> forgotten;
    FinishedOrder order;
    order.id = OrderId(id);
    order.account = AccountId(account);
    finished.Add(order,
                 [&](const FinishedOrder& oldest) { forgotten.push_back(oldest.id.value()); });
    return forgotten;
  };
  add(1'000'000, 8);
  for (uint64_t id = 1; id <= FinishedOrders::kKeptPerAccount; ++id) CHECK(add(id, 7).empty());
  CHECK(add(2'000, 7) == std::vector<uint64_t>{1});
  CHECK(finished.Find(OrderId(1)) == nullptr);
  CHECK(finished.Find(OrderId(2)) != nullptr);
  CHECK(finished.Find(OrderId(1'000'000)) != nullptr);
  CHECK_FALSE(finished.HasRoomFor(AccountId(7)));
  CHECK(finished.HasRoomFor(AccountId(8)));
  // All together: the oldest of all goes.
  for (uint64_t id = 2'000'000; finished.size() < FinishedOrders::kKept; ++id) {
    add(id, id / 1'000);
  }
  CHECK(add(9'000'000, 9) == std::vector<uint64_t>{1'000'000});
  CHECK(add(9'000'001, 9) == std::vector<uint64_t>{2});
  CHECK(finished.size() == FinishedOrders::kKept);
}

TEST_CASE("Finished orders are told oldest first, whatever was forgotten between them") {
  FinishedOrders finished;
  std::deque<FinishedOrder> kept;
  std::mt19937_64 random(1);
  for (uint64_t id = 1; id <= 6'000; ++id) {
    FinishedOrder order;
    order.id = OrderId(id);
    // Two accounts are full by the end, and the third is not.
    order.account = AccountId(1 + std::min<uint64_t>(random() % 5, 2));
    if (order.account == AccountId(3) && random() % 8 != 0) continue;
    const auto of_account = [&](const FinishedOrder& other) {
      return other.account == order.account;
    };
    if (std::ranges::count_if(kept, of_account) == FinishedOrders::kKeptPerAccount) {
      kept.erase(std::ranges::find_if(kept, of_account));
    }
    kept.push_back(order);
    finished.Add(order, [](const FinishedOrder&) {});
  }
  std::vector<OrderId> told, expected;
  finished.ForEach([&](const FinishedOrder& order) { told.push_back(order.id); });
  for (const FinishedOrder& order : kept) expected.push_back(order.id);
  CHECK(told == expected);
  CHECK(finished.size() == kept.size());
  CHECK_FALSE(finished.HasRoomFor(AccountId(1)));
  CHECK(finished.HasRoomFor(AccountId(3)));
}

TEST_CASE("A command that is only to be checked is answered and not journaled") {
  Traders traders;
  TestGateway& gateway = traders.gateway;
  REQUIRE(gateway.ReasonOf(traders.buyer, "order.place", Bid("2.50", 4, R"(,"cl_ord_id":"job")")) ==
          0);
  struct Row {
    const char* method;
    std::string params;  // without `validate`
    RejectReason reason;
  };
  const std::string key(64, 'a');
  const Row rows[] = {
      {"order.cancel", R"("cl_ord_id":"job")", RejectReason::kNone},
      {"order.cancel", R"("order_id":"1")", RejectReason::kNone},
      {"order.cancel", R"("order_id":"2")", RejectReason::kUnknownOrder},
      {"order.cancel", R"("order_id":"1","deadline":1)", RejectReason::kDeadlinePassed},
      {"order.cancel_all", R"("side":"buy")", RejectReason::kNone},
      {"order.cancel_all", R"("hardware_class":"x")", RejectReason::kUnknownValue},
      {"credits.buy", R"("burn":"1")", RejectReason::kInsufficientTokens},
      {"credits.buy", R"("burn":"0")", RejectReason::kInvalidAmount},
      {"lease.start", R"("lease":"1")", RejectReason::kUnknownLease},
      {"lease.complete", R"("lease":"1")", RejectReason::kUnknownLease},
      {"key.add", R"("public_key":")" + key + R"(","scopes":["read"])", RejectReason::kNone},
      {"key.add", R"("public_key":")" + key + R"(","scopes":[])", RejectReason::kInvalidScopes},
      {"cancel_after", R"("timeout_ms":1000)", RejectReason::kNone},
      {"cancel_on_disconnect", R"("scope":"account")", RejectReason::kNone},
  };
  const size_t submitted = gateway.exchange.submitted();
  for (const Row& row : rows) {
    CAPTURE(std::string(row.method) + " " + row.params);
    const std::string reply =
        gateway.Ask(traders.buyer, row.method, "{" + row.params + R"(,"validate":true})");
    CAPTURE(reply);
    if (row.reason == RejectReason::kNone) {
      CHECK(At(reply, "/result/validated") == "true");
    } else {
      CHECK(At(reply, "/error/code") == Code(row.reason));
    }
  }
  const Row operators[] = {
      {"limit.set", R"("account":"1","limit_usd":"5")", RejectReason::kNotPermitted},
      {"limit.set", R"("account":"99","limit_usd":"5")", RejectReason::kUnknownAccount},
      {"token.deposit", R"("account":"3","amount":"5","reference":"r")", RejectReason::kNone},
      {"token.deposit", R"("account":"3","amount":"0","reference":"r")",
       RejectReason::kInvalidAmount},
      {"capacity.set", R"("node":"1","gpus":1,"assurance":"listed")", RejectReason::kUnknownNode},
      {"instrument.halt", R"("symbol":")" + std::string(kTestSymbol) + "\"", RejectReason::kNone},
      {"instrument.resume", R"("symbol":")" + std::string(kTestSymbol) + "\"",
       RejectReason::kInvalidInstrumentState},
      {"drain", R"("timeout_ms":1)", RejectReason::kNone},
  };
  TestPeer& desk = gateway.Operator();
  for (const Row& row : operators) {
    CAPTURE(std::string(row.method) + " " + row.params);
    const std::string reply =
        gateway.Ask(desk, row.method, "{" + row.params + R"(,"validate":true})");
    CAPTURE(reply);
    if (row.reason == RejectReason::kNone) {
      CHECK(At(reply, "/result/validated") == "true");
    } else {
      CHECK(At(reply, "/error/code") == Code(row.reason));
    }
  }
  CHECK(gateway.exchange.submitted() == submitted);
  CHECK(gateway.drain_asked == -1);
  CHECK(gateway.publisher.state().guards().sessions().empty());
}

TEST_CASE("An amend that is only to be checked is checked by the engine, alone and in a batch") {
  Traders traders;
  TestGateway& gateway = traders.gateway;
  REQUIRE(gateway.ReasonOf(traders.buyer, "order.place", Bid("2.50", 4)) == 0);
  const std::string good = R"({"order_id":"1","price":"2.52"})";
  std::string reply = gateway.Ask(traders.buyer, "order.amend",
                                  R"({"order_id":"1","price":"2.52","validate":true})");
  CHECK(At(reply, "/result/validated") == "true");
  CHECK(At(reply, "/result/order_id") == "1");
  CHECK(gateway.ReasonOf(traders.buyer, "order.amend",
                         R"({"order_id":"1","price":"2.51","validate":true})") ==
        static_cast<int>(RejectReason::kPriceOffTick));
  reply = traders.Batch(Item("order.amend", good) + "," + Item("order.place", Bid("2.50", 1)) +
                            "," + Item("order.cancel", R"({"order_id":"1"})") + "," +
                            Item("order.cancel", R"({"order_id":"5"})"),
                        R"(,"validate":true)");
  CAPTURE(reply);
  for (const char* const item : {"0", "1", "2"}) {
    CHECK(At(reply, "/result/items/" + std::string(item) + "/result/validated") == "true");
  }
  CHECK(At(reply, "/result/items/3/error/code") == Code(RejectReason::kUnknownOrder));
  reply = gateway.Ask(traders.buyer, "account.orders", "{}");
  CHECK(At(reply, "/result/orders/0/price") == "2.50");
  CHECK_FALSE(Has(reply, "/result/orders/1"));
}

TEST_CASE("A drain is asked for by an operator alone, and its reply comes first") {
  TestGateway gateway;
  TestPeer& member = gateway.Member();
  CHECK(gateway.ReasonOf(member, "drain") == static_cast<int>(RejectReason::kScopeMissing));
  CHECK(gateway.drain_asked == -1);
  CHECK(gateway.ReasonOf(gateway.Operator(), "drain", R"({"timeout_ms":2500})") == 0);
  CHECK(gateway.drain_asked == 2'500'000);
}

TEST_CASE("Every reply states the connection's limits, and the account's once it is logged on") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  std::string reply = gateway.Ask(peer, "ping", "{}");
  CHECK(At(reply, "/limits/0/name") == "requests");
  CHECK(IntegerAt(reply, "/limits/0/used") == 1);
  CHECK(IntegerAt(reply, "/limits/0/limit") == gateway.limits.client.requests_burst);
  CHECK(IntegerAt(reply, "/limits/0/reset_us") == 1'000);
  CHECK_FALSE(Has(reply, "/limits/1"));
  reply = gateway.Ask(peer, R"({"method":"nope"})");
  CHECK(IntegerAt(reply, "/limits/0/used") == 2);
  TestPeer& member = gateway.Member();
  reply = gateway.Ask(member, "order.cancel", R"({"order_id":"1"})");
  CHECK(At(reply, "/error/code") == Code(RejectReason::kUnknownOrder));
  CHECK(At(reply, "/limits/1/name") == "orders");
  CHECK(IntegerAt(reply, "/limits/1/used") == 1);
}

TEST_CASE("All sessions of an account, and all connections of an address, share their limits") {
  GatewayLimits limits;
  limits.shared.account_orders_per_second = 1;
  limits.shared.account_orders_burst = 2;
  TestGateway gateway(limits);
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& first = gateway.Connect();
  TestPeer& second = gateway.Connect();
  gateway.Logon(first, account, key);
  gateway.Logon(second, account, key);
  const int unknown = static_cast<int>(RejectReason::kUnknownOrder);
  CHECK(gateway.ReasonOf(first, "order.cancel", R"({"order_id":"1"})") == unknown);
  CHECK(gateway.ReasonOf(second, "order.cancel", R"({"order_id":"1"})") == unknown);
  const size_t submitted = gateway.exchange.submitted();
  CHECK(gateway.ReasonOf(first, "order.cancel", R"({"order_id":"1"})") ==
        static_cast<int>(RejectReason::kRateLimited));
  CHECK(gateway.exchange.submitted() == submitted);
  CHECK(gateway.ReasonOf(first, "account.orders") == 0);
  // Another account has its own.
  CHECK(gateway.ReasonOf(gateway.Member(), "order.cancel", R"({"order_id":"1"})") == unknown);

  GatewayLimits few;
  few.shared.address_requests_per_second = 1;
  few.shared.address_requests_burst = 2;
  TestGateway crowded(few);
  CHECK(crowded.ReasonOf(crowded.Connect(), "ping") == 0);
  CHECK(crowded.ReasonOf(crowded.Connect(), "ping") == 0);
  const std::string reply = crowded.Ask(crowded.Connect(), "ping", "{}");
  CHECK(At(reply, "/error/code") == Code(RejectReason::kRateLimited));
  CHECK(IntegerAt(reply, "/error/data/retry_after_us") == kMicrosPerSecond);
  CHECK(crowded.ReasonOf(crowded.Connect(/*on_admin=*/true), "ping") == 0);
}

}  // namespace warpbook::gateway
