// What an account can ask of itself: lists in pages, positions, statements, long snapshots.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "gateway/publish/private_messages.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

std::string Order(const char* side, const char* price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

struct Market {
  explicit Market(const GatewayLimits& limits = {}) : gateway(limits) {
    gateway.Fund(buyer, buyer_id, 1'000 * kCreditsPerUsd);
  }
  void Buy(const char* price, int gpus) {
    REQUIRE(gateway.ReasonOf(buyer, "order.place", Order("buy", price, gpus)) == 0);
  }

  TestGateway gateway;
  AccountId buyer_id, seller_id;
  TestPeer& buyer = gateway.Member(&buyer_id);
  TestPeer& seller = gateway.Member(&seller_id);
};

// All entries, in pages of so many.
std::vector<std::string> Entries(Market& market, int limit, const std::string& after = "0") {
  std::vector<std::string> entries;
  std::string next = after;
  for (int pages = 0; pages < 1'000; ++pages) {
    const std::string answer = market.gateway.Ask(
        market.buyer, "account.statement",
        R"({"after_seq":)" + next + R"(,"limit":)" + std::to_string(limit) + "}");
    REQUIRE(At(answer, "/success") == "true");
    int count = 0;
    for (; Has(answer, "/result/entries/" + std::to_string(count)); ++count) {
      entries.push_back(At(answer, "/result/entries/" + std::to_string(count)));
    }
    CHECK(count <= limit);
    next = At(answer, "/result/next_after_seq");
    if (At(answer, "/result/more") == "false") return entries;
  }
  FAIL("the statement has no end");
  return entries;
}

}  // namespace

TEST_CASE("Lists come in pages that follow one another by id") {
  Market market;
  for (int i = 0; i < 5; ++i) market.Buy("2.00", 1 + i);
  const std::string all = market.gateway.Ask(market.buyer, "account.orders", "{}");
  CHECK(At(all, "/result/more") == "false");
  CHECK_FALSE(Has(all, "/result/next_after"));
  std::vector<std::string> rows;
  std::string after;
  for (const size_t expected : {2, 2, 1}) {
    const std::string page = market.gateway.Ask(
        market.buyer, "account.orders",
        R"({"limit":2)" + (after.empty() ? "" : R"(,"after":")" + after + "\"") + "}");
    for (size_t i = 0; i < expected; ++i) {
      rows.push_back(At(page, "/result/orders/" + std::to_string(i)));
    }
    CHECK_FALSE(Has(page, "/result/orders/" + std::to_string(expected)));
    CHECK((At(page, "/result/more") == "true") == (expected == 2));
    after = At(page, "/result/next_after");
  }
  REQUIRE(rows.size() == 5);
  for (size_t i = 0; i < rows.size(); ++i) {
    CHECK(rows[i] == At(all, "/result/orders/" + std::to_string(i)));
  }
  CHECK(market.gateway.ReasonOf(market.buyer, "account.leases", R"({"limit":1001})") ==
        static_cast<int>(RejectReason::kOutOfRange));
  CHECK(market.gateway.ReasonOf(market.buyer, "account.nodes", R"({"after":"x"})") != 0);

  std::vector<std::string> nodes;
  for (int i = 0; i < 3; ++i) {
    nodes.push_back(market.gateway.ApprovedNode(market.seller, market.seller_id,
                                                Ed25519PrivateKey::Generate()));
  }
  const std::string page = market.gateway.Ask(market.seller, "account.nodes",
                                              R"({"limit":1,"after":")" + nodes[0] + "\"}");
  CHECK(At(page, "/result/nodes/0/node") == nodes[1]);
  CHECK(At(page, "/result/next_after") == nodes[1]);
}

