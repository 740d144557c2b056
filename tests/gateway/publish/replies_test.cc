// Every method's answer, through the real engine.
#include <doctest/doctest.h>

#include <string>

#include "schema/types/decimal.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Bid(const std::string& price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) +
         R"(","side":"buy","order_type":"limit","price":")" + price + R"(","gpus":)" +
         std::to_string(gpus) + extra + "}";
}

std::string Ask(const std::string& price, int gpus, const std::string& node,
                const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) +
         R"(","side":"sell","order_type":"limit","price":")" + price + R"(","gpus":)" +
         std::to_string(gpus) + R"(,"node":")" + node + "\"" + extra + "}";
}

}  // namespace

TEST_CASE("Anyone may ask the time, the session and the instruments") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  const std::string pong = gateway.Ask(peer, "ping", "{}");
  CHECK(At(pong, "/method") == "ping");
  CHECK(IntegerAt(pong, "/req_id") == 1);
  CHECK(IntegerAt(pong, "/result/time") == gateway.real.NowMicros());
  CHECK(IntegerAt(pong, "/time_in") == gateway.real.NowMicros());
  const std::string status = gateway.Ask(peer, "session.status", "{}");
  CHECK(At(status, "/result/logged_on") == "false");
  CHECK(At(status, "/result/server_name") == kTestServerName);
  CHECK(IntegerAt(status, "/result/market_time") == kTestWindowMicros + kMicrosPerMinute);
  const std::string list = gateway.Ask(peer, "instruments", "{}");
  CHECK(At(list, "/result/instruments/0/symbol") == kTestSymbol);
  CHECK(At(list, "/result/instruments/0/state") == "open");
  CHECK(At(list, "/result/instruments/0/hardware_class") == "H100-SXM");
  CHECK(At(list, "/result/instruments/0/region") == "us-east");
  CHECK(IntegerAt(list, "/result/instruments/0/window_start") == kTestWindowMicros);
  CHECK(IntegerAt(list, "/result/instruments/0/window_minutes") == 60);
  CHECK(IntegerAt(list, "/result/instruments/0/gate") == kTestWindowMicros + 57 * kMicrosPerMinute);
  CHECK(At(list, "/result/instruments/0/tick") == "0.02");
  CHECK(At(list, "/result/instruments/0/band_high") == "8.00");
  CHECK(Has(list, "/result/instruments/1"));
  CHECK_FALSE(Has(list, "/result/instruments/2"));
  CHECK(At(gateway.Ask(peer, "instruments", R"({"region":"eu-west"})"), "/result/instruments") ==
        "[]");
  // A request without req_id and params.
  CHECK_FALSE(Has(gateway.Ask(peer, R"({"method":"ping"})"), "/req_id"));
}

TEST_CASE("A member opens an account, logs on, logs out, and adds a key") {
  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& peer = gateway.Connect();
  const std::string logon = gateway.Ask(peer, gateway.LogonText(peer, account, key));
  CHECK(At(logon, "/result/account") == std::to_string(account.value()));
  CHECK(At(logon, "/result/scopes") == R"(["read","trade","provide"])");
  CHECK(At(logon, "/result/kind") == "member");
  CHECK(Has(logon, "/result/owner"));
  CHECK(At(gateway.Ask(peer, "session.status", "{}"), "/result/logged_on") == "true");

  const Ed25519PrivateKey reader = Ed25519PrivateKey::Generate();
  CHECK(gateway.ReasonOf(
            peer, "key.add",
            R"({"public_key":")" + HexOf(reader.public_key()) + R"(","scopes":["read"]})") == 0);
  TestPeer& second = gateway.Connect();
  const std::string reader_logon = gateway.Ask(second, gateway.LogonText(second, account, reader));
  CHECK(At(reader_logon, "/result/scopes") == R"(["read"])");

  CHECK(gateway.ReasonOf(peer, "session.logout") == 0);
  CHECK(gateway.ReasonOf(peer, "account.balances") == static_cast<int>(RejectReason::kNotLoggedOn));
}

