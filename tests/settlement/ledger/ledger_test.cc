#include "settlement/ledger/ledger.h"

#include <doctest/doctest.h>

#include <limits>

#include "schema/types/reject_reason.h"
#include "settlement/ledger/postings.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

constexpr AccountId kAlice = AccountId(17);
constexpr AccountId kBob = AccountId(18);

Transfer Make(uint64_t event, LedgerAccount debit, LedgerAccount credit, int64_t amount) {
  return {EventSequence(event), 0, debit, credit, amount, LeaseId()};
}

Ledger WithGenesis() {
  Ledger ledger;
  CHECK(ledger.Post(GenesisPosting()).ok());
  return ledger;
}

TEST_CASE("Account numbers name their owner, holding and asset, and nothing else") {
  CHECK(LedgerAccount(Holding::kIssuance).number() == 1);
  CHECK(LedgerAccount(kAlice, Holding::kFree).number() == 17 * 16 + 9);
  for (const HoldingInfo& info : kHoldings) {
    const LedgerAccount account =
        info.of_member ? LedgerAccount(kAlice, info.holding) : LedgerAccount(info.holding);
    CHECK(account.holding() == info.holding);
    CHECK(account.asset() == info.asset);
    CHECK(account.member() == (info.of_member ? kAlice : AccountId()));
    CHECK(LedgerAccount::FromNumber(account.number()) == account);
  }
  const LedgerAccount last(AccountId(LedgerAccount::kMemberMax), Holding::kOwed);
  CHECK(LedgerAccount::FromNumber(last.number()) == last);
  // No holding, a holding that does not exist, a member's without a member, the exchange's with
  // one.
  for (const int64_t number :
       {0, 14, 16, 17 * 16, 17 * 16 + 13, 17 * 16 + 14, 9, 17 * 16 + 1, -1}) {
    CHECK_FALSE(LedgerAccount::FromNumber(number));
  }
}

TEST_CASE("Genesis puts all tokens outside") {
  const Ledger ledger = WithGenesis();
  CHECK(ledger.balance(LedgerAccount(Holding::kIssuance)) == -kGenesisTokens.value());
  CHECK(ledger.balance(LedgerAccount(Holding::kOutside)) == kGenesisTokens.value());
  CHECK(ledger.counters().genesis == kGenesisTokens);
}

TEST_CASE("A transfer moves its amount, counts, and is reported as changed once") {
  Ledger ledger = WithGenesis();
  ledger.TakeChanged();
  const TokenMove deposit = DepositMove(kAlice, Tokens(500));
  CHECK(ledger.Post(Make(1, deposit.debit, deposit.credit, 500)).ok());
  const TokenMove burn = TopUpMove(kAlice, Tokens(200));
  CHECK(ledger.Post(Make(2, burn.debit, burn.credit, 200)).ok());
  const TokenMove withdrawal = WithdrawalMove(kAlice, Tokens(50));
  CHECK(ledger.Post(Make(3, withdrawal.debit, withdrawal.credit, 50)).ok());
  CHECK(ledger.balance(LedgerAccount(kAlice, Holding::kTokens)) == 250);
  CHECK(ledger.balance(LedgerAccount(Holding::kVault)) == 200);
  CHECK(ledger.balance(LedgerAccount(Holding::kOutside)) == kGenesisTokens.value() - 450);
  CHECK(ledger.total(Holding::kTokens) == 250);
  CHECK(ledger.counters().deposited == Tokens(500));
  CHECK(ledger.counters().withdrawn == Tokens(50));
  CHECK(ledger.counters().burned == Tokens(200));
  const auto changed = ledger.TakeChanged();
  REQUIRE(changed.size() == 3);
  CHECK(changed[0] == std::pair(LedgerAccount(Holding::kVault), int64_t{200}));
  CHECK(changed[1].first == LedgerAccount(Holding::kOutside));
  CHECK(changed[2] == std::pair(LedgerAccount(kAlice, Holding::kTokens), int64_t{250}));
  CHECK(ledger.TakeChanged().empty());
}