TEST_CASE("A snapshot with many rows comes in several messages of one sequence") {
  Market market;
  const AccountRow& real = *market.gateway.publisher.state().FindAccount(market.buyer_id);
  const size_t rows = 2 * kSnapshotRowsMax + 1;
  MarketState state(market.gateway.exchange.catalogue());
  state.Add(InstrumentRow{
      .terms =
          market.gateway.publisher.state().FindInstrument(std::string_view(kTestSymbol))->terms});
  AccountRow account = real;
  account.orders.clear();
  state.Add(account);
  for (size_t i = 1; i <= rows; ++i) {
    OrderRow order;
    order.id = OrderId(i);
    order.account = market.buyer_id;
    order.instrument = InstrumentId(1);
    state.Add(order);
  }
  std::vector<std::string> messages;
  WritePrivateSnapshots(Encoding::kJson, Channel::kExecutions, *state.FindAccount(market.buyer_id),
                        state, 7,
                        [&](std::string_view message) { messages.emplace_back(message); });
  REQUIRE(messages.size() == 3);
  std::set<std::string> seen;
  for (size_t i = 0; i < messages.size(); ++i) {
    CHECK(At(messages[i], "/type") == "snapshot");
    CHECK(IntegerAt(messages[i], "/seq") == static_cast<int64_t>(real.last_sequence));
    CHECK(Has(messages[i], "/more") == (i < 2));
    for (size_t row = 0; row < kSnapshotRowsMax; ++row) {
      const std::string pointer = "/data/" + std::to_string(row) + "/order_id";
      if (Has(messages[i], pointer)) seen.insert(At(messages[i], pointer));
    }
  }
  CHECK(seen.size() == rows);
}

TEST_CASE("Positions: what is bought and provided, at what price, and what is in the book") {
  Market market;
  TestGateway& gateway = market.gateway;
  const std::string node =
      R"(,"node":")" +
      gateway.ApprovedNode(market.seller, market.seller_id, Ed25519PrivateKey::Generate()) + "\"";
  CHECK(At(gateway.Ask(market.buyer, "account.positions", "{}"), "/result/positions") == "[]");
  REQUIRE(gateway.ReasonOf(market.seller, "order.place", Order("sell", "2.50", 2, node)) == 0);
  REQUIRE(gateway.ReasonOf(market.seller, "order.place", Order("sell", "2.60", 3, node)) == 0);
  market.Buy("2.60", 4);  // 2 at 2.50 and 2 at 2.60
  market.Buy("2.00", 3);
  const std::string bought = gateway.Ask(market.buyer, "account.positions", "{}");
  CHECK(At(bought, "/result/positions/0/symbol") == kTestSymbol);
  CHECK(IntegerAt(bought, "/result/positions/0/bought/gpus") == 4);
  CHECK(IntegerAt(bought, "/result/positions/0/bought/gpu_minutes") == 4 * 57);
  CHECK(At(bought, "/result/positions/0/bought/notional") ==
        std::to_string(int64_t{2} * (2'500'000 + 2'600'000) * 57));
  CHECK(At(bought, "/result/positions/0/bought/average_price") == "2.55");
  CHECK(IntegerAt(bought, "/result/positions/0/provided/gpus") == 0);
  CHECK_FALSE(Has(bought, "/result/positions/0/provided/average_price"));
  CHECK(IntegerAt(bought, "/result/positions/0/bid_gpus") == 3);
  CHECK(IntegerAt(bought, "/result/positions/0/offered_gpus") == 0);
  CHECK_FALSE(Has(bought, "/result/positions/1"));
  const std::string provided = gateway.Ask(market.seller, "account.positions", "{}");
  CHECK(IntegerAt(provided, "/result/positions/0/provided/gpus") == 4);
  CHECK(IntegerAt(provided, "/result/positions/0/bought/gpus") == 0);
  CHECK(IntegerAt(provided, "/result/positions/0/offered_gpus") == 1);
  // Delivered or not, it is over when the window closes.
  gateway.exchange.clock().Set(kTestWindowMicros + kMicrosPerHour);
  wire::CloseInstrument close;
  close.mutate_instrument_id(1);
  gateway.exchange.Apply(close);
  gateway.Pump();
  CHECK(At(gateway.Ask(market.buyer, "account.positions", "{}"), "/result/positions") == "[]");
}

