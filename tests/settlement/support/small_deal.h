// A rich buyer, a provider and a window that has just begun; and settlement in memory over them,
// for tests of what is decided.
#pragma once

#include <doctest/doctest.h>

#include "settlement/tokens/supply.h"
#include "tests/settlement/support/memory_settlement.h"

namespace warpbook::test {

inline constexpr TokenPrice kTwoDollars = TokenPrice(2'000'000);

// A market with a rich buyer and a provider, in a window that has just begun.
struct DealMarket {
  TestMarket market;
  AccountId buyer = market.OpenMember();
  AccountId provider = market.OpenMember();
  NodeId node = market.GiveNode(provider);
  Timestamp window_start = market.now();
  InstrumentId window = market.OpenWindow(window_start);
  TokenPrice price = kTwoDollars;

  // A lease of 8 GPUs at $2.50 that delivers its minutes from `first` on, all but `missing`.
  LeaseId Deliver(int first, int missing, bool complete) {
    const LeaseId lease =
        market.Trade(window, buyer, provider, node, Price(2'500'000), Quantity(8), Tier::kStandard);
    const Timestamp start = market.now().PlusSeconds(120);
    const Timestamp end = window_start.PlusMinutes(60);
    market.AdvanceTo(start.PlusMinutes(first));
    wire::StartLease command;
    command.mutate_lease_id(lease.value());
    CHECK(market.Submit(command, provider) == RejectReason::kNone);
    for (; market.now() < end; market.Advance(60)) {
      if (missing-- > 0) continue;
      wire::HeartbeatLease heartbeat;
      heartbeat.mutate_lease_id(lease.value());
      heartbeat.mutate_minute_us(market.now().micros());
      CHECK(market.Submit(heartbeat, provider) == RejectReason::kNone);
    }
    market.SetPrice(price);
    market.CloseWindow(window);
    if (complete) {
      wire::CompleteLease done;
      done.mutate_lease_id(lease.value());
      CHECK(market.Submit(done, buyer) == RejectReason::kNone);
    }
    market.Seal();
    return lease;
  }
  // Until the mean, at which work is paid, has followed.
  void FallTo(TokenPrice new_price) {
    price = new_price;
    for (int i = 0; i < 500; ++i) market.SetPrice(price);
  }
  // Another window, the market's next whole hour.
  void NextWindow() {
    window_start = Timestamp((market.now().micros() / 3'600'000'000 + 1) * 3'600'000'000);
    market.AdvanceTo(window_start);
    market.SetPrice(price);
    window = market.OpenWindow(window_start);
    market.Seal();
  }
};

struct SmallDeal : DealMarket {
  MemorySettlement settlement;

  // Enough for many leases: 1,000 TOK deposited, `burn` of them made into credits.
  explicit SmallDeal(Tokens burn = Tokens(500'000'000),
                     Tokens emission = settlement::DailyEmission(settlement::kEmissionPool))
      : settlement(market, emission) {
    market.RequestDeposit(buyer, Tokens(1'000'000'000));
    market.SetPrice(kTwoDollars);
    market.Seal();
    settlement.Settle();
    if (burn > Tokens(0)) market.RequestTopUp(buyer, burn);
    market.Seal();
    settlement.Settle();
  }
  int64_t Balance(AccountId account, settlement::Holding holding) const {
    return settlement.books().ledger().balance(settlement::LedgerAccount(account, holding));
  }
  int64_t Balance(settlement::Holding holding) const {
    return settlement.books().ledger().balance(settlement::LedgerAccount(holding));
  }
  // The one decision of the next step.
  settlement::Decision NextDecision() {
    market.Seal();
    const settlement::Changes changes = settlement.Step();
    REQUIRE(changes.decided.size() == 1);
    return changes.decided.front();
  }
  RejectReason NextRefusal() {
    const settlement::Decision decision = NextDecision();
    CHECK(decision.kind == settlement::DecisionKind::kRefuseRequest);
    settlement.Deliver();
    settlement.Settle();
    return decision.reason;
  }
  size_t DecisionsAfter(int64_t seconds) {
    market.Advance(seconds);
    market.Tick();
    market.Seal();
    return settlement.Step().decided.size();
  }
};

}  // namespace warpbook::test