TEST_CASE("A transfer that no ledger may hold is refused, and changes nothing") {
  Ledger ledger = WithGenesis();
  CHECK(ledger
            .Post(Make(1, LedgerAccount(Holding::kOutside), LedgerAccount(kAlice, Holding::kTokens),
                       100))
            .ok());
  CHECK(ledger
            .Post(Make(2, LedgerAccount(Holding::kIssued), LedgerAccount(kAlice, Holding::kFree),
                       1'000))
            .ok());
  const HoldingTotals totals = ledger.totals();
  const SupplyCounters counters = ledger.counters();
  ledger.TakeChanged();

  const LedgerAccount tokens(kAlice, Holding::kTokens);
  const LedgerAccount free(kAlice, Holding::kFree);
  const LedgerAccount locked(kAlice, Holding::kLocked);
  const LedgerAccount escrow(kAlice, Holding::kEscrow);
  const LedgerAccount vault(Holding::kVault);
  struct Row {
    Transfer transfer;
    const char* why;
  };
  const Row rows[] = {
      {Make(3, free, locked, 0), "not positive"},
      {Make(3, free, locked, -5), "not positive"},
      {Make(3, tokens, locked, 5), "assets differ"},
      {Make(3, tokens, vault, 101), "only 100"},
      {Make(3, tokens, LedgerAccount(Holding::kOutside), 101), "only 100"},
      {Make(3, free, locked, 1'001), "only 1000"},
      {Make(3, vault, tokens, 1), "only 0"},
      {Make(3, escrow, free, 1), "only 0"},
      // Between members, backwards, and moves that nobody makes.
      {Make(3, free, LedgerAccount(kBob, Holding::kFree), 5), "knows no such"},
      {Make(3, free, LedgerAccount(kBob, Holding::kLocked), 5), "knows no such"},
      {Make(3, tokens, LedgerAccount(kBob, Holding::kTokens), 5), "knows no such"},
      {Make(3, free, LedgerAccount(Holding::kIssued), 5), "knows no such"},
      {Make(3, free, LedgerAccount(Holding::kConsumed), 5), "knows no such"},
      {Make(3, LedgerAccount(Holding::kIssued), escrow, 5), "knows no such"},
      {Make(3, free, LedgerAccount(Holding::kClearing), 5), "knows no such"},
      {Make(3, LedgerAccount(Holding::kClearing), locked, 5), "knows no such"},
      {Make(3, LedgerAccount(Holding::kClearing), free, 5), "only 0"},
      {Make(3, LedgerAccount(Holding::kOutside), vault, 5), "knows no such"},
      // Genesis happens before the first event, and only it.
      {Make(3, LedgerAccount(Holding::kIssuance), LedgerAccount(Holding::kOutside), 5),
       "knows no such"},
      {Make(0, LedgerAccount(Holding::kOutside), tokens, 5), "knows no such"},
      {Make(3, LedgerAccount(Holding::kIssued), free, std::numeric_limits<int64_t>::max()),
       "63 bits"},
  };
  for (const Row& row : rows) {
    const absl::Status status = ledger.Post(row.transfer);
    CAPTURE(status.ToString());
    CHECK(absl::IsFailedPrecondition(status));
    CHECK(std::string(status.message()).find(row.why) != std::string::npos);
  }
  CHECK(ledger.totals() == totals);
  CHECK(ledger.counters() == counters);
  CHECK(ledger.TakeChanged().empty());
}

TEST_CASE("A restored ledger has the stored balances and totals") {
  const LedgerAccount free(kAlice, Holding::kFree);
  const LedgerAccount other(kBob, Holding::kFree);
  const auto ledger = Ledger::Restore({{free, 5}, {other, 7}}, SupplyCounters());
  REQUIRE(ledger.ok());
  CHECK(ledger->balance(other) == 7);
  CHECK(ledger->total(Holding::kFree) == 12);
  const int64_t most = std::numeric_limits<int64_t>::max();
  CHECK(absl::IsDataLoss(Ledger::Restore({{free, most}, {other, 1}}, SupplyCounters()).status()));
}

// ---- Which transfers an event is ----

TEST_CASE("Each move of credits is one transfer, by its buckets") {
  wire::CreditsMoved event;
  event.mutable_header().mutate_event_sequence(9);
  event.mutable_header().mutate_account_id(kAlice.value());
  event.mutate_amount(40);
  event.mutate_lease_id(3);
  event.mutate_source(static_cast<uint8_t>(CreditBucket::kEscrow));
  event.mutate_destination(static_cast<uint8_t>(CreditBucket::kConsumed));
  std::vector<Transfer> transfers;
  REQUIRE(AppendPostings(event, transfers).ok());
  CHECK(transfers ==
        std::vector<Transfer>{{EventSequence(9), 0, LedgerAccount(kAlice, Holding::kEscrow),
                               LedgerAccount(Holding::kConsumed), 40, LeaseId(3)}});
}

TEST_CASE("Moves that no engine makes are faults") {
  const auto status = [](uint64_t account, int64_t amount, uint8_t source, uint8_t destination) {
    wire::CreditsMoved event;
    event.mutable_header().mutate_account_id(account);
    event.mutate_amount(amount);
    event.mutate_source(source);
    event.mutate_destination(destination);
    std::vector<Transfer> transfers;
    const absl::Status result = AppendPostings(event, transfers);
    CHECK(result.ok() != transfers.empty());
    return result;
  };
  CHECK(status(17, 1, 1, 2).ok());
  CHECK(absl::IsInvalidArgument(status(0, 1, 1, 2)));
  CHECK(absl::IsInvalidArgument(status(uint64_t{1} << 59, 1, 1, 2)));
  CHECK(absl::IsInvalidArgument(status(17, 0, 1, 2)));
  CHECK(absl::IsInvalidArgument(status(17, -1, 1, 2)));
  CHECK(absl::IsInvalidArgument(status(17, 1, 1, 1)));
  CHECK(absl::IsInvalidArgument(status(17, 1, 8, 1)));
  CHECK(absl::IsInvalidArgument(status(17, 1, 1, 255)));
}

TEST_CASE("Tokens come from outside, go to the vault or out again; a refusal moves nothing") {
  wire::RequestDecided event;
  event.mutable_header().mutate_event_sequence(5);
  event.mutable_header().mutate_account_id(kAlice.value());
  event.mutate_amount_utok(70);
  event.mutate_kind(static_cast<uint8_t>(RequestKind::kDeposit));
  std::vector<Transfer> transfers;
  REQUIRE(AppendPostings(event, transfers).ok());
  REQUIRE(transfers.size() == 1);
  CHECK(transfers[0].debit == LedgerAccount(Holding::kOutside));
  CHECK(transfers[0].credit == LedgerAccount(kAlice, Holding::kTokens));
  event.mutate_kind(static_cast<uint8_t>(RequestKind::kTopUp));
  REQUIRE(AppendPostings(event, transfers).ok());
  REQUIRE(transfers.size() == 2);
  CHECK(transfers[1].debit == LedgerAccount(kAlice, Holding::kTokens));
  CHECK(transfers[1].credit == LedgerAccount(Holding::kVault));
  CHECK(transfers[1].amount == 70);
  event.mutate_kind(static_cast<uint8_t>(RequestKind::kWithdrawal));
  REQUIRE(AppendPostings(event, transfers).ok());
  REQUIRE(transfers.size() == 3);
  CHECK(transfers[2].debit == LedgerAccount(kAlice, Holding::kTokens));
  CHECK(transfers[2].credit == LedgerAccount(Holding::kOutside));
  CHECK(transfers[2].amount == 70);
  event.mutate_kind(3);
  CHECK(absl::IsInvalidArgument(AppendPostings(event, transfers)));
  event.mutate_reason(static_cast<uint16_t>(RejectReason::kInsufficientTokens));
  REQUIRE(AppendPostings(event, transfers).ok());
  CHECK(transfers.size() == 3);
}

TEST_CASE("A settlement pays provider and fee and retires, each a leg; what is zero is no leg") {
  wire::LeaseSettled event;
  event.mutable_header().mutate_event_sequence(6);
  event.mutate_lease_id(3);
  event.mutate_provider_account_id(kBob.value());
  event.mutate_provider_utok(93);
  event.mutate_fee_utok(2);
  event.mutate_retire_utok(5);
  std::vector<Transfer> transfers;
  REQUIRE(AppendPostings(event, transfers).ok());
  const LedgerAccount vault(Holding::kVault);
  CHECK(transfers ==
        std::vector<Transfer>{
            {EventSequence(6), 0, vault, LedgerAccount(kBob, Holding::kTokens), 93, LeaseId(3)},
            {EventSequence(6), 1, vault, LedgerAccount(Holding::kFee), 2, LeaseId(3)},
            {EventSequence(6), 2, vault, LedgerAccount(Holding::kIssuance), 5, LeaseId(3)}});
  event.mutate_fee_utok(0);
  event.mutate_retire_utok(0);
  transfers.clear();
  REQUIRE(AppendPostings(event, transfers).ok());
  CHECK(transfers.size() == 1);
  event.mutate_fee_utok(-1);
  CHECK(absl::IsInvalidArgument(AppendPostings(event, transfers)));
}

}  // namespace
}  // namespace warpbook::settlement