TEST_CASE("A statement has every change of the balances once, from memory as from the journal") {
  GatewayLimits no_memory;
  no_memory.recent_events.bytes = 0;
  no_memory.history.page_events = 2;
  GatewayLimits little_memory;
  little_memory.recent_events.events_per_account = 8;
  for (const GatewayLimits& limits : {GatewayLimits(), no_memory, little_memory}) {
    Market market(limits);
    REQUIRE(market.gateway.ReasonOf(market.buyer, "subscribe", R"({"channel":"balances"})") == 0);
    market.buyer.messages.clear();
    const uint64_t before =
        market.gateway.publisher.state().FindAccount(market.buyer_id)->last_sequence;
    for (int i = 1; i <= 9; ++i) market.Buy("2.00", i);
    const auto told = market.buyer.Take("balances");
    REQUIRE(told.size() == 9);
    for (const int limit : {1, 4, 500}) {
      const auto entries = Entries(market, limit, std::to_string(before));
      REQUIRE(entries.size() == 9);
      for (size_t i = 0; i < entries.size(); ++i) {
        CHECK(At(entries[i], "/seq") == At(told[i], "/seq"));
        CHECK(At(entries[i], "/ts") == At(told[i], "/ts"));
        for (const char* field : {"asset", "free", "free_usd", "locked", "change", "from", "to"}) {
          const std::string name(field);
          CHECK(At(entries[i], "/" + name) == At(told[i], "/data/0/" + name));
        }
      }
      // The deposit, the top-up and its credits too.
      CHECK(Entries(market, limit).size() == 12);
    }
  }
}

TEST_CASE("A statement begins with the oldest that there is, and says so") {
  GatewayLimits limits;
  limits.recent_events.bytes = 0;
  limits.history.statement_pages_max = 3;
  limits.history.page_events = 2;
  Market market(limits);
  market.gateway.exchange.clock().Advance(kMicrosPerMinute);
  const uint64_t old = market.gateway.publisher.state().FindAccount(market.buyer_id)->last_sequence;
  market.gateway.exchange.clock().Advance(24 * kMicrosPerHour);
  // Nothing at all is left.
  std::string answer = market.gateway.Ask(market.buyer, "account.statement", "{}");
  CHECK(At(answer, "/result/entries") == "[]");
  CHECK(IntegerAt(answer, "/result/from_seq") == static_cast<int64_t>(old) + 1);
  CHECK(At(answer, "/result/more") == "false");
  market.gateway.Fund(market.buyer, market.buyer_id, 1);
  answer = market.gateway.Ask(market.buyer, "account.statement", "{}");
  CHECK(IntegerAt(answer, "/result/from_seq") == static_cast<int64_t>(old) + 1);
  CHECK(Has(answer, "/result/entries/2"));
  CHECK_FALSE(Has(answer, "/result/entries/3"));
}

TEST_CASE("A statement is one at a time, of bounded work, and is answered whatever comes") {
  GatewayLimits limits;
  limits.recent_events.bytes = 0;
  limits.history.statement_pages_max = 2;
  limits.history.page_events = 1;
  limits.history.readers_max = 1;
  Market market(limits);
  const std::string answer = market.gateway.Ask(market.buyer, "account.statement", "{}");
  CHECK(At(answer, "/result/more") == "true");
  CHECK(At(answer, "/result/next_after_seq") == "2");
  CHECK(Entries(market, 500).size() == 3);
  CHECK(market.gateway.ReasonOf(market.buyer, "account.statement", R"({"limit":501})") ==
        static_cast<int>(RejectReason::kOutOfRange));

  market.gateway.exchange.HoldHistory(true);
  market.gateway.Say(market.buyer, RequestText("account.statement"));
  CHECK(market.gateway.ReasonOf(market.buyer, "account.statement") ==
        static_cast<int>(RejectReason::kTooManyInFlight));
  CHECK(market.gateway.ReasonOf(market.seller, "account.statement") ==
        static_cast<int>(RejectReason::kHistoryBusy));
  market.gateway.handler.BeginShutdown();
  REQUIRE(market.buyer.messages.size() == 1);
  CHECK(At(market.buyer.messages[0], "/error/code") == "shutting_down");
  market.gateway.exchange.HoldHistory(false);
  market.gateway.exchange.FailHistory(absl::DataLossError("damaged"));
  market.gateway.Pump();
  market.buyer.messages.clear();
  CHECK(market.gateway.ReasonOf(market.buyer, "account.statement") ==
        static_cast<int>(RejectReason::kHistoryUnavailable));
}

}  // namespace warpbook::gateway
