// The private channels through one buyer's and one seller's trade.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Order(const char* side, const char* price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

void Subscribe(TestGateway& gateway, TestPeer& peer, const char* channel) {
  REQUIRE(gateway.ReasonOf(peer, "subscribe", R"({"channel":")" + std::string(channel) + R"("})") ==
          0);
}

// Messages of all private channels, in order: each names the one before.
void CheckChain(const TestPeer& peer, int64_t last) {
  for (const std::string& message : peer.messages) {
    CAPTURE(message);
    CHECK(At(message, "/type") == "update");
    CHECK(IntegerAt(message, "/prev_seq") == last);
    CHECK(IntegerAt(message, "/seq") >= last);
    last = IntegerAt(message, "/seq");
  }
}

struct Trade {
  explicit Trade(const GatewayLimits& limits = {}) : gateway(limits) {
    gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
    node = gateway.ApprovedNode(seller, seller_id, device);
  }
  std::string NodeField() const { return R"(,"node":")" + node + "\""; }

  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
  Ed25519PrivateKey device = Ed25519PrivateKey::Generate();
  std::string node;
};

}  // namespace

TEST_CASE("A private channel begins with a snapshot that its updates follow without a gap") {
  Trade trade;
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place",
                               Order("buy", "2.00", 2, R"(,"cl_ord_id":"low")")) == 0);
  for (const char* channel : {"executions", "balances", "leases"}) {
    Subscribe(trade.gateway, trade.buyer, channel);
  }
  REQUIRE(trade.buyer.messages.size() == 3);
  const std::string orders = trade.buyer.messages[0];
  CHECK(At(orders, "/channel") == "executions");
  CHECK(At(orders, "/type") == "snapshot");
  CHECK(At(orders, "/data/0/cl_ord_id") == "low");
  CHECK(At(trade.buyer.messages[1], "/data/0/asset") == "CREDIT");
  CHECK(At(trade.buyer.messages[1], "/data/1/asset") == "TOK");
  CHECK(At(trade.buyer.messages[2], "/data") == "[]");
  const int64_t last = IntegerAt(orders, "/seq");
  CHECK(last == static_cast<int64_t>(
                    trade.gateway.publisher.state().FindAccount(trade.buyer_id)->last_sequence));
  trade.buyer.messages.clear();
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.cancel", R"({"cl_ord_id":"low"})") == 0);
  CHECK(trade.buyer.messages.size() == 2);  // the execution and the balance
  CheckChain(trade.buyer, last);
}

TEST_CASE("A channel that would begin with too much is read by pages and then resumed") {
  GatewayLimits limits;
  limits.private_snapshot_rows_max = 2;
  Trade trade(limits);
  const auto place = [&] {
    CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place", Order("buy", "2.00", 2)) == 0);
  };
  const auto subscribe = [&](const char* channel) {
    return trade.gateway.ReasonOf(trade.buyer, "subscribe",
                                  R"({"channel":")" + std::string(channel) + R"("})");
  };
  place();
  place();
  REQUIRE(subscribe("executions") == 0);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "unsubscribe", R"({"channel":"executions"})") == 0);
  place();
  CHECK(subscribe("executions") == static_cast<int>(RejectReason::kSnapshotTooLarge));
  // As the documents say: a sequence, the pages, and what has come since that sequence.
  trade.buyer.messages.clear();
  REQUIRE(subscribe("balances") == 0);
  const std::string last = At(trade.buyer.messages.at(0), "/seq");
  CHECK(trade.gateway.ReasonOf(trade.buyer, "unsubscribe", R"({"channel":"balances"})") == 0);
  place();
  CHECK(trade.gateway.ReasonOf(trade.buyer, "session.resume",
                               R"({"last_seq":)" + last + R"(,"channels":["executions"]})") == 0);
  trade.gateway.Pump();
  const auto executions = trade.buyer.Take("executions");
  REQUIRE(executions.size() == 1);
  CHECK(At(executions[0], "/data/0/event") == "accepted");
}

