// Disputes, with the real engine as the judge of each decision.
#include <doctest/doctest.h>

#include <string_view>

#include "tests/settlement/support/memory_settlement.h"
#include "tests/settlement/support/small_deal.h"

namespace warpbook::settlement {
namespace {

using test::SmallDeal;

constexpr int64_t kNotional = int64_t{2'500'000} * 8 * 58;
constexpr int64_t kDeposit = kNotional / 20;

struct DisputedDeal : SmallDeal {
  LeaseId lease;

  explicit DisputedDeal(int missing) : lease(Deliver(0, missing, false)) {
    settlement.Settle();
    wire::DisputeLease command;
    command.mutate_lease_id(lease.value());
    REQUIRE(market.Submit(command, buyer) == RejectReason::kNone);
    market.Seal();
    CHECK(settlement.Step().decided.empty());
  }
  void Judge(DisputeVerdict verdict, int32_t share, std::string_view reason) {
    wire::JudgeLease command;
    command.mutate_lease_id(lease.value());
    command.mutate_verdict(static_cast<uint8_t>(verdict));
    command.mutate_share(share);
    std::memcpy(command.mutable_reason()->Data(), reason.data(), reason.size());
    REQUIRE(market.Submit(command, market.operator_account()) == RejectReason::kNone);
    market.Seal();
  }
  Decision SettledAfter(int64_t seconds) {
    market.Advance(seconds - 1);
    market.SetPrice(test::kTwoDollars);
    market.Seal();
    CHECK(settlement.Step().decided.empty());
    market.Advance(1);
    market.Tick();
    const Decision decision = NextDecision();
    settlement.Deliver();
    settlement.Settle();
    CHECK(settlement.books().open_leases() == 0);
    CHECK(Balance(buyer, Holding::kEscrow) == 0);
    return decision;
  }
};

TEST_CASE("An undecided dispute is judged by its heartbeats after an hour: founded below 95%") {
  DisputedDeal deal(3);  // 55 of 58 minutes are 94.8%
  const int64_t free = deal.Balance(deal.buyer, Holding::kFree);
  CHECK(deal.Balance(deal.buyer, Holding::kEscrow) == kNotional / 1'000 * 1'001 + kDeposit);
  const Decision decision = deal.SettledAfter(60 * 60);
  CHECK(decision.verdict == DisputeVerdict::kFounded);
  CHECK(decision.delivered == Minutes(55));
  const int64_t earned = kNotional / 58 * 55;
  CHECK(deal.Balance(deal.buyer, Holding::kFree) ==
        free + kNotional / 1'000 * 1'001 + kDeposit - earned - decision.settlement.burned.value());
  CHECK(deal.Balance(deal.provider, Holding::kFree) == 0);
}

TEST_CASE("Where 95% of the minutes have a heartbeat the dispute is unfounded, its deposit paid") {
  DisputedDeal deal(2);  // 56 of 58: 96.6%
  const Decision decision = deal.SettledAfter(60 * 60);
  CHECK(decision.verdict == DisputeVerdict::kUnfounded);
  CHECK(deal.Balance(deal.provider, Holding::kFree) == kDeposit);
}

TEST_CASE("An operator's verdict stands, and is settled when no heartbeat can come any more") {
  DisputedDeal deal(0);
  deal.Judge(DisputeVerdict::kFounded, 2'500, "the probe failed");
  CHECK(deal.settlement.Step().decided.size() == 1);  // all its minutes have one
  const int64_t free = deal.Balance(deal.buyer, Holding::kFree);
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.Balance(Holding::kConsumed) == kNotional / 4);
  CHECK(deal.Balance(deal.buyer, Holding::kFree) >= free + kNotional / 4 * 3 + kDeposit);
  CHECK(deal.Balance(deal.provider, Holding::kFree) == 0);
}

TEST_CASE("A judged delivery with minutes missing waits for the last heartbeats") {
  DisputedDeal deal(3);
  deal.Judge(DisputeVerdict::kUnfounded, 10'000, "the buyer's own network");
  const Decision decision = deal.SettledAfter(6 * 60);
  CHECK(decision.verdict == DisputeVerdict::kUnfounded);
  CHECK(decision.delivered == Minutes(55));
  CHECK(deal.Balance(deal.provider, Holding::kFree) == kDeposit);
}

TEST_CASE("A dispute judged at a share of nothing refunds all, and needs no price") {
  DisputedDeal deal(0);
  deal.Judge(DisputeVerdict::kFounded, 0, "another model of GPU");
  deal.market.Advance(11 * 60);  // no feed is fresh
  deal.market.Tick();
  const Decision decision = deal.NextDecision();
  CHECK(decision.weight == 0);
  deal.settlement.Deliver();
  deal.settlement.Settle();
  CHECK(deal.Balance(Holding::kConsumed) == 0);
  CHECK(deal.Balance(Holding::kBurned) == 0);
  CHECK(deal.Balance(deal.buyer, Holding::kEscrow) == 0);
}

}  // namespace
}  // namespace warpbook::settlement
