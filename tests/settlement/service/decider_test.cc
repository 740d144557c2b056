// What is decided and when, with the real engine as the judge of each decision.
#include "settlement/service/decider.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "schema/types/arithmetic.h"
#include "settlement/tokens/supply.h"
#include "tests/settlement/support/memory_settlement.h"
#include "tests/settlement/support/small_deal.h"

namespace warpbook::settlement {
namespace {

using test::MemorySettlement;
using test::TestMarket;

using Fixture = test::SmallDeal;
using test::kTwoDollars;

TEST_CASE("A deposit is posted when it is read back, not before") {
  Fixture f(Tokens(0));
  const AccountId member = f.market.OpenMember();
  f.market.RequestDeposit(member, Tokens(5));
  const Decision decision = f.NextDecision();
  CHECK(decision.kind == DecisionKind::kPostDeposit);
  CHECK(f.Balance(member, Holding::kTokens) == 0);
  f.settlement.Deliver();
  CHECK(f.Balance(member, Holding::kTokens) == 0);
  f.settlement.Step();
  CHECK(f.Balance(member, Holding::kTokens) == 5);
  CHECK(f.settlement.outbox().size() == 0);
}

TEST_CASE("A reference posts one deposit, whether the first is posted or still on its way") {
  Fixture f(Tokens(0));
  f.market.RequestDeposit(f.buyer, Tokens(5), "wire-1");
  f.market.RequestDeposit(f.buyer, Tokens(5), "wire-1");
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  CHECK(changes.decided[0].kind == DecisionKind::kPostDeposit);
  CHECK(changes.decided[1].reason == RejectReason::kReferenceReused);
  f.settlement.Deliver();
  f.settlement.Settle();
  f.market.RequestDeposit(f.provider, Tokens(7), "wire-1");
  CHECK(f.NextRefusal() == RejectReason::kReferenceReused);
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 1'000'000'005);
}

TEST_CASE("A refused deposit leaves its reference unused") {
  Fixture f(Tokens(0));
  const int64_t outside = f.Balance(Holding::kOutside);
  f.market.RequestDeposit(f.buyer, Tokens(outside + 1), "wire-1");
  CHECK(f.NextRefusal() == RejectReason::kInsufficientTokens);
  f.market.RequestDeposit(f.buyer, Tokens(outside), "wire-1");
  CHECK(f.NextDecision().kind == DecisionKind::kPostDeposit);
}

TEST_CASE("Deposits on their way are no longer outside") {
  Fixture f(Tokens(0));
  const int64_t outside = f.Balance(Holding::kOutside);
  f.market.RequestDeposit(f.buyer, Tokens(outside - 10));
  f.market.RequestDeposit(f.buyer, Tokens(11));
  f.market.RequestDeposit(f.buyer, Tokens(10));
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 3);
  CHECK(changes.decided[1].reason == RejectReason::kInsufficientTokens);
  CHECK(changes.decided[2].kind == DecisionKind::kPostDeposit);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(Holding::kOutside) == 0);
}

TEST_CASE("A withdrawal is posted when it is read back, and its tokens are outside again") {
  Fixture f(Tokens(0));
  const int64_t outside = f.Balance(Holding::kOutside);
  f.market.RequestWithdrawal(f.buyer, Tokens(1'000'000'001));
  CHECK(f.NextRefusal() == RejectReason::kInsufficientTokens);
  f.market.RequestWithdrawal(f.buyer, Tokens(400'000'000));
  CHECK(f.NextDecision().kind == DecisionKind::kPostWithdrawal);
  f.settlement.Deliver();
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 1'000'000'000);
  f.settlement.Settle();
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 600'000'000);
  CHECK(f.Balance(Holding::kOutside) == outside + 400'000'000);
  // They may come in once more, for anybody.
  f.market.RequestDeposit(f.provider, Tokens(outside + 400'000'000));
  CHECK(f.NextDecision().kind == DecisionKind::kPostDeposit);
}

TEST_CASE("Withdrawals and top-ups on their way have spent their tokens, whichever came first") {
  Fixture f(Tokens(0));
  f.market.RequestWithdrawal(f.buyer, Tokens(600'000'000));
  f.market.RequestTopUp(f.buyer, Tokens(600'000'000));
  f.market.RequestWithdrawal(f.buyer, Tokens(600'000'000));
  f.market.RequestTopUp(f.buyer, Tokens(300'000'000));
  f.market.RequestWithdrawal(f.buyer, Tokens(100'000'001));
  f.market.RequestWithdrawal(f.buyer, Tokens(100'000'000));
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 6);
  CHECK(changes.decided[0].kind == DecisionKind::kPostWithdrawal);
  CHECK(changes.decided[1].reason == RejectReason::kInsufficientTokens);
  CHECK(changes.decided[2].reason == RejectReason::kInsufficientTokens);
  CHECK(changes.decided[3].kind == DecisionKind::kPostTopUp);
  CHECK(changes.decided[4].reason == RejectReason::kInsufficientTokens);
  CHECK(changes.decided[5].kind == DecisionKind::kPostWithdrawal);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 0);
}

