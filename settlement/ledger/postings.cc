#include "settlement/ledger/postings.h"

#include <optional>
#include <span>

#include "absl/strings/str_cat.h"
#include "schema/types/arithmetic.h"
#include "schema/types/enums.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

absl::Status Impossible(const wire::EventHeader& header, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("event ", header.event_sequence(), " cannot be posted: ", what));
}

bool IsMember(uint64_t account) { return account != 0 && account <= LedgerAccount::kMemberMax; }

// What a request of that kind moves; nullopt where there is no such kind.
std::optional<TokenMove> MoveOf(RequestKind kind, AccountId member, Tokens amount) {
  switch (kind) {
    case RequestKind::kDeposit:
      return DepositMove(member, amount);
    case RequestKind::kTopUp:
      return TopUpMove(member, amount);
    case RequestKind::kWithdrawal:
      return WithdrawalMove(member, amount);
  }
  return std::nullopt;
}

void Append(const wire::EventHeader& header, std::span<const TokenMove> moves, LeaseId lease,
            std::vector<Transfer>& transfers) {
  int leg = 0;
  for (const TokenMove& move : moves) {
    transfers.push_back({EventSequence(header.event_sequence()), leg++, move.debit, move.credit,
                         move.amount.value(), lease});
  }
}

// What is paid for a lease, by a LeaseSettled or a DeferredPaid.
template <typename Event>
absl::Status AppendPayment(const Event& event, AccountId provider,
                           std::vector<Transfer>& transfers) {
  if (!IsMember(provider.value())) return Impossible(event.header(), "no provider");
  Settlement paid;
  paid.provider = Tokens(event.provider_utok());
  paid.fee = Tokens(event.fee_utok());
  paid.retire = Tokens(event.retire_utok());
  paid.emitted = Tokens(event.emitted_utok());
  for (const Tokens amount : {paid.provider, paid.fee, paid.retire, paid.emitted}) {
    if (amount < Tokens(0) || amount > kMaxTokens) {
      return Impossible(event.header(), "an amount is out of range");
    }
  }
  if (paid.emitted > paid.provider + paid.fee) {
    return Impossible(event.header(), "more is minted than paid");
  }
  Append(event.header(), SettlementMoves(provider, paid), LeaseId(event.lease_id()), transfers);
  return absl::OkStatus();
}

}  // namespace

Transfer GenesisPosting() {
  return {EventSequence(),
          0,
          LedgerAccount(Holding::kIssuance),
          LedgerAccount(Holding::kOutside),
          kGenesisTokens.value(),
          LeaseId()};
}

absl::Status AppendPostings(const wire::CreditsMoved& event, std::vector<Transfer>& transfers) {
  const auto source = static_cast<CreditBucket>(event.source());
  const auto destination = static_cast<CreditBucket>(event.destination());
  if (!IsMember(event.header().account_id())) return Impossible(event.header(), "no account");
  if (!IsValid(source) || !IsValid(destination) || source == destination) {
    return Impossible(event.header(), "no such buckets");
  }
  if (event.amount() <= 0) return Impossible(event.header(), "the amount is not positive");
  const AccountId member(event.header().account_id());
  transfers.push_back({EventSequence(event.header().event_sequence()), 0,
                       AccountOfBucket(source, member), AccountOfBucket(destination, member),
                       event.amount(), LeaseId(event.lease_id())});
  return absl::OkStatus();
}

absl::Status AppendPostings(const wire::RequestDecided& event, std::vector<Transfer>& transfers) {
  if (event.reason() != 0) return absl::OkStatus();
  if (!IsMember(event.header().account_id())) return Impossible(event.header(), "no account");
  if (event.amount_utok() <= 0) return Impossible(event.header(), "the amount is not positive");
  const AccountId member(event.header().account_id());
  const Tokens amount(event.amount_utok());
  const auto move = MoveOf(static_cast<RequestKind>(event.kind()), member, amount);
  if (!move) return Impossible(event.header(), "no such kind of request");
  Append(event.header(), std::span(&*move, 1), LeaseId(), transfers);
  return absl::OkStatus();
}

absl::Status AppendPostings(const wire::LeaseSettled& event, std::vector<Transfer>& transfers) {
  return AppendPayment(event, AccountId(event.provider_account_id()), transfers);
}

absl::Status AppendPostings(const wire::DeferredPaid& event, std::vector<Transfer>& transfers) {
  return AppendPayment(event, AccountId(event.header().account_id()), transfers);
}

absl::Status AppendPostings(const wire::EpochClosed& event, std::vector<Transfer>& transfers) {
  if (event.retire_utok() < 0) return Impossible(event.header(), "an amount is negative");
  if (event.retire_utok() == 0) return absl::OkStatus();
  const TokenMove move = RetireMove(Tokens(event.retire_utok()));
  Append(event.header(), std::span(&move, 1), LeaseId(), transfers);
  return absl::OkStatus();
}

absl::Status AppendPostings(const wire::BonusPaid& event, std::vector<Transfer>& transfers) {
  if (!IsMember(event.header().account_id())) return Impossible(event.header(), "no account");
  if (event.bonus_utok() < 0) return Impossible(event.header(), "an amount is negative");
  if (event.bonus_utok() == 0) return absl::OkStatus();
  const TokenMove move =
      BonusMove(AccountId(event.header().account_id()), Tokens(event.bonus_utok()));
  Append(event.header(), std::span(&move, 1), LeaseId(), transfers);
  return absl::OkStatus();
}

TokenMove DepositMove(AccountId account, Tokens amount) {
  return {LedgerAccount(Holding::kOutside), LedgerAccount(account, Holding::kTokens), amount};
}

TokenMove WithdrawalMove(AccountId account, Tokens amount) {
  return {LedgerAccount(account, Holding::kTokens), LedgerAccount(Holding::kOutside), amount};
}

TokenMove TopUpMove(AccountId account, Tokens burn) {
  return {LedgerAccount(account, Holding::kTokens), LedgerAccount(Holding::kVault), burn};
}

TokenMove RetireMove(Tokens amount) {
  return {LedgerAccount(Holding::kVault), LedgerAccount(Holding::kIssuance), amount};
}

TokenMove BonusMove(AccountId account, Tokens amount) {
  return {LedgerAccount(Holding::kIssuance), LedgerAccount(account, Holding::kTokens), amount};
}

std::vector<TokenMove> SettlementMoves(AccountId provider, const Settlement& figures) {
  const LedgerAccount vault(Holding::kVault);
  const LedgerAccount issuance(Holding::kIssuance);
  const LedgerAccount member(provider, Holding::kTokens);
  const LedgerAccount fee(Holding::kFee);
  const Tokens paid = figures.provider + figures.fee;
  // Of each transfer some part is minted: of the fee's that rounded down, so that together it is
  // what was minted.
  Tokens fee_minted;
  if (paid > Tokens(0)) {
    const auto part = MulDivDown(figures.fee.value(), figures.emitted.value(), paid.value());
    WARPBOOK_CHECK(part.has_value());
    fee_minted = Tokens(*part);
  }
  const Tokens provider_minted = figures.emitted - fee_minted;
  std::vector<TokenMove> moves = {
      {vault, member, figures.provider - provider_minted},
      {vault, fee, figures.fee - fee_minted},
      {vault, issuance, figures.retire},
      {issuance, member, provider_minted},
      {issuance, fee, fee_minted},
  };
  std::erase_if(moves, [](const TokenMove& move) { return move.amount == Tokens(0); });
  return moves;
}

}  // namespace warpbook::settlement
