// The reference's decisions of settlement.
#include <algorithm>
#include <initializer_list>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {
namespace {

constexpr int64_t kMaxTok = 1'000'000'000'000'000;

bool AreTokens(std::initializer_list<int64_t> amounts) {
  for (const int64_t amount : amounts) {
    if (amount < 0 || amount > kMaxTok) return false;
  }
  return true;
}

template <typename Command>
bool IsPayment(const Command& c) {
  return AreTokens({c.gross_utok(), c.provider_utok(), c.fee_utok(), c.retire_utok(),
                    c.emitted_utok()}) &&
         c.emitted_utok() <= c.provider_utok() + c.fee_utok();
}

bool IsOpen(const Lease& lease) {
  return lease.state == LeaseState::kReserved || lease.state == LeaseState::kActive;
}

}  // namespace

ReferenceMarket::Answer ReferenceMarket::CheckNumber(const wire::CommandHeader& header,
                                                     uint64_t number) const {
  const Answer sender = Sender(header, AccountKind::kSettlement);
  if (sender.reason != RejectReason::kNone) return sender;
  const auto next = static_cast<int64_t>(settlement_number_ + 1);
  if (number <= settlement_number_) return {RejectReason::kNumberRepeated, next};
  if (number > settlement_number_ + 1) return {RejectReason::kNumberGap, next};
  return {};
}

void ReferenceMarket::Decide(const wire::CommandHeader& header, wire::RecordType type,
                             uint64_t request_sequence, int64_t credits, RejectReason reason) {
  const auto it = std::find_if(requests_.begin(), requests_.end(), [&](const Request& request) {
    return request.sequence == request_sequence;
  });
  ++settlement_number_;
  Accept(header, type, request_sequence);
  wire::RequestDecided event;
  event.mutate_tag(it->tag);
  event.mutate_request_sequence(it->sequence);
  event.mutate_requester_account_id(it->requester);
  event.mutate_amount_utok(it->amount);
  event.mutate_credits(credits);
  PutBytes(event.mutable_reference(), it->text);
  event.mutate_reason(static_cast<uint16_t>(reason));
  event.mutate_kind(static_cast<uint8_t>(it->kind));
  EmitPrivate(event, it->account);
  requests_.erase(it);
}

template <typename Command>
ReferenceMarket::Answer ReferenceMarket::PostTokens(const Command& c, RequestKind kind) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  for (const Request& request : requests_) {
    if (request.sequence != c.request_sequence()) continue;
    if (request.kind != kind) return {RejectReason::kDecisionMismatch};
    Decide(c.header(), wire::kRecordTypeOf<Command>, request.sequence, 0, RejectReason::kNone);
    return {};
  }
  return {RejectReason::kUnknownRequest};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PostDeposit& c) {
  return PostTokens(c, RequestKind::kDeposit);
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PostWithdrawal& c) {
  return PostTokens(c, RequestKind::kWithdrawal);
}

int64_t ReferenceMarket::IssuedInAll() const {
  int64_t sum = 0;
  for (const Account& account : accounts_) sum += account.issued;
  return sum;
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PostTopUp& c) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  for (const Request& request : requests_) {
    if (request.sequence != c.request_sequence()) continue;
    if (request.kind != RequestKind::kTopUp) return {RejectReason::kDecisionMismatch};
    if (c.credits() < 1) return {RejectReason::kInvalidAmount};
    if (int128{IssuedInAll()} + c.credits() > INT64_MAX) return {RejectReason::kAmountOverflow};
    const uint64_t account = request.account;
    Decide(c.header(), wire::RecordType::kPostTopUp, request.sequence, c.credits(),
           RejectReason::kNone);
    accounts_[account - 1].issued += c.credits();
    EmitMoved(account, CreditBucket::kIssued, CreditBucket::kFree, c.credits(), 0, 0, Free(account),
              Locked(account));
    return {};
  }
  return {RejectReason::kUnknownRequest};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RefuseRequest& c) {
  if (!FindRejectReason(static_cast<RejectReason>(c.reason()))) {
    return {RejectReason::kMalformedCommand};
  }
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  for (const Request& request : requests_) {
    if (request.sequence != c.request_sequence()) continue;
    Decide(c.header(), wire::RecordType::kRefuseRequest, request.sequence, 0,
           static_cast<RejectReason>(c.reason()));
    return {};
  }
  return {RejectReason::kUnknownRequest};
}