TEST_CASE("Both sides of a fill see it as theirs") {
  Trade trade;
  for (TestPeer* peer : {&trade.buyer, &trade.seller}) {
    for (const char* channel : {"executions", "balances", "leases"}) {
      Subscribe(trade.gateway, *peer, channel);
    }
  }
  const int64_t buyer_last = IntegerAt(trade.buyer.messages.back(), "/seq");
  const int64_t seller_last = IntegerAt(trade.seller.messages.back(), "/seq");
  trade.buyer.messages.clear();
  trade.seller.messages.clear();
  CHECK(trade.gateway.ReasonOf(trade.seller, "order.place",
                               Order("sell", "2.50", 8, trade.NodeField())) == 0);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place",
                               Order("buy", "2.60", 8, R"(,"cl_ord_id":"b1","tier":"premium")")) ==
        0);
  CheckChain(trade.buyer, buyer_last);
  CheckChain(trade.seller, seller_last);

  const auto bought = trade.buyer.Take("executions");
  REQUIRE(bought.size() == 2);
  CHECK(At(bought[0], "/data/0/event") == "accepted");
  CHECK(At(bought[0], "/data/0/cl_ord_id") == "b1");
  CHECK(At(bought[0], "/data/0/tier") == "premium");
  CHECK(At(bought[0], "/data/0/time_in_force") == "gtc");
  CHECK(IntegerAt(bought[0], "/data/0/expires") == kTestWindowMicros + 57 * kMicrosPerMinute);
  const int64_t notional = int64_t{2'500'000} * 8 * 57;
  CHECK(At(bought[1], "/data/0/event") == "filled");
  CHECK(At(bought[1], "/data/0/liquidity") == "taker");
  CHECK(At(bought[1], "/data/0/price") == "2.50");
  CHECK(At(bought[1], "/data/0/notional") == std::to_string(notional));
  CHECK(At(bought[1], "/data/0/notional_usd") == "19.00");
  CHECK(At(bought[1], "/data/0/surcharge") == std::to_string(notional / 200));
  CHECK(IntegerAt(bought[1], "/data/0/remaining") == 0);
  CHECK(IntegerAt(bought[1], "/data/0/delivery_start") == kTestWindowMicros + 3 * kMicrosPerMinute);
  const auto sold = trade.seller.Take("executions");
  REQUIRE(sold.size() == 2);
  CHECK(At(sold[0], "/data/0/assurance") == "verified");
  CHECK(At(sold[1], "/data/0/liquidity") == "maker");
  CHECK(At(sold[1], "/data/0/surcharge") == "0");

  const auto reserved = trade.seller.Take("leases");
  REQUIRE(reserved.size() == 1);
  CHECK(At(reserved[0], "/data/0/state") == "reserved");
  CHECK(At(reserved[0], "/data/0/role") == "provider");
  CHECK(At(reserved[0], "/data/0/node") == trade.node);
  CHECK(IntegerAt(reserved[0], "/seq") == IntegerAt(sold[1], "/seq"));
  CHECK(At(trade.buyer.Take("leases")[0], "/data/0/role") == "buyer");

  // Locked, moved into escrow, and the rest released.
  int64_t escrow = 0;
  std::string last;
  for (const std::string& message : trade.buyer.Take("balances")) {
    if (At(message, "/data/0/to") == "escrow") escrow += std::stoll(At(message, "/data/0/change"));
    last = message;
  }
  CHECK(escrow == notional + notional / 200);
  CHECK(At(last, "/data/0/locked") == "0");
  CHECK(trade.seller.Take("balances").empty());
}

