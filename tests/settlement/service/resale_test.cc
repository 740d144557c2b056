// What becomes of the money of a lease that is resold, with the real engine as the judge.
#include <doctest/doctest.h>

#include <vector>

#include "tests/settlement/support/memory_settlement.h"

namespace warpbook::settlement {
namespace {

using test::MemorySettlement;
using test::TestMarket;

constexpr TokenPrice kTwoDollars = TokenPrice(2'000'000);

// A lease of 4 GPUs at $2.50 in a window that begins in an hour, and two traders with money.
struct ResaleFixture {
  TestMarket market;
  MemorySettlement settlement{market};
  AccountId provider = market.OpenMember();
  NodeId node = market.GiveNode(provider);
  AccountId buyer = NewTrader(), trader = NewTrader(), other = NewTrader();
  InstrumentId next = market.OpenWindow(test::kMarketStart.PlusMinutes(60));
  LeaseId first =
      market.Trade(next, buyer, provider, node, Price(2'500'000), Quantity(4), Tier::kStandard);

  AccountId NewTrader() {
    const AccountId account = market.OpenMember();
    market.RequestDeposit(account, Tokens(100'000'000));
    market.SetPrice(kTwoDollars);
    market.Seal();
    settlement.Settle();
    market.RequestTopUp(account, Tokens(50'000'000));
    market.Seal();
    settlement.Settle();
    return account;
  }
  int64_t Balance(AccountId account, Holding holding) const {
    return settlement.books().ledger().balance(LedgerAccount(account, holding));
  }
  int64_t Balance(Holding holding) const {
    return settlement.books().ledger().balance(LedgerAccount(holding));
  }
  int64_t Free(AccountId account) const { return Balance(account, Holding::kFree); }
  // The leases are started in time, if at all, and deliver their first `minutes`.
  void DeliverNext(std::vector<LeaseId> leases, int minutes) {
    market.AdvanceTo(test::kMarketStart.PlusMinutes(60));
    for (const LeaseId lease : leases) {
      if (minutes == 0) continue;
      wire::StartLease start;
      start.mutate_lease_id(lease.value());
      CHECK(market.Submit(start, provider) == RejectReason::kNone);
    }
    for (int minute = 0; minute < minutes; ++minute, market.Advance(60)) {
      for (const LeaseId lease : leases) {
        wire::HeartbeatLease heartbeat;
        heartbeat.mutate_lease_id(lease.value());
        heartbeat.mutate_minute_us(market.now().micros());
        CHECK(market.Submit(heartbeat, provider) == RejectReason::kNone);
      }
    }
    market.AdvanceTo(test::kMarketStart.PlusMinutes(120));
    market.CloseWindow(next);
    market.Advance(11 * 60);
    market.SetPrice(kTwoDollars);
    market.Tick(1);
    market.Seal();
    settlement.Settle();
    CHECK(settlement.books().ledger().total(Holding::kEscrow) == 0);
    CHECK(settlement.books().open_leases() == 0);
    market.engine().CheckInvariants();
  }
  void Post() {
    market.Seal();
    settlement.Settle();
  }
};
constexpr int64_t kPerDollar = 4 * 60 * 1'000'000;  // credits of 4 GPUs for the window at $1

TEST_CASE("A reseller's gain is paid with the delivery, and the provider what it asked for") {
  ResaleFixture f;
  f.Post();
  const int64_t bought = f.Free(f.buyer) + kPerDollar * 5 / 2 + kPerDollar / 400;
  const LeaseId second = f.market.Resell(f.next, f.trader, f.buyer, f.first, Price(3'000'000),
                                         Quantity(4), Tier::kPremium);
  f.Post();
  // All back but the surcharge of a tenth of a percent.
  CHECK(f.Free(f.buyer) == bought - kPerDollar / 400);
  CHECK(f.settlement.books().open_leases() == 1);
  const int64_t paid_for = f.Free(f.trader);
  f.DeliverNext({second}, 30);
  // Half of it: half of the half dollar; the trader has half its $3 and its surcharge back.
  CHECK(f.Free(f.buyer) == bought - kPerDollar / 400 + kPerDollar / 4);
  CHECK(f.Free(f.trader) == paid_for + kPerDollar * 3 / 2 + kPerDollar * 3 / 400);
  CHECK(f.Balance(Holding::kConsumed) == kPerDollar * 5 / 4);
  // $5 at $2: 2.5 TOK, less 5% and 2%.
  CHECK(f.Balance(f.provider, Holding::kTokens) == 2'325'000);
}

TEST_CASE("A reseller's loss is part of what the provider is paid, and of what is refunded") {
  ResaleFixture f;
  f.Post();
  const int64_t bought = f.Free(f.buyer) + kPerDollar * 5 / 2 + kPerDollar / 400;
  // Half of it is resold, and the new lease delivers a third.
  const LeaseId second = f.market.Resell(f.next, f.trader, f.buyer, f.first, Price(2'000'000),
                                         Quantity(2), Tier::kEconomy);
  f.Post();
  CHECK(f.Balance(f.buyer, Holding::kEscrow) ==
        kPerDollar * 5 / 4 + kPerDollar / 800 + kPerDollar / 4);
  const int64_t paid_for = f.Free(f.trader);
  f.DeliverNext({second}, 20);
  // The first lease was never started: all is refunded.
  CHECK(f.Free(f.buyer) == bought - kPerDollar / 800 - kPerDollar / 4 / 3);
  CHECK(f.Free(f.trader) == paid_for + kPerDollar * 2 / 3);
  CHECK(f.Balance(Holding::kConsumed) == kPerDollar * 5 / 4 / 3);
}

TEST_CASE("A chain of resales that fails refunds each payer its own") {
  ResaleFixture f;
  f.Post();
  const int64_t bought = f.Free(f.buyer) + kPerDollar * 5 / 2 + kPerDollar / 400;
  const int64_t trader = f.Free(f.trader), other = f.Free(f.other);
  const LeaseId second = f.market.Resell(f.next, f.trader, f.buyer, f.first, Price(3'000'000),
                                         Quantity(4), Tier::kEconomy);
  f.market.Resell(f.next, f.other, f.trader, second, Price(1'000'000), Quantity(4), Tier::kEconomy);
  f.Post();
  CHECK(f.Free(f.trader) == trader - 2 * kPerDollar);
  CHECK(f.Free(f.other) == other - kPerDollar);
  f.DeliverNext({}, 0);
  CHECK(f.Free(f.buyer) == bought - kPerDollar / 400);
  CHECK(f.Free(f.trader) == trader);
  CHECK(f.Free(f.other) == other);
  CHECK(f.Balance(Holding::kConsumed) == 0);
}

}  // namespace
}  // namespace warpbook::settlement