TEST_CASE("TOK comes in and is burned for credits, each reply with settlement's decision") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Settlement();
  TestPeer& operations = gateway.Operator();
  gateway.Say(operations,
              RequestText("token.deposit", R"({"account":")" + std::to_string(account.value()) +
                                               R"(","amount":"12.5","reference":"r1"})"));
  CHECK(operations.messages.empty());  // not decided yet
  const uint64_t deposit = gateway.publisher.last_sequence();
  const std::string decided = gateway.Ask(
      gateway.Settlement(), "settlement.submit",
      R"({"number":1,"decision":"post_deposit","request":")" + std::to_string(deposit) + R"("})");
  CHECK(IntegerAt(decided, "/result/number") == 1);
  REQUIRE(operations.messages.size() == 1);
  CHECK(At(operations.messages[0], "/result/account") == std::to_string(account.value()));
  CHECK(At(operations.messages[0], "/result/amount") == "12.5");
  CHECK(IntegerAt(operations.messages[0], "/seq") == static_cast<int64_t>(deposit));

  gateway.Say(member, RequestText("credits.buy", R"({"burn":"2.5"})"));
  const uint64_t top_up = gateway.publisher.last_sequence();
  CHECK(gateway.ReasonOf(
            gateway.Settlement(), "settlement.submit",
            R"({"number":2,"decision":"post_top_up","credits":"1200000000","request":")" +
                std::to_string(top_up) + R"("})") == 0);
  REQUIRE(member.messages.size() == 1);
  CHECK(At(member.messages[0], "/result/burned") == "2.5");
  CHECK(At(member.messages[0], "/result/credits") == "1200000000");
  CHECK(At(member.messages[0], "/result/credits_usd") == "20.00");
  member.messages.clear();

  const std::string balances = gateway.Ask(member, "account.balances", "{}");
  CHECK(At(balances, "/result/free") == "1200000000");
  CHECK(At(balances, "/result/free_usd") == "20.00");
  CHECK(At(balances, "/result/locked") == "0");
  CHECK(At(balances, "/result/escrow") == "0");
  CHECK(At(balances, "/result/tok") == "10");

  // Settlement says no: the refusal is the reply.
  gateway.Say(member, RequestText("credits.buy", R"({"burn":"100"})"));
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":3,"decision":"refuse_request","reason":3102,"request":")" +
                             std::to_string(gateway.publisher.last_sequence()) + R"("})") == 0);
  REQUIRE(member.messages.size() == 1);
  CHECK(At(member.messages[0], "/error/code") == "insufficient_tokens");
  CHECK(At(member.messages[0], "/error/outcome") == "rejected");
}

TEST_CASE("TOK goes out again, as settlement decides") {
  TestGateway gateway;
  AccountId account;
  gateway.Member(&account);
  TestPeer& operations = gateway.Operator();
  gateway.Settlement();
  const auto withdraw = [&] {
    gateway.Say(operations,
                RequestText("token.withdraw", R"({"account":")" + std::to_string(account.value()) +
                                                  R"(","amount":"2.5","reference":"w1"})"));
    CHECK(operations.messages.empty());  // not decided yet
    return std::to_string(gateway.publisher.last_sequence());
  };
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":1,"decision":"refuse_request","reason":3102,"request":")" +
                             withdraw() + R"("})") == 0);
  REQUIRE(operations.messages.size() == 1);
  CHECK(At(operations.messages[0], "/error/code") == "insufficient_tokens");
  operations.messages.clear();
  const std::string decided =
      gateway.Ask(gateway.Settlement(), "settlement.submit",
                  R"({"number":2,"decision":"post_withdrawal","request":")" + withdraw() + R"("})");
  CHECK(IntegerAt(decided, "/result/number") == 2);
  REQUIRE(operations.messages.size() == 1);
  CHECK(At(operations.messages[0], "/result/account") == std::to_string(account.value()));
  CHECK(At(operations.messages[0], "/result/amount") == "2.5");
}