TEST_CASE("Amends and cancels are told with their reasons") {
  Trade trade;
  Subscribe(trade.gateway, trade.buyer, "executions");
  trade.buyer.messages.clear();
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place",
                               Order("buy", "2.00", 4, R"(,"cl_ord_id":"a")")) == 0);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.amend", R"({"cl_ord_id":"a","price":"2.02"})") ==
        0);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place",
                               Order("buy", "2.00", 1, R"(,"time_in_force":"ioc")")) == 0);
  trade.gateway.exchange.clock().Set(kTestWindowMicros + 57 * kMicrosPerMinute);
  trade.gateway.exchange.Tick();
  trade.gateway.Pump();
  const auto told = trade.buyer.Take("executions");
  REQUIRE(told.size() == 5);
  CHECK(At(told[1], "/data/0/event") == "amended");
  CHECK_FALSE(Has(told[1], "/data/0/side"));  // no event of the amend says it
  CHECK(At(told[1], "/data/0/price") == "2.02");
  CHECK(At(told[1], "/data/0/kept_priority") == "false");
  CHECK(At(told[3], "/data/0/reason") == "ioc_remainder");
  CHECK(At(told[4], "/data/0/reason") == "gate_closed");
  CHECK(IntegerAt(told[4], "/data/0/remaining") == 4);
  CHECK(IntegerAt(told[4], "/ts") == kTestWindowMicros + 57 * kMicrosPerMinute);
}

TEST_CASE("Orders cancelled for a session say which way it ended") {
  Trade trade;
  Subscribe(trade.gateway, trade.buyer, "executions");
  const auto last_reason = [&](CancelReason reason) {
    CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place", Order("buy", "2.00", 1)) == 0);
    trade.buyer.messages.clear();
    wire::CancelAllOrders cancel;
    cancel.mutate_target_account_id(trade.buyer_id.value());
    cancel.mutate_side(2);
    cancel.mutate_reason(static_cast<uint8_t>(reason));
    trade.gateway.exchange.Apply(cancel);
    trade.gateway.Pump();
    const auto told = trade.buyer.Take("executions");
    REQUIRE(told.size() == 1);
    CHECK(At(told[0], "/data/0/event") == "cancelled");
    return At(told[0], "/data/0/reason");
  };
  CHECK(last_reason(CancelReason::kDisconnected) == "disconnected");
  CHECK(last_reason(CancelReason::kTimer) == "timer");
  trade.buyer.messages.clear();
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place", Order("buy", "2.00", 1)) == 0);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.cancel_all", "{}") == 0);
  const auto told = trade.buyer.Take("executions");
  REQUIRE(told.size() == 2);
  CHECK(At(told[1], "/data/0/reason") == "requested");
}