// Whether the parts are within their bounds and the escrow holds them.
ReferenceMarket::Answer ReferenceMarket::JudgeSettlement(const wire::SettleLease& c,
                                                         const Lease& lease) const {
  const bool failed = lease.state == LeaseState::kFailed;
  for (const int64_t part :
       {c.consumed(), c.burned(), c.owed(), c.verified_weight(), int64_t{c.delivered_minutes()}}) {
    if (part < 0) return {RejectReason::kDecisionMismatch};
  }
  if (!IsPayment(c)) return {RejectReason::kDecisionMismatch};
  if (failed && (c.verified_weight() != 0 || c.burned() != 0 || c.delivered_minutes() != 0)) {
    return {RejectReason::kDecisionMismatch};
  }
  if (c.verified_weight() > int64_t{lease.gpus} * lease.minutes * lease.share ||
      c.burned() > lease.surcharge || c.delivered_minutes() > lease.minutes ||
      int128{c.consumed()} + c.owed() != Earned(lease.first_price, c.verified_weight())) {
    return {RejectReason::kDecisionMismatch};
  }
  int128 parts = int128{c.consumed()} + c.burned() + c.owed();
  for (const Lease::Step& step : lease.steps) {
    if (step.got > step.paid) parts += Earned(step.got - step.paid, c.verified_weight());
  }
  if (parts > EscrowOf(lease)) return {RejectReason::kDecisionMismatch};
  const int verdict = c.verdict();
  const int judged = static_cast<int>(lease.verdict);
  const bool disputed = lease.state == LeaseState::kDisputed;
  const bool verdict_fits = !disputed     ? verdict == 0
                            : judged != 0 ? verdict == judged
                                          : verdict == 1 || verdict == 2;
  if (!verdict_fits) return {RejectReason::kDecisionMismatch};
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::SettleLease& c) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  const Lease* found = FindLease(c.lease_id());
  if (found == nullptr) return {RejectReason::kUnknownLease};
  if (IsOpen(*found)) return {RejectReason::kLeaseWrongState};
  Lease lease = *found;
  const Answer fits = JudgeSettlement(c, lease);
  if (fits.reason != RejectReason::kNone) return fits;
  ++settlement_number_;
  Accept(c.header(), wire::RecordType::kSettleLease, lease.id);
  UseEscrow(c, lease);
  wire::LeaseSettled event;
  event.mutate_number(c.number());
  event.mutate_lease_id(lease.id);
  event.mutate_buyer_account_id(lease.buyer);
  event.mutate_provider_account_id(lease.provider);
  event.mutate_verified_weight(c.verified_weight());
  int64_t gains = 0;
  for (const Lease::Step& step : lease.steps) {
    if (step.got > step.paid) gains += Earned(step.got - step.paid, c.verified_weight());
  }
  event.mutate_gains(gains);
  event.mutate_consumed(c.consumed());
  event.mutate_burned(c.burned());
  event.mutate_refunded(
      static_cast<int64_t>(EscrowOf(lease) - c.consumed() - c.owed() - c.burned() - gains));
  event.mutate_owed(c.owed());
  event.mutate_deposit(lease.deposit);
  event.mutate_gross_utok(c.gross_utok());
  event.mutate_provider_utok(c.provider_utok());
  event.mutate_fee_utok(c.fee_utok());
  event.mutate_retire_utok(c.retire_utok());
  event.mutate_emitted_utok(c.emitted_utok());
  event.mutate_delivered_minutes(c.delivered_minutes());
  event.mutate_verdict(c.verdict());
  EmitPublic(event);
  lease.state = LeaseState::kSettled;
  EmitLease(lease);
  std::erase_if(leases_, [&](const Lease& l) { return l.id == lease.id; });
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PayDeferred& c) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  int64_t owed = 0;
  uint64_t provider = 0;
  for (const Debt& debt : debts_) {
    if (debt.lease != c.lease_id()) continue;
    owed += debt.left;
    provider = debt.provider;
  }
  if (owed == 0) return {RejectReason::kUnknownLease};
  if (c.consumed() < 1 || c.consumed() > owed || !IsPayment(c)) {
    return {RejectReason::kDecisionMismatch};
  }
  ++settlement_number_;
  Accept(c.header(), wire::RecordType::kPayDeferred, c.lease_id());
  FreeCredits free = FreeOfAll();
  int64_t to_pay = c.consumed();
  for (Debt& debt : debts_) {
    if (debt.lease != c.lease_id()) continue;
    const int64_t amount = std::min(debt.left, to_pay);
    Move(free, debt.payer, CreditBucket::kOwed, CreditBucket::kConsumed, amount, c.lease_id());
    accounts_[debt.payer - 1].owed -= amount;
    accounts_[debt.payer - 1].consumed += amount;
    debt.left -= amount;
    to_pay -= amount;
  }
  std::erase_if(debts_, [](const Debt& debt) { return debt.left == 0; });
  wire::DeferredPaid event;
  event.mutate_number(c.number());
  event.mutate_lease_id(c.lease_id());
  event.mutate_consumed(c.consumed());
  event.mutate_owed(owed - c.consumed());
  event.mutate_gross_utok(c.gross_utok());
  event.mutate_provider_utok(c.provider_utok());
  event.mutate_fee_utok(c.fee_utok());
  event.mutate_retire_utok(c.retire_utok());
  event.mutate_emitted_utok(c.emitted_utok());
  EmitPrivate(event, provider);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::CloseEpoch& c) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  if (c.day() < 0 || c.emitted_utok() + c.bonus_utok() > c.budget_utok() || c.gross_utok() < 0 ||
      !AreTokens({c.budget_utok(), c.emitted_utok(), c.bonus_utok(), c.retire_utok()})) {
    return {RejectReason::kDecisionMismatch};
  }
  ++settlement_number_;
  Accept(c.header(), wire::RecordType::kCloseEpoch, static_cast<uint64_t>(c.day()));
  wire::EpochClosed event;
  event.mutate_number(c.number());
  event.mutate_budget_utok(c.budget_utok());
  event.mutate_emitted_utok(c.emitted_utok());
  event.mutate_bonus_utok(c.bonus_utok());
  event.mutate_gross_utok(c.gross_utok());
  event.mutate_retire_utok(c.retire_utok());
  event.mutate_day(c.day());
  EmitPublic(event);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::PayBonus& c) {
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  const Account* account = Find(c.account_id());
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != AccountKind::kMember || c.day() < 0 || c.gross_utok() < 0 ||
      !AreTokens({c.bonus_utok()})) {
    return {RejectReason::kDecisionMismatch};
  }
  ++settlement_number_;
  Accept(c.header(), wire::RecordType::kPayBonus, account->id);
  wire::BonusPaid event;
  event.mutate_number(c.number());
  event.mutate_gross_utok(c.gross_utok());
  event.mutate_bonus_utok(c.bonus_utok());
  event.mutate_day(c.day());
  EmitPrivate(event, account->id);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::MarkOwner& c) {
  if (c.large() > 1) return {RejectReason::kMalformedCommand};
  const Answer number = CheckNumber(c.header(), c.number());
  if (number.reason != RejectReason::kNone) return number;
  for (Account& account : accounts_) {
    if (account.owner == 0 || account.owner != c.owner_id()) continue;
    ++settlement_number_;
    account.large = c.large() == 1;
    Accept(c.header(), wire::RecordType::kMarkOwner, account.owner);
    wire::OwnerMarked event;
    event.mutate_owner_id(account.owner);
    event.mutate_large(c.large());
    EmitPrivate(event, account.id);
    return {};
  }
  return {RejectReason::kUnknownOwner};
}

}  // namespace warpbook::reference