TEST_CASE("An operator's word on an owner is told with the balances") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  const auto is_verified = [&] {
    return At(gateway.Ask(member, "account.balances", "{}"), "/result/owner_verified");
  };
  CHECK(is_verified() == "false");
  CHECK(gateway.ReasonOf(gateway.Operator(), "owner.verify", R"({"owner":"1"})") == 0);
  CHECK(is_verified() == "true");
  CHECK(gateway.ReasonOf(gateway.Operator(), "owner.verify", R"({"owner":"1","verified":false})") ==
        0);
  CHECK(is_verified() == "false");
  const std::string unknown = gateway.Ask(gateway.Operator(), "owner.verify", R"({"owner":"2"})");
  CHECK(At(unknown, "/error/code") == "unknown_owner");
  CHECK(At(unknown, "/error/data/param") == "owner");
}

TEST_CASE("Orders are placed, repeated, checked, amended and cancelled") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Fund(member, account, 100 * kCreditsPerUsd);

  const std::string placed =
      gateway.Ask(member, "order.place", Bid("2.50", 8, R"(,"cl_ord_id":"job-42")"));
  const std::string order_id = At(placed, "/result/order_id");
  REQUIRE_FALSE(order_id.empty());
  CHECK(At(placed, "/result/cl_ord_id") == "job-42");
  CHECK(static_cast<uint64_t>(IntegerAt(placed, "/seq")) == gateway.publisher.last_sequence());
  const std::string repeated =
      gateway.Ask(member, "order.place", Bid("2.50", 8, R"(,"cl_ord_id":"job-42")"));
  CHECK(At(repeated, "/result/order_id") == order_id);
  CHECK(At(repeated, "/result/duplicate") == "true");
  const std::string checked =
      gateway.Ask(member, "order.place", Bid("2.50", 8, R"(,"validate":true)"));
  CHECK(At(checked, "/result/validated") == "true");
  CHECK_FALSE(Has(checked, "/result/order_id"));

  const std::string orders = gateway.Ask(member, "account.orders", "{}");
  CHECK(At(orders, "/result/orders/0/order_id") == order_id);
  CHECK(At(orders, "/result/orders/0/cl_ord_id") == "job-42");
  CHECK(At(orders, "/result/orders/0/symbol") == kTestSymbol);
  CHECK(At(orders, "/result/orders/0/price") == "2.50");
  CHECK(At(orders, "/result/orders/0/tier") == "standard");
  CHECK(IntegerAt(orders, "/result/orders/0/remaining") == 8);
  CHECK_FALSE(Has(orders, "/result/orders/1"));

  const std::string amended =
      gateway.Ask(member, "order.amend", R"({"cl_ord_id":"job-42","gpus":6})");
  CHECK(At(amended, "/result/order_id") == order_id);
  CHECK(At(amended, "/result/price") == "2.50");
  CHECK(IntegerAt(amended, "/result/gpus") == 6);
  CHECK(IntegerAt(amended, "/result/remaining") == 6);
  CHECK(At(amended, "/result/kept_priority") == "true");
  const std::string cancelled =
      gateway.Ask(member, "order.cancel", R"({"order_id":")" + order_id + R"("})");
  CHECK(At(cancelled, "/result/order_id") == order_id);
  CHECK(IntegerAt(cancelled, "/result/cancelled_gpus") == 6);
  CHECK(At(gateway.Ask(member, "account.orders", "{}"), "/result/orders") == "[]");
  CHECK(At(gateway.Ask(member, "account.balances", "{}"), "/result/free_usd") == "100.00");
}

