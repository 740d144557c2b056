// Emission, deferred payments, the close of days and the marks of owners, with the real engine as
// the judge of each decision.
#include <doctest/doctest.h>

#include <algorithm>

#include "schema/types/arithmetic.h"
#include "settlement/tokens/funding.h"
#include "settlement/tokens/owner_size.h"
#include "settlement/tokens/supply.h"
#include "settlement/tokens/work_bonus.h"
#include "tests/settlement/support/memory_settlement.h"
#include "tests/settlement/support/small_deal.h"

namespace warpbook::settlement {
namespace {

using test::SmallDeal;

constexpr Tokens kWholeBudget = DailyEmission(kEmissionPool);

struct Deal : SmallDeal {
  using SmallDeal::SmallDeal;

  const DayRow& day() const { return settlement.books().days().day(); }
  Tokens emitted() const { return settlement.books().ledger().counters().emitted; }
  // Closes the day under way: the next one begins, with fresh prices.
  std::vector<Decision> EndDay(TokenPrice closing = test::kTwoDollars) {
    constexpr int64_t kMicrosPerDay = 86'400'000'000;
    market.AdvanceTo(Timestamp((int64_t{day().day} + 1) * kMicrosPerDay));
    FallTo(closing);
    market.Seal();
    std::vector<Decision> decided;
    while (true) {
      const auto more = settlement.Step().decided;
      if (more.empty()) return decided;
      decided.insert(decided.end(), more.begin(), more.end());
      settlement.Deliver();
    }
  }
};

TEST_CASE("Under stress what is due is minted first, and the vault pays the rest") {
  Deal deal(Tokens(12'000'000), Tokens(20'000'000));
  const int64_t vault = deal.Balance(Holding::kVault);
  deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  const Decision decision = deal.NextDecision();
  const Settlement& paid = decision.settlement;
  CHECK(deal.day().coverage == CoverageState::kStressed);
  CHECK(paid.owed == Credits(0));
  CHECK(paid.emitted == Tokens(10'000'000));
  CHECK(paid.provider + paid.fee > paid.emitted);
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.Balance(Holding::kVault) ==
        vault - (paid.provider + paid.fee - paid.emitted + paid.retire).value());
  CHECK(deal.emitted() == paid.emitted);
  CHECK(deal.day().emission.spent == paid.emitted);
  CHECK(deal.Balance(deal.provider, Holding::kTokens) == paid.provider.value());
  CHECK(deal.Balance(Holding::kFee) == paid.fee.value());
}

TEST_CASE("Half of a day's emission pays for work; the rest is owed, and paid first on the next") {
  Deal deal(Tokens(12'000'000), Tokens(8'000'000));
  deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  const Decision first = deal.NextDecision();
  CHECK(first.settlement.emitted == Tokens(4'000'000));
  CHECK(first.settlement.owed > Credits(0));
  deal.settlement.Deliver();
  deal.settlement.Settle();
  REQUIRE(deal.settlement.books().owed().size() == 1);
  CHECK(deal.Balance(deal.buyer, Holding::kOwed) == first.settlement.owed.value());

  const std::vector<Decision> decided = deal.EndDay(TokenPrice(1'000'000));
  const auto deferred = std::ranges::find(decided, DecisionKind::kPayDeferred, &Decision::kind);
  REQUIRE(deferred != decided.end());
  CHECK(deferred->settlement.consumed == first.settlement.owed);
  CHECK(deferred->settlement.gross == GrossTokens(first.settlement.owed, TokenPrice(1'000'000)));
  CHECK(deal.settlement.books().owed().empty());
  CHECK(deal.Balance(deal.buyer, Holding::kOwed) == 0);
  Tokens minted = first.settlement.emitted;
  for (const Decision& decision : decided) minted += decision.settlement.emitted;
  CHECK(deal.emitted() == minted);
}

TEST_CASE("A trickle of top-ups does not keep what is due from being settled") {
  Deal deal(Tokens(25'000'000), Tokens(0));
  const LeaseId first = deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(500'000));
  deal.market.Seal();
  deal.settlement.Settle();
  REQUIRE(deal.settlement.books().FindOwed(first) != nullptr);
  deal.NextWindow();
  deal.Deliver(0, 0, true);
  // One that pays a little of what is owed comes in at every step.
  bool settled = false;
  for (int i = 0; i < 3 && !settled; ++i) {
    deal.market.RequestTopUp(deal.buyer, Tokens(100'000));
    deal.market.Seal();
    const auto decided = deal.settlement.Step().decided;
    settled =
        std::ranges::find(decided, DecisionKind::kSettleLease, &Decision::kind) != decided.end();
    deal.settlement.Deliver();
  }
  CHECK(settled);
  deal.settlement.Settle();
  CHECK(deal.settlement.books().owed().size() == 2);
}

TEST_CASE("Who waits longest is paid first, and nobody new before them") {
  Deal deal(Tokens(12'000'000), Tokens(0));
  const LeaseId first = deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  deal.market.Seal();
  deal.settlement.Settle();
  REQUIRE(deal.settlement.books().FindOwed(first) != nullptr);
  const Credits owed = deal.settlement.books().FindOwed(first)->left;
  // The second lease's buyer has credits left; the vault is empty.
  deal.NextWindow();
  deal.market.RequestTopUp(deal.buyer, Tokens(20'000'000));
  deal.market.Seal();
  const Changes changes = deal.settlement.Step();
  REQUIRE(changes.decided.size() == 2);  // what the top-up burns is spent at once
  const Decision& payment = changes.decided[1];
  CHECK(payment.kind == DecisionKind::kPayDeferred);
  CHECK(payment.lease == first);
  CHECK(payment.settlement.consumed == owed);
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.settlement.books().owed().empty());
  CHECK(deal.settlement.books().ledger().total(Holding::kOwed) == 0);
}

TEST_CASE("A part is paid of what is owed, and what is due meanwhile waits behind it") {
  Deal deal(Tokens(12'000'000), Tokens(0));
  const LeaseId first = deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  deal.market.Seal();
  deal.settlement.Settle();
  const Credits owed = deal.settlement.books().FindOwed(first)->left;
  deal.market.RequestTopUp(deal.buyer, Tokens(1'000'000));
  deal.market.Seal();
  const Changes changes = deal.settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  CHECK(changes.decided[1].settlement.consumed < owed);
  CHECK(deal.settlement.outbox().leaves_owed());
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.settlement.books().FindOwed(first)->left ==
        owed - changes.decided[1].settlement.consumed);
  CHECK_FALSE(deal.settlement.outbox().leaves_owed());
}

TEST_CASE("A day is closed once by the market's clock, and its bonus is 4% of the work at most") {
  Deal deal;
  deal.Deliver(0, 0, true);
  deal.settlement.Settle();
  const int32_t day = deal.day().day;
  const int64_t before = deal.Balance(deal.provider, Holding::kTokens);
  const std::vector<Decision> decided = deal.EndDay();
  REQUIRE(decided.size() == 2);
  const EpochTotals& close = decided[0].epoch;
  CHECK(decided[0].kind == DecisionKind::kCloseEpoch);
  CHECK(close.day == day);
  CHECK(close.budget == kWholeBudget);
  CHECK(close.emitted == Tokens(0));
  const Decision& bonus = decided[1];
  CHECK(bonus.kind == DecisionKind::kPayBonus);
  CHECK(bonus.account == deal.provider);
  CHECK(bonus.epoch.gross == close.gross);
  CHECK(bonus.epoch.bonus == close.bonus);
  CHECK(close.bonus == Tokens(close.gross.value() * 4 / 100));
  CHECK(deal.Balance(deal.provider, Holding::kTokens) == before + close.bonus.value());
  CHECK(deal.emitted() == close.bonus);
  CHECK(deal.day().day == day + 1);
  CHECK(deal.day().emission.budget == DailyEmission(kEmissionPool - close.bonus));
  CHECK(deal.settlement.books().days().due_bonuses().empty());
  // Nothing is closed again.
  deal.market.Tick();
  deal.market.Seal();
  CHECK(deal.settlement.Step().decided.empty());
}

TEST_CASE("A bonus that was promised is paid, whatever coverage is when the close is read back") {
  Deal deal;
  deal.Deliver(0, 0, true);
  deal.settlement.Settle();
  deal.market.AdvanceTo(Timestamp((int64_t{deal.day().day} + 1) * 86'400'000'000));
  deal.market.SetPrice(test::kTwoDollars);
  const Decision close = deal.NextDecision();
  CHECK(close.kind == DecisionKind::kCloseEpoch);
  CHECK(close.epoch.bonus > Tokens(0));
  deal.FallTo(TokenPrice(1'000'000));
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.day().coverage == CoverageState::kStressed);
  CHECK(deal.emitted() == close.epoch.bonus);
}

TEST_CASE("No bonus is paid that was not promised, whatever coverage is then") {
  Deal deal(Tokens(100'000'000));
  deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  deal.market.Seal();
  deal.settlement.Settle();
  const Tokens before = deal.emitted();
  deal.market.AdvanceTo(Timestamp((int64_t{deal.day().day} + 1) * 86'400'000'000));
  deal.market.SetPrice(TokenPrice(1'000'000));
  const Decision close = deal.NextDecision();
  CHECK(close.kind == DecisionKind::kCloseEpoch);
  CHECK(close.epoch.bonus == Tokens(0));
  deal.FallTo(TokenPrice(20'000'000));
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.day().coverage == CoverageState::kSound);
  CHECK(deal.emitted() == before);
}

TEST_CASE("Days without a market are closed one by one") {
  Deal deal;
  const int32_t day = deal.day().day;
  deal.market.Advance(3 * 86'400);
  deal.market.Tick();
  deal.market.Seal();
  deal.settlement.Settle();
  CHECK(deal.day().day == day + 3);
  CHECK(deal.emitted() == Tokens(0));
  CHECK(deal.day().emission.budget == kWholeBudget);
}

TEST_CASE("Half of what the vault holds too much is retired at the day's close") {
  Deal deal;
  const Tokens vault(deal.Balance(Holding::kVault));
  const Credits debt = deal.settlement.books().debt();
  constexpr TokenPrice kDear(20'000'000);
  const std::vector<Decision> decided = deal.EndDay(kDear);
  const Tokens surplus = SurplusToRetire(vault, kDear, debt);
  CHECK(surplus > Tokens(0));
  CHECK(decided[0].epoch.retire == surplus);
  CHECK(deal.Balance(Holding::kVault) == (vault - surplus).value());
  CHECK(deal.settlement.books().ledger().counters().retired == surplus);
}

TEST_CASE("Under stress emission pays before the vault does, and there is no bonus") {
  Deal deal(Tokens(100'000'000));
  deal.Deliver(0, 0, true);
  deal.FallTo(TokenPrice(1'000'000));
  const Decision decision = deal.NextDecision();
  CHECK(deal.day().coverage == CoverageState::kStressed);
  CHECK(decision.settlement.emitted == decision.settlement.provider + decision.settlement.fee);
  CHECK(decision.settlement.retire == Tokens(0));
  deal.settlement.Deliver();
  deal.settlement.Settle();
  const std::vector<Decision> decided = deal.EndDay(TokenPrice(1'000'000));
  CHECK(decided[0].epoch.bonus == Tokens(0));
  CHECK(decided[0].epoch.gross > Tokens(0));
  CHECK(decided.size() == 1);
}

TEST_CASE("An owner above the thresholds is marked, and refused until it is verified") {
  Deal deal(Tokens(0));
  const AccountId whale = deal.market.OpenUnverifiedMember();
  const Tokens one_percent(kGenesisTokens.value() / 100);
  deal.market.RequestDeposit(whale, one_percent);
  deal.market.Seal();
  deal.settlement.Settle();
  CHECK_FALSE(deal.settlement.books().FindOwner(whale)->large);
  deal.market.RequestDeposit(whale, Tokens(1));
  deal.market.Seal();
  deal.settlement.Step();
  deal.settlement.Deliver();
  deal.market.RequestTopUp(whale, Tokens(1'000'000));  // before the engine knows
  deal.market.Seal();
  const Changes changes = deal.settlement.Step();
  REQUIRE(changes.decided.size() == 2);
  CHECK(changes.decided[0].reason == RejectReason::kOwnerNotVerified);
  CHECK(changes.decided[1].kind == DecisionKind::kMarkOwner);
  CHECK(changes.decided[1].large);
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.settlement.books().FindOwner(whale)->large);
  wire::RequestTopUp top_up;
  top_up.mutate_burn_utok(1'000'000);
  CHECK(deal.market.Submit(top_up, whale) == RejectReason::kOwnerNotVerified);
  deal.market.VerifyOwner(whale);
  CHECK(deal.market.Submit(top_up, whale) == RejectReason::kNone);
  deal.market.Seal();
  deal.settlement.Settle();
  // What is burned is no longer held: the mark goes.
  CHECK_FALSE(deal.settlement.books().FindOwner(whale)->large);
}

TEST_CASE("An owner becomes large by what others burn") {
  Deal deal(Tokens(0));
  const AccountId whale = deal.market.OpenUnverifiedMember();
  deal.market.RequestDeposit(whale, Tokens(kGenesisTokens.value() / 100));
  deal.market.Seal();
  deal.settlement.Settle();
  CHECK_FALSE(deal.settlement.books().FindOwner(whale)->large);
  deal.market.RequestTopUp(deal.buyer, Tokens(100'000'000));
  deal.market.Seal();
  deal.settlement.Settle();
  CHECK(deal.settlement.books().FindOwner(whale)->large);
  CHECK(deal.settlement.books().OwnersToMark().empty());
}

TEST_CASE("Work settled counts for thirty days, for the provider and for the buyer") {
  Deal deal;
  deal.Deliver(0, 0, true);
  deal.settlement.Settle();
  const Credits settled(deal.Balance(Holding::kConsumed));
  const EmissionDays& days = deal.settlement.books().days();
  CHECK(days.RecentNotional(deal.provider) == settled);
  CHECK(days.RecentNotional(deal.buyer) == settled);
  const auto advance = [&deal](int count) {
    deal.market.Advance(int64_t{count} * 86'400);
    deal.market.SetPrice(test::kTwoDollars);
    deal.market.Seal();
    deal.settlement.Settle();
  };
  advance(29);
  CHECK(days.RecentNotional(deal.provider) == settled);
  advance(1);
  CHECK(days.RecentNotional(deal.provider) == Credits(0));
  CHECK(days.RecentNotional(deal.buyer) == Credits(0));
}

TEST_CASE("What an owner is large by is published, and exceeded by one more") {
  CHECK_FALSE(IsLarge(kOwnerNotionalMax, Tokens(0), Tokens(100)));
  CHECK(IsLarge(kOwnerNotionalMax + Credits(1), Tokens(0), Tokens(100)));
  CHECK_FALSE(IsLarge(Credits(0), Tokens(1), Tokens(100)));
  CHECK(IsLarge(Credits(0), Tokens(2), Tokens(199)));
  CHECK(IsLarge(Credits(0), kMaxTokens, kMaxTokens));
}

}  // namespace
}  // namespace warpbook::settlement