TEST_CASE("A reference is used once by deposits and withdrawals together") {
  Fixture f(Tokens(0));
  f.market.RequestDeposit(f.buyer, Tokens(5), "wire-1");
  f.market.RequestWithdrawal(f.buyer, Tokens(5), "wire-1");
  f.market.RequestWithdrawal(f.buyer, Tokens(5), "wire-2");
  f.market.RequestWithdrawal(f.buyer, Tokens(5), "wire-2");
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 4);
  CHECK(changes.decided[0].kind == DecisionKind::kPostDeposit);
  CHECK(changes.decided[1].reason == RejectReason::kReferenceReused);
  CHECK(changes.decided[2].kind == DecisionKind::kPostWithdrawal);
  CHECK(changes.decided[3].reason == RejectReason::kReferenceReused);
  f.settlement.Deliver();
  f.settlement.Settle();
  f.market.RequestDeposit(f.buyer, Tokens(5), "wire-2");
  CHECK(f.NextRefusal() == RejectReason::kReferenceReused);
}

TEST_CASE("A top-up burns the tokens into the vault and makes the published credits") {
  Fixture f(Tokens(10'000'000));
  CHECK(f.Balance(f.buyer, Holding::kFree) == 1'197'000'000);
  CHECK(f.Balance(Holding::kVault) == 10'000'000);
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 990'000'000);
}