TEST_CASE("Orders are cancelled together, all or those that are named, and counted") {
  TestGateway gateway;
  AccountId account, other_id;
  TestPeer& member = gateway.Member(&account);
  gateway.Fund(member, account, 100 * kCreditsPerUsd);
  TestPeer& other = gateway.Member(&other_id);
  gateway.Fund(other, other_id, 100 * kCreditsPerUsd);
  const std::string next = "H100-SXM.us-east.2026-12-01T15:00";
  CHECK(gateway.ReasonOf(other, "order.place", Bid("2.00", 1)) == 0);
  for (const char* price : {"2.00", "2.10", "2.20"}) {
    CHECK(gateway.ReasonOf(member, "order.place", Bid(price, 1)) == 0);
  }
  CHECK(gateway.ReasonOf(member, "order.place",
                         R"({"symbol":")" + next +
                             R"(","side":"buy","order_type":"limit","price":"1.00","gpus":1})") ==
        0);
  const auto cancelled = [&](const std::string& params) {
    const std::string answer = gateway.Ask(member, "order.cancel_all", params);
    CHECK(At(answer, "/success") == "true");
    return IntegerAt(answer, "/result/cancelled_orders");
  };
  CHECK(cancelled(R"({"side":"sell"})") == 0);
  CHECK(cancelled(R"({"hardware_class":"A100-SXM"})") == 0);
  CHECK(cancelled(R"({"symbol":")" + next + R"(","side":"buy"})") == 1);
  CHECK(cancelled(R"({"hardware_class":"H100-SXM"})") == 3);
  CHECK(cancelled("{}") == 0);
  CHECK(At(gateway.Ask(member, "account.orders", "{}"), "/result/orders") == "[]");
  CHECK(At(gateway.Ask(member, "account.balances", "{}"), "/result/free_usd") == "100.00");
  CHECK(gateway.publisher.state().FindAccount(other_id)->orders.size() == 1);

  const std::string unknown = gateway.Ask(member, "order.cancel_all", R"({"symbol":"X"})");
  CHECK(At(unknown, "/error/code") == "unknown_instrument");
  CHECK(At(unknown, "/error/data/param") == "symbol");
  CHECK(At(gateway.Ask(member, "order.cancel_all", R"({"hardware_class":"X"})"),
           "/error/data/param") == "hardware_class");
  CHECK(gateway.ReasonOf(member, "order.cancel_all", R"({"deadline":1})") ==
        static_cast<int>(RejectReason::kDeadlinePassed));
  CHECK(gateway.ReasonOf(gateway.Operator(), "order.cancel_all", "{}") ==
        static_cast<int>(RejectReason::kScopeMissing));

  // In a closed instrument there is nothing left to cancel.
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  CHECK(cancelled(R"({"symbol":")" + std::string(kTestSymbol) + R"("})") == 0);
}