TEST_CASE("Deposits, withdrawals, top-ups and rewards change the TOK balance and say why") {
  Trade trade;
  TestGateway& gateway = trade.gateway;
  Subscribe(gateway, trade.buyer, "balances");
  Subscribe(gateway, trade.seller, "balances");
  Subscribe(gateway, trade.seller, "leases");
  trade.buyer.messages.clear();
  trade.seller.messages.clear();
  gateway.Say(
      gateway.Operator(),
      RequestText("token.deposit", R"({"account":")" + std::to_string(trade.buyer_id.value()) +
                                       R"(","amount":"3","reference":"x"})"));
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":3,"decision":"post_deposit","request":")" +
                             std::to_string(gateway.publisher.last_sequence()) + R"("})") == 0);
  const auto deposit = trade.buyer.Take("balances");
  REQUIRE(deposit.size() == 1);
  CHECK(At(deposit[0], "/data/0/asset") == "TOK");
  CHECK_FALSE(Has(deposit[0], "/data/0/balance"));  // no event says it
  CHECK(At(deposit[0], "/data/0/change") == "3");
  CHECK(At(deposit[0], "/data/0/cause") == "deposit");
  gateway.Say(trade.buyer, RequestText("credits.buy", R"({"burn":"1"})"));
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":4,"decision":"post_top_up","credits":"60","request":")" +
                             std::to_string(gateway.publisher.last_sequence()) + R"("})") == 0);
  const auto top_up = trade.buyer.Take("balances");
  REQUIRE(top_up.size() == 2);
  CHECK(At(top_up[0], "/data/0/change") == "-1");
  CHECK(At(top_up[0], "/data/0/cause") == "top_up");
  CHECK(At(top_up[1], "/data/0/from") == "issued");
  CHECK(At(top_up[1], "/data/0/to") == "free");

  gateway.Say(
      gateway.Operator(),
      RequestText("token.withdraw", R"({"account":")" + std::to_string(trade.buyer_id.value()) +
                                        R"(","amount":"0.5","reference":"y"})"));
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":5,"decision":"post_withdrawal","request":")" +
                             std::to_string(gateway.publisher.last_sequence()) + R"("})") == 0);
  const auto withdrawal = trade.buyer.Take("balances");
  REQUIRE(withdrawal.size() == 1);
  CHECK(At(withdrawal[0], "/data/0/change") == "-0.5");
  CHECK(At(withdrawal[0], "/data/0/cause") == "withdrawal");

  // A delivered lease, settled with a reward.
  trade.buyer.messages.clear();
  CHECK(gateway.ReasonOf(trade.seller, "order.place",
                         Order("sell", "2.50", 1, trade.NodeField())) == 0);
  CHECK(gateway.ReasonOf(trade.buyer, "order.place",
                         Order("buy", "2.50", 1, R"(,"tier":"economy")")) == 0);
  gateway.exchange.clock().Set(kTestWindowMicros + 3 * kMicrosPerMinute);
  CHECK(gateway.ReasonOf(trade.seller, "lease.start", R"({"lease":"1"})") == 0);
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  trade.seller.messages.clear();
  const std::string notional = std::to_string(int64_t{2'500'000} * 57);
  CHECK(gateway.ReasonOf(
            gateway.Settlement(), "settlement.submit",
            R"({"number":6,"decision":"settle_lease","lease":"1","verified_weight":"570000",)"
            R"("consumed":")" +
                notional +
                R"(","burned":"0","owed":"0","gross_utok":"1000",)"
                R"("provider_utok":"930","fee_utok":"20","retire_utok":"50",)"
                R"("emitted_utok":"0","delivered_minutes":57})") == 0);
  REQUIRE(trade.seller.messages.size() == 2);
  CHECK(At(trade.seller.messages[0], "/data/0/state") == "settled");
  CHECK(At(trade.seller.messages[1], "/data/0/cause") == "reward");
  CHECK(At(trade.seller.messages[1], "/data/0/lease_id") == "1");
  CHECK(At(trade.seller.messages[1], "/data/0/change") == "0.00093");
  CHECK(IntegerAt(trade.seller.messages[1], "/seq") == IntegerAt(trade.seller.messages[0], "/seq"));
}

TEST_CASE("Who leaves a private channel, or logs out, hears no more of it") {
  Trade trade;
  Subscribe(trade.gateway, trade.buyer, "executions");
  Subscribe(trade.gateway, trade.buyer, "balances");
  CHECK(trade.gateway.ReasonOf(trade.buyer, "unsubscribe", R"({"channel":"executions"})") == 0);
  trade.buyer.messages.clear();
  CHECK(trade.gateway.ReasonOf(trade.buyer, "order.place", Order("buy", "2.00", 1)) == 0);
  CHECK(trade.buyer.Take("executions").empty());
  CHECK(trade.buyer.Take("balances").size() == 1);
  CHECK(trade.gateway.ReasonOf(trade.buyer, "session.logout") == 0);
  trade.gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  trade.gateway.exchange.Tick();
  trade.gateway.Pump();
  CHECK(trade.buyer.messages.empty());
}