TEST_CASE(
    "A top-up is refused without tokens, without fresh prices, and while the low one is gone") {
  Fixture f(Tokens(0));
  f.market.RequestTopUp(f.buyer, Tokens(1'000'000'001));
  CHECK(f.NextRefusal() == RejectReason::kInsufficientTokens);
  f.market.Advance(11 * 60);
  f.market.RequestTopUp(f.buyer, Tokens(5));
  CHECK(f.NextRefusal() == RejectReason::kPricesUnavailable);
  // A leap whose deviation is more than half the mean: the low price is below zero.
  f.market.SetPrice(kMaxTokenPrice);
  f.market.RequestTopUp(f.buyer, Tokens(5));
  CHECK(f.NextRefusal() == RejectReason::kPricesUnavailable);
}

TEST_CASE("A top-up that would make no credit is refused as too small") {
  TestMarket market;
  MemorySettlement settlement(market);
  const AccountId member = market.OpenMember();
  market.RequestDeposit(member, Tokens(50'000));
  market.SetPrice(TokenPrice(1));
  market.Seal();
  settlement.Settle();
  market.RequestTopUp(member, Tokens(16'708));
  market.RequestTopUp(member, Tokens(16'709));
  market.Seal();
  const Changes changes = settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  CHECK(changes.decided[0].reason == RejectReason::kTopUpTooSmall);
  CHECK(changes.decided[1].credits == Credits(1));
}

TEST_CASE("Credits that 63 bits cannot hold are refused, counting those on their way") {
  TestMarket market;
  MemorySettlement settlement(market);
  const AccountId member = market.OpenMember();
  market.RequestDeposit(member, kGenesisTokens);
  market.SetPrice(kMaxTokenPrice);
  market.Seal();
  settlement.Settle();
  // 1,000 USD x 59.85 credits per uTOK: 100 million TOK make 5.985 x 10^18.
  const Tokens burn(100'000'000'000'000);
  for (int i = 0; i < 3; ++i) market.RequestTopUp(member, burn);
  market.Seal();
  const Changes changes = settlement.Step();
  REQUIRE(changes.decided.size() == 3);
  CHECK(changes.decided[0].kind == DecisionKind::kPostTopUp);
  CHECK(changes.decided[1].reason == RejectReason::kAmountOverflow);
  settlement.Deliver();
  settlement.Settle();
  market.RequestTopUp(member, burn);
  market.RequestTopUp(member, kGenesisTokens);
  market.Seal();
  const Changes later = settlement.Step();
  CHECK(later.decided[0].reason == RejectReason::kAmountOverflow);
  CHECK(later.decided[1].reason == RejectReason::kInsufficientTokens);
}

TEST_CASE("Top-ups on their way have spent their tokens") {
  Fixture f(Tokens(0));
  f.market.RequestTopUp(f.buyer, Tokens(600'000'000));
  f.market.RequestTopUp(f.buyer, Tokens(600'000'000));
  f.market.RequestTopUp(f.buyer, Tokens(400'000'000));
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 3);
  CHECK(changes.decided[1].reason == RejectReason::kInsufficientTokens);
  CHECK(changes.decided[2].kind == DecisionKind::kPostTopUp);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(f.buyer, Holding::kTokens) == 0);
}

TEST_CASE("A deposit on its way can be burned at once") {
  Fixture f(Tokens(0));
  const AccountId member = f.market.OpenMember();
  f.market.RequestDeposit(member, Tokens(700'000));
  f.market.RequestTopUp(member, Tokens(700'000));
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  CHECK(changes.decided[1].kind == DecisionKind::kPostTopUp);
  f.settlement.Deliver();
  f.settlement.Settle();
}

TEST_CASE("A completed delivery with all minutes is settled at once, to the published figures") {
  Fixture f;
  const int64_t vault = f.Balance(Holding::kVault);
  const LeaseId lease = f.Deliver(0, 0, true);
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 1);
  const Decision& decision = changes.decided.front();
  CHECK(decision.lease == lease);
  CHECK(decision.delivered == Minutes(58));  // two minutes' notice
  const Credits notional(2'500'000 * 8 * 58);
  CHECK(decision.settlement == Settle({notional, Surcharge(notional, Tier::kStandard), notional},
                                      kTwoDollars, {.vault = Tokens(vault)}));
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(f.provider, Holding::kTokens) == decision.settlement.provider.value());
  CHECK(f.Balance(Holding::kConsumed) == notional.value());
  CHECK(f.Balance(f.buyer, Holding::kEscrow) == 0);
  CHECK(f.settlement.books().open_leases() == 0);
}

TEST_CASE("Without the buyer's word a delivery is settled when the dispute time is over") {
  Fixture f;
  f.Deliver(0, 0, false);
  CHECK(f.settlement.Step().decided.empty());
  CHECK(f.DecisionsAfter(10 * 60 - 1) == 0);
  CHECK(f.DecisionsAfter(1) == 1);
}

TEST_CASE("Completed with minutes missing, it is settled when no heartbeat can come any more") {
  Fixture f;
  f.Deliver(0, 3, true);
  CHECK(f.settlement.Step().decided.empty());
  CHECK(f.DecisionsAfter(6 * 60 - 1) == 0);
  f.market.Advance(1);
  f.market.Tick();
  const Decision decision = f.NextDecision();
  CHECK(decision.delivered == Minutes(55));
  const int64_t free = f.Balance(f.buyer, Holding::kFree);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(f.buyer, Holding::kFree) > free);
}

TEST_CASE("A no-show is refunded whole at once, also without prices") {
  Fixture f;
  const int64_t free = f.Balance(f.buyer, Holding::kFree);
  f.market.Trade(f.window, f.buyer, f.provider, f.node, Price(2'500'000), Quantity(8),
                 Tier::kPremium);
  f.market.AdvanceTo(test::kMarketStart.PlusMinutes(60));
  f.market.CloseWindow(f.window);
  const Decision decision = f.NextDecision();
  CHECK(decision.settlement.consumed == Credits(0));
  CHECK(f.Balance(f.buyer, Holding::kEscrow) == 2'500'000 * 8 * 58 / 1'000 * 1'005);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(f.buyer, Holding::kFree) == free);
}

TEST_CASE("Settlements wait for prices; what needs none does not wait behind them") {
  Fixture f;
  f.Deliver(0, 0, true);
  f.market.Advance(11 * 60);
  const InstrumentId next = f.market.OpenWindow(f.market.now());
  f.market.Trade(next, f.buyer, f.provider, f.node, Price(2'500'000), Quantity(1), Tier::kEconomy);
  f.market.Advance(60 * 60);
  f.market.CloseWindow(next);
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 1);
  CHECK(changes.decided[0].settlement.consumed == Credits(0));
  f.settlement.Deliver();
  f.settlement.Settle();
  f.market.SetPrice(kTwoDollars);
  CHECK(f.NextDecision().settlement.consumed > Credits(0));
  f.settlement.Deliver();
  f.settlement.Settle();
}

TEST_CASE("What the vault cannot pay is owed and waits") {
  // Credits bought when TOK was dear; the work is paid when it is cheap.
  Fixture f(Tokens(12'000'000), Tokens(0));
  f.Deliver(0, 0, true);
  f.FallTo(TokenPrice(1'000'000));
  const Decision decision = f.NextDecision();
  CHECK(decision.settlement.owed > Credits(0));
  CHECK((decision.settlement.provider + decision.settlement.fee).value() ==
        f.Balance(Holding::kVault));
  CHECK(decision.settlement.retire == Tokens(0));
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(Holding::kVault) == 0);
  CHECK(f.Balance(f.buyer, Holding::kOwed) == decision.settlement.owed.value());
}

TEST_CASE("The vault is spent once, also by settlements on their way") {
  Fixture f(Tokens(12'000'000), Tokens(0));
  // Two leases of half the size share what the vault has.
  const auto trade = [&] {
    return f.market.Trade(f.window, f.buyer, f.provider, f.node, Price(2'500'000), Quantity(4),
                          Tier::kEconomy);
  };
  const LeaseId leases[] = {trade(), trade()};
  f.market.Advance(120);
  for (const LeaseId lease : leases) {
    wire::StartLease start;
    start.mutate_lease_id(lease.value());
    CHECK(f.market.Submit(start, f.provider) == RejectReason::kNone);
  }
  for (; f.market.now() < test::kMarketStart.PlusMinutes(60); f.market.Advance(60)) {
    for (const LeaseId lease : leases) {
      wire::HeartbeatLease heartbeat;
      heartbeat.mutate_lease_id(lease.value());
      heartbeat.mutate_minute_us(f.market.now().micros());
      CHECK(f.market.Submit(heartbeat, f.provider) == RejectReason::kNone);
    }
  }
  f.market.CloseWindow(f.window);
  f.market.Advance(10 * 60);
  f.FallTo(TokenPrice(1'000'000));
  f.market.Seal();
  const int64_t vault = f.Balance(Holding::kVault);
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  Tokens paid;
  for (const Decision& decision : changes.decided) {
    paid += decision.settlement.provider + decision.settlement.fee + decision.settlement.retire;
  }
  CHECK(paid == Tokens(vault));
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.Balance(Holding::kVault) == 0);
}

TEST_CASE(
    "While the outbox holds as many requests as it may no other is decided, and none is lost") {
  TestMarket market;
  MemorySettlement settlement(market);
  const AccountId member = market.OpenMember();
  const size_t requests = kPendingRequestDecisionsMax + 10;
  for (size_t i = 0; i < requests; ++i) market.RequestDeposit(member, Tokens(1));
  market.Seal();
  CHECK(settlement.Step().decided.size() == kPendingRequestDecisionsMax);
  CHECK(settlement.Step().decided.empty());
  settlement.Deliver();
  CHECK(settlement.Step().decided.size() == 10);
  settlement.Deliver();
  settlement.Settle();
  CHECK(settlement.books().ledger().balance(LedgerAccount(member, Holding::kTokens)) ==
        static_cast<int64_t>(requests));
}

TEST_CASE("However many requests are open, a lease that is due is settled in the same turn") {
  Fixture f;
  const LeaseId lease = f.Deliver(0, 0, true);
  for (size_t i = 0; i < 2 * kPendingDecisionsMax; ++i) f.market.RequestDeposit(f.buyer, Tokens(1));
  f.market.Seal();
  const Changes changes = f.settlement.Step();
  REQUIRE(changes.decided.size() == kPendingRequestDecisionsMax + 1);
  CHECK(changes.decided.back().lease == lease);
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.settlement.books().open_requests().empty());
}

TEST_CASE("Leases fill an outbox in which there is nothing else, and no further") {
  Fixture f;
  constexpr size_t kLeasesPerWindow = 100;  // the node's GPUs
  constexpr size_t kWindows = kPendingDecisionsMax / kLeasesPerWindow + 1;
  for (size_t i = 0; i < kWindows; ++i) {
    f.market.Advance(60 * 60);
    const InstrumentId window = f.market.OpenWindow(f.market.now());
    for (size_t k = 0; k < kLeasesPerWindow; ++k) {
      f.market.Trade(window, f.buyer, f.provider, f.node, Price(50'000), Quantity(1),
                     Tier::kEconomy);
    }
    f.market.Advance(60 * 60);
    f.market.CloseWindow(window);  // a no-show: due at once
  }
  f.market.RequestDeposit(f.buyer, Tokens(1));
  f.market.Seal();
  const size_t leases = kWindows * kLeasesPerWindow;
  Changes changes = f.settlement.Step();
  while (changes.decided.front().kind == DecisionKind::kCloseEpoch) {
    f.settlement.Deliver();
    changes = f.settlement.Step();
  }
  CHECK(changes.decided.size() == kPendingDecisionsMax);
  CHECK(changes.decided.front().kind == DecisionKind::kPostDeposit);
  f.settlement.Deliver();
  CHECK(f.settlement.Step().decided.size() == leases - (kPendingDecisionsMax - 1));
  f.settlement.Deliver();
  f.settlement.Settle();
  CHECK(f.settlement.books().open_leases() == 0);
}

TEST_CASE("Numbers go on behind what the journal and the outbox hold") {
  Fixture f;  // has made decisions 1 and 2
  f.market.RequestDeposit(f.buyer, Tokens(1));
  CHECK(f.NextDecision().number == 3);
  f.market.RequestDeposit(f.buyer, Tokens(1));
  CHECK(f.NextDecision().number == 4);
}

TEST_CASE("Random markets keep every invariant, with the engine's totals at each checkpoint") {
  int64_t owed = 0;
  int64_t settled = 0;
  int gains = 0;
  int losses = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    TestMarket market(seed);
    // Some days have next to nothing to emit.
    const Tokens budget = seed % 2 == 0 ? Tokens(1'000'000) : DailyEmission(kEmissionPool);
    MemorySettlement settlement(market, budget);
    for (int hour = 0; hour < (seed % 5 == 0 ? 24 : 12); ++hour) {
      market.RunHour();  // holds checkpoints, each of which the books compare
      for (int minute = 0; minute < 13; ++minute) {
        market.Advance(60);
        market.SetMarketPrice();
        market.Tick(1);
        market.Seal();
        settlement.Settle();
      }
    }
    market.EndLastWindow();
    settlement.Settle();
    const Ledger& ledger = settlement.books().ledger();
    CHECK(settlement.books().open_leases() == 0);
    CHECK(ledger.total(Holding::kEscrow) == 0);
    CHECK(ledger.total(Holding::kFree) == market.engine().Totals().free.value());
    market.engine().CheckInvariants();
    owed += ledger.total(Holding::kOwed);
    settled += ledger.total(Holding::kConsumed);
    // Double entry from the transfers alone, by another sum.
    int128 sum[2] = {0, 0};
    absl::flat_hash_map<LedgerAccount, int64_t> balances;
    balances[LedgerAccount(Holding::kIssuance)] = -kGenesisTokens.value();
    balances[LedgerAccount(Holding::kOutside)] = kGenesisTokens.value();
    for (const Transfer& transfer : settlement.transfers()) {
      if (transfer.debit == LedgerAccount(Holding::kClearing)) {
        ++(transfer.credit.holding() == Holding::kFree ? gains : losses);
      }
      balances[transfer.debit] -= transfer.amount;
      balances[transfer.credit] += transfer.amount;
    }
    for (const auto& [account, balance] : balances) {
      CHECK(ledger.balance(account) == balance);
      sum[account.asset() == Asset::kTok ? 0 : 1] += balance;
    }
    CHECK(sum[0] == 0);
    CHECK(sum[1] == 0);
  }
  CHECK(settled > 0);
  CHECK(owed > 0);
  // Resold at a gain that was paid, and at a loss.
  CHECK(gains > 20);
  CHECK(losses > 50);
}

}  // namespace
}  // namespace warpbook::settlement