TEST_CASE("A node is registered, asks, sells, delivers and is paid") {
  TestGateway gateway;
  AccountId seller_id, buyer_id;
  TestPeer& seller = gateway.Member(&seller_id);
  TestPeer& buyer = gateway.Member(&buyer_id);
  gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  const Ed25519PrivateKey device = Ed25519PrivateKey::Generate();
  const std::string node = gateway.ApprovedNode(seller, seller_id, device);
  const std::string nodes = gateway.Ask(seller, "account.nodes", "{}");
  CHECK(At(nodes, "/result/nodes/0/node") == node);
  CHECK(At(nodes, "/result/nodes/0/assurance") == "verified");
  CHECK(At(nodes, "/result/nodes/0/approved") == "true");
  CHECK(IntegerAt(nodes, "/result/nodes/0/approved_gpus") == 8);

  CHECK(gateway.ReasonOf(seller, "order.place", Ask("2.50", 8, node)) == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", Bid("2.60", 8)) == 0);
  const std::string bought = gateway.Ask(buyer, "account.leases", "{}");
  const std::string lease = At(bought, "/result/leases/0/lease_id");
  REQUIRE_FALSE(lease.empty());
  CHECK(At(bought, "/result/leases/0/role") == "buyer");
  CHECK(At(bought, "/result/leases/0/state") == "reserved");
  CHECK(At(bought, "/result/leases/0/price") == "2.50");
  CHECK(IntegerAt(bought, "/result/leases/0/minutes") == 57);
  CHECK_FALSE(Has(bought, "/result/leases/0/node"));
  const std::string sold = gateway.Ask(seller, "account.leases", "{}");
  CHECK(At(sold, "/result/leases/0/role") == "provider");
  CHECK(At(sold, "/result/leases/0/node") == node);

  // Delivery: start, a heartbeat for the first minute, the window's end.
  const int64_t start = IntegerAt(bought, "/result/leases/0/delivery_start");
  gateway.exchange.clock().Set(start);
  CHECK(gateway.ReasonOf(seller, "lease.start", R"({"lease":")" + lease + R"("})") == 0);
  const auto beat =
      device.Sign(HeartbeatMessage(kTestServerName, LeaseId(std::stoull(lease)), Timestamp(start)));
  const std::string beat_params = R"({"lease":")" + lease + R"(","minute":)" +
                                  std::to_string(start) + R"(,"signature":")" + HexOf(beat) +
                                  R"("})";
  CHECK(gateway.ReasonOf(seller, "lease.heartbeat", beat_params) == 0);
  // The buyer has no device key: it is not its lease to prove.
  CHECK(gateway.ReasonOf(buyer, "lease.heartbeat", beat_params) ==
        static_cast<int>(RejectReason::kUnknownLease));
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  CHECK(At(gateway.Ask(buyer, "account.leases", "{}"), "/result/leases/0/state") == "delivered");
  CHECK(gateway.ReasonOf(buyer, "lease.complete", R"({"lease":")" + lease + R"("})") == 0);
  CHECK(At(gateway.Ask(buyer, "account.leases", "{}"), "/result/leases/0/completed") == "true");
  CHECK(gateway.ReasonOf(buyer, "order.place", Bid("2.50", 1)) ==
        static_cast<int>(RejectReason::kInstrumentClosed));

  // One minute is paid, the rest refunded.
  const int64_t minute = int64_t{2'500'000} * 8;
  const std::string settle =
      R"({"number":3,"decision":"settle_lease","lease":")" + lease + R"(","verified_weight":")" +
      std::to_string(8 * 10'000) + R"(","consumed":")" + std::to_string(minute) +
      R"(","burned":"0","owed":"0","gross_utok":"1000","provider_utok":"930","fee_utok":"20",)"
      R"("retire_utok":"50","emitted_utok":"0","delivered_minutes":1})";
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit", settle) == 0);
  CHECK(At(gateway.Ask(buyer, "account.leases", "{}"), "/result/leases") == "[]");
  CHECK(At(gateway.Ask(seller, "account.leases", "{}"), "/result/leases") == "[]");
  CHECK(At(gateway.Ask(seller, "account.balances", "{}"), "/result/tok") == "0.00093");
  const std::string balances = gateway.Ask(buyer, "account.balances", "{}");
  CHECK(At(balances, "/result/escrow") == "0");
  CHECK(At(balances, "/result/free") == std::to_string(1'000 * kCreditsPerUsd - minute));
}

TEST_CASE("Operators set prices, limits and capacity, and halt and resume an instrument") {
  TestGateway gateway;
  TestPeer& operations = gateway.Operator();
  const std::string time = std::to_string(gateway.exchange.clock().NowMicros());
  std::string feeds;
  for (int i = 0; i < 5; ++i) {
    feeds += std::string(i == 0 ? "" : ",") + R"({"price":"2.00","time":)" + time + "}";
  }
  CHECK(gateway.ReasonOf(operations, "price.set", R"({"feeds":[)" + feeds + "]}") == 0);
  const std::string symbol = R"({"symbol":")" + std::string(kTestSymbol) + R"("})";
  CHECK(gateway.ReasonOf(operations, "instrument.halt", symbol) == 0);
  CHECK(At(gateway.Ask(operations, "instruments", "{}"), "/result/instruments/0/state") ==
        "halted");
  CHECK(gateway.ReasonOf(operations, "instrument.resume", symbol) == 0);
  CHECK(At(gateway.Ask(operations, "instruments", "{}"), "/result/instruments/0/state") == "open");
}

TEST_CASE("Commands that were in flight when their connection went are nobody's to answer") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Fund(member, account, kCreditsPerUsd);
  gateway.exchange.Hold();
  gateway.Say(member, RequestText("order.place", Bid("1.00", 1)));
  gateway.Disconnect(member);
  gateway.exchange.LetThrough();
  gateway.Pump();
  CHECK(member.messages.empty());
  CHECK(gateway.publisher.replier().pending().size() == 0);
  CHECK(gateway.publisher.state().FindAccount(account)->orders.size() == 1);
}

}  // namespace warpbook::gateway