TEST_CASE("Of a resale the trader, the provider and the new buyer each see their own leases") {
  Trade trade;
  TestGateway& gateway = trade.gateway;
  AccountId third_id;
  TestPeer& third = gateway.Member(&third_id);
  gateway.Fund(third, third_id, 1'000 * kCreditsPerUsd);
  // Before the window begins.
  gateway.exchange.clock().Set(kTestWindowMicros + 2 * kMicrosPerMinute);
  const std::string symbol = "H100-SXM.us-east.2026-12-01T15:00";
  const auto order = [&](const char* side, const char* price, int gpus, const std::string& extra) {
    return R"({"symbol":")" + symbol + R"(","side":")" + side +
           R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
           extra + "}";
  };
  CHECK(gateway.ReasonOf(trade.seller, "order.place",
                         order("sell", "2.50", 8, trade.NodeField())) == 0);
  CHECK(gateway.ReasonOf(trade.buyer, "order.place", order("buy", "2.50", 8, "")) == 0);
  for (TestPeer* peer : {&trade.buyer, &trade.seller, &third}) {
    for (const char* channel : {"executions", "leases"}) Subscribe(gateway, *peer, channel);
    peer->messages.clear();
  }
  const std::string lease = R"(,"lease":"1")";
  CHECK(gateway.ReasonOf(trade.buyer, "order.place", order("sell", "2.60", 9, lease)) ==
        static_cast<int>(RejectReason::kInsufficientLeaseGpus));
  CHECK(gateway.ReasonOf(trade.buyer, "order.place", order("sell", "2.60", 8, lease)) == 0);
  CHECK(At(gateway.Ask(trade.buyer, "account.orders", "{}"), "/result/orders/0/lease") == "1");
  CHECK(At(trade.buyer.Take("executions").back(), "/data/0/lease") == "1");
  trade.buyer.messages.clear();
  CHECK(gateway.ReasonOf(third, "order.place", order("buy", "2.60", 3, "")) == 0);

  const auto traders = trade.buyer.Take("leases");
  REQUIRE(traders.size() == 1);
  CHECK(At(traders[0], "/data/0/lease_id") == "1");
  CHECK(At(traders[0], "/data/0/role") == "buyer");
  CHECK(At(traders[0], "/data/0/state") == "reserved");
  CHECK_FALSE(Has(traders[0], "/data/0/price"));  // as it was: no event says it
  CHECK(IntegerAt(traders[0], "/data/0/gpus") == 5);
  CHECK(IntegerAt(traders[0], "/data/0/resold_gpus") == 3);
  CHECK(At(traders[0], "/data/0/resold_price") == "2.60");
  CHECK(At(traders[0], "/data/0/resold_as") == "2");
  const auto providers = trade.seller.Take("leases");
  REQUIRE(providers.size() == 1);
  CHECK(At(providers[0], "/data/0/lease_id") == "1");
  CHECK(IntegerAt(providers[0], "/data/0/gpus") == 5);
  CHECK(At(providers[0], "/data/1/lease_id") == "2");
  CHECK(At(providers[0], "/data/1/role") == "provider");
  CHECK(At(providers[0], "/data/1/price") == "2.50");  // what it is paid
  CHECK(At(providers[0], "/data/1/node") == trade.node);
  CHECK(IntegerAt(providers[0], "/data/1/gpus") == 3);
  CHECK(trade.seller.Take("executions").empty());
  const auto bought = third.Take("leases");
  REQUIRE(bought.size() == 1);
  CHECK(At(bought[0], "/data/0/lease_id") == "2");
  CHECK(At(bought[0], "/data/0/role") == "buyer");
  CHECK(At(bought[0], "/data/0/price") == "2.60");

  // The provider takes the rest back: it has that lease twice, and the first one is over.
  gateway.Fund(trade.seller, trade.seller_id, 1'000 * kCreditsPerUsd);
  trade.seller.messages.clear();
  trade.buyer.messages.clear();
  CHECK(gateway.ReasonOf(trade.seller, "order.place", order("buy", "2.60", 5, "")) == 0);
  const auto ended = trade.buyer.Take("leases");
  REQUIRE(ended.size() == 2);
  CHECK(IntegerAt(ended[0], "/data/0/gpus") == 0);
  CHECK(At(ended[1], "/data/0/state") == "resold");
  CHECK(At(gateway.Ask(trade.buyer, "account.leases", "{}"), "/result/leases") == "[]");
  const std::string leases = gateway.Ask(trade.seller, "account.leases", "{}");
  CHECK(At(leases, "/result/leases/0/lease_id") == "2");
  CHECK(At(leases, "/result/leases/1/lease_id") == "3");
  CHECK(At(leases, "/result/leases/1/role") == "provider");
  CHECK(At(leases, "/result/leases/1/price") == "2.50");
  CHECK(At(leases, "/result/leases/2/lease_id") == "3");
  CHECK(At(leases, "/result/leases/2/role") == "buyer");
  CHECK(At(leases, "/result/leases/2/price") == "2.60");
}

}  // namespace warpbook::gateway
