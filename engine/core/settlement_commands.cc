#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <utility>
#include <vector>

#include "engine/core/balances.h"
#include "engine/core/handlers.h"
#include "engine/core/lease_shares.h"
#include "schema/types/arithmetic.h"

namespace warpbook::engine {
namespace {

// Settlement numbers its decisions without a gap; only one that is carried out advances the
// number.
template <typename Command>
Refusal CheckDecision(Context& context, const Command& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kSettlement);
  if (sender.refusal) return sender.refusal;
  const uint64_t last = context.state.settlement_number;
  const int64_t expected = static_cast<int64_t>(last + 1);
  if (command.number() <= last) return {RejectReason::kNumberRepeated, expected};
  if (command.number() != last + 1) return {RejectReason::kNumberGap, expected};
  return kNoRefusal;
}

using RequestIterator = absl::btree_map<Sequence, PendingRequest>::iterator;

// Replies to settlement and to the one who asked, and forgets the request.
void Decide(Context& context, const wire::CommandHeader& header, wire::RecordType type,
            RequestIterator it, Credits credits, RejectReason reason) {
  const PendingRequest& request = it->second;
  ++context.state.settlement_number;
  context.events.Accept(header, type, it->first.value());
  Account& account = *context.state.accounts.Find(request.account);
  if (request.kind == RequestKind::kTopUp) --account.pending_top_ups;
  const auto event = context.events.Private<wire::RequestDecided>(account);
  event->mutate_tag(request.tag);
  event->mutate_request_sequence(it->first.value());
  event->mutate_requester_account_id(request.requester.value());
  event->mutate_amount_utok(request.amount.value());
  event->mutate_credits(credits.value());
  std::memcpy(event->mutable_reference()->Data(), request.reference.data(),
              request.reference.size());
  event->mutate_reason(static_cast<uint16_t>(reason));
  event->mutate_kind(static_cast<uint8_t>(request.kind));
  context.state.requests.erase(it);
}

// Tokens that came in or went out: the ledger has them, not the engine.
template <typename Command>
Refusal PostTokens(Context& context, const Command& command, RequestKind kind) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  const auto it = context.state.requests.find(Sequence(command.request_sequence()));
  if (it == context.state.requests.end()) return {RejectReason::kUnknownRequest};
  if (it->second.kind != kind) return {RejectReason::kDecisionMismatch};
  Decide(context, command.header(), wire::kRecordTypeOf<Command>, it, Credits(0),
         RejectReason::kNone);
  return kNoRefusal;
}

bool AreTokens(std::initializer_list<int64_t> amounts) {
  return std::ranges::all_of(
      amounts, [](int64_t amount) { return amount >= 0 && amount <= kMaxTokens.value(); });
}

// What is paid: minted tokens are part of what provider and fee get.
template <typename Command>
bool IsPayment(const Command& command) {
  return AreTokens({command.gross_utok(), command.provider_utok(), command.fee_utok(),
                    command.retire_utok(), command.emitted_utok()}) &&
         command.emitted_utok() <= command.provider_utok() + command.fee_utok();
}

// Whether the verdict is one for the lease: an operator's stands, and there is none without a
// dispute.
bool FitsDispute(const wire::SettleLease& command, const Lease& lease) {
  const auto verdict = static_cast<DisputeVerdict>(command.verdict());
  if (lease.state != LeaseState::kDisputed) return verdict == DisputeVerdict::kNone;
  if (lease.verdict != DisputeVerdict::kNone) return verdict == lease.verdict;
  return verdict == DisputeVerdict::kFounded || verdict == DisputeVerdict::kUnfounded;
}

// Whether the amounts are a way to settle the lease: each within its bounds, and together at most
// its escrow. A failed lease is refunded whole.
bool FitsLease(const wire::SettleLease& command, const Lease& lease) {
  const bool failed = lease.state == LeaseState::kFailed;
  const int64_t weight = command.verified_weight();
  const int64_t weight_max = failed ? 0 : FullWeight(lease) / kFullShare * lease.share;
  if (weight < 0 || weight > weight_max) return false;
  if (command.consumed() < 0 || command.burned() < 0 || command.owed() < 0) return false;
  const int128 earned = int128{command.consumed()} + command.owed();
  const int128 used = earned + EarnedByTraders(lease, weight).value() + command.burned();
  return earned == EarnedByProvider(lease, weight).value() && used <= WholeEscrow(lease).value() &&
         command.burned() <= (failed ? 0 : lease.surcharge.value()) &&
         command.delivered_minutes() >= 0 &&
         command.delivered_minutes() <= (failed ? 0 : lease.minutes.value()) &&
         IsPayment(command) && FitsDispute(command, lease);
}

// A dispute's deposit goes back to the buyer, or to the provider.
void ReleaseDeposit(Context& context, const Lease& lease, DisputeVerdict verdict) {
  if (verdict == DisputeVerdict::kUnfounded) {
    MoveCredits(context, *lease.buyer, CreditBucket::kEscrow, CreditBucket::kClearing,
                lease.deposit, lease.id, OrderId());
    MoveCredits(context, *lease.provider, CreditBucket::kClearing, CreditBucket::kFree,
                lease.deposit, lease.id, OrderId());
  } else {
    MoveCredits(context, *lease.buyer, CreditBucket::kEscrow, CreditBucket::kFree, lease.deposit,
                lease.id, OrderId());
  }
}

void EmitLeaseSettled(Context& context, const wire::SettleLease& command, const Lease& lease) {
  const Credits gains = EarnedByTraders(lease, command.verified_weight());
  const auto event = context.events.Public<wire::LeaseSettled>();
  event->mutate_number(command.number());
  event->mutate_lease_id(lease.id.value());
  event->mutate_buyer_account_id(lease.buyer->id.value());
  event->mutate_provider_account_id(lease.provider->id.value());
  event->mutate_verified_weight(command.verified_weight());
  event->mutate_gains(gains.value());
  event->mutate_consumed(command.consumed());
  event->mutate_burned(command.burned());
  event->mutate_refunded(WholeEscrow(lease).value() - gains.value() - command.consumed() -
                         command.owed() - command.burned());
  event->mutate_owed(command.owed());
  event->mutate_deposit(lease.deposit.value());
  event->mutate_gross_utok(command.gross_utok());
  event->mutate_provider_utok(command.provider_utok());
  event->mutate_fee_utok(command.fee_utok());
  event->mutate_retire_utok(command.retire_utok());
  event->mutate_emitted_utok(command.emitted_utok());
  event->mutate_delivered_minutes(command.delivered_minutes());
  event->mutate_verdict(command.verdict());
}

void EmitDeferredPaid(Context& context, const wire::PayDeferred& command, const OwedLease& owed) {
  const auto event = context.events.Private<wire::DeferredPaid>(*owed.provider);
  event->mutate_number(command.number());
  event->mutate_lease_id(command.lease_id());
  event->mutate_consumed(command.consumed());
  event->mutate_owed(owed.left().value());
  event->mutate_gross_utok(command.gross_utok());
  event->mutate_provider_utok(command.provider_utok());
  event->mutate_fee_utok(command.fee_utok());
  event->mutate_retire_utok(command.retire_utok());
  event->mutate_emitted_utok(command.emitted_utok());
}

}  // namespace

Refusal Handle(Context& context, const wire::PostDeposit& command) {
  return PostTokens(context, command, RequestKind::kDeposit);
}

Refusal Handle(Context& context, const wire::PostWithdrawal& command) {
  return PostTokens(context, command, RequestKind::kWithdrawal);
}

Refusal Handle(Context& context, const wire::PostTopUp& command) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  State& state = context.state;
  const auto it = state.requests.find(Sequence(command.request_sequence()));
  if (it == state.requests.end()) return {RejectReason::kUnknownRequest};
  if (it->second.kind != RequestKind::kTopUp) return {RejectReason::kDecisionMismatch};
  const Credits credits = Credits(command.credits());
  if (credits <= Credits(0)) return {RejectReason::kInvalidAmount};
  if (!CheckedAdd(state.totals.issued, credits)) return {RejectReason::kAmountOverflow};
  Account& account = *state.accounts.Find(it->second.account);
  Decide(context, command.header(), wire::RecordType::kPostTopUp, it, credits, RejectReason::kNone);
  MoveCredits(context, account, CreditBucket::kIssued, CreditBucket::kFree, credits, LeaseId(),
              OrderId());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RefuseRequest& command) {
  const auto reason = static_cast<RejectReason>(command.reason());
  if (!FindRejectReason(reason)) return {RejectReason::kMalformedCommand};
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  const auto it = context.state.requests.find(Sequence(command.request_sequence()));
  if (it == context.state.requests.end()) return {RejectReason::kUnknownRequest};
  Decide(context, command.header(), wire::RecordType::kRefuseRequest, it, Credits(0), reason);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::SettleLease& command) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  State& state = context.state;
  Lease* found = state.leases.Find(LeaseId(command.lease_id()));
  if (found == nullptr) return {RejectReason::kUnknownLease};
  Lease& lease = *found;
  if (lease.open()) return {RejectReason::kLeaseWrongState};
  if (!FitsLease(command, lease)) return {RejectReason::kDecisionMismatch};

  ++state.settlement_number;
  context.events.Accept(command.header(), wire::RecordType::kSettleLease, lease.id.value());
  std::vector<OwedShare> owed = UseEscrow(context, lease,
                                          {command.verified_weight(), Credits(command.consumed()),
                                           Credits(command.owed()), Credits(command.burned())});
  if (!owed.empty()) state.owed_leases[lease.id] = {lease.provider, std::move(owed)};
  ReleaseDeposit(context, lease, static_cast<DisputeVerdict>(command.verdict()));
  EmitLeaseSettled(context, command, lease);
  lease.state = LeaseState::kSettled;
  EmitLeaseChanged(context, lease);
  state.leases.Erase(lease);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::PayDeferred& command) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  State& state = context.state;
  const auto found = state.owed_leases.find(LeaseId(command.lease_id()));
  if (found == state.owed_leases.end()) return {RejectReason::kUnknownLease};
  OwedLease& owed = found->second;
  if (command.consumed() <= 0 || command.consumed() > owed.left().value() || !IsPayment(command)) {
    return {RejectReason::kDecisionMismatch};
  }
  ++state.settlement_number;
  context.events.Accept(command.header(), wire::RecordType::kPayDeferred, command.lease_id());
  PayOwed(context, found->first, owed, Credits(command.consumed()));
  EmitDeferredPaid(context, command, owed);
  if (owed.shares.empty()) state.owed_leases.erase(found);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::CloseEpoch& command) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  // The tokens are the ledger's; the engine only sees to it that they are numbers of tokens. Of the
  // gross only that it is not below zero: the same tokens may be paid many times in a day.
  if (command.day() < 0 ||
      !AreTokens({command.budget_utok(), command.emitted_utok(), command.bonus_utok(),
                  command.retire_utok()}) ||
      command.gross_utok() < 0 ||
      command.emitted_utok() + command.bonus_utok() > command.budget_utok()) {
    return {RejectReason::kDecisionMismatch};
  }
  ++context.state.settlement_number;
  context.events.Accept(command.header(), wire::RecordType::kCloseEpoch,
                        static_cast<uint64_t>(command.day()));
  const auto event = context.events.Public<wire::EpochClosed>();
  event->mutate_number(command.number());
  event->mutate_budget_utok(command.budget_utok());
  event->mutate_emitted_utok(command.emitted_utok());
  event->mutate_bonus_utok(command.bonus_utok());
  event->mutate_gross_utok(command.gross_utok());
  event->mutate_retire_utok(command.retire_utok());
  event->mutate_day(command.day());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::PayBonus& command) {
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  Account* const account = context.state.accounts.Find(AccountId(command.account_id()));
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != AccountKind::kMember || command.day() < 0 || command.gross_utok() < 0 ||
      !AreTokens({command.bonus_utok()})) {
    return {RejectReason::kDecisionMismatch};
  }
  ++context.state.settlement_number;
  context.events.Accept(command.header(), wire::RecordType::kPayBonus, account->id.value());
  const auto event = context.events.Private<wire::BonusPaid>(*account);
  event->mutate_number(command.number());
  event->mutate_gross_utok(command.gross_utok());
  event->mutate_bonus_utok(command.bonus_utok());
  event->mutate_day(command.day());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::MarkOwner& command) {
  if (command.large() > 1) return {RejectReason::kMalformedCommand};
  if (const Refusal refusal = CheckDecision(context, command)) return refusal;
  const OwnerId id = OwnerId(command.owner_id());
  Owner* const owner = context.state.accounts.FindOwner(id);
  if (owner == nullptr) return {RejectReason::kUnknownOwner};
  ++context.state.settlement_number;
  owner->large = command.large() != 0;
  Account& account = *context.state.accounts.Find(owner->account);
  account.must_be_verified = owner->large && !owner->verified;
  context.events.Accept(command.header(), wire::RecordType::kMarkOwner, id.value());
  const auto event = context.events.Private<wire::OwnerMarked>(account);
  event->mutate_owner_id(id.value());
  event->mutate_large(command.large());
  return kNoRefusal;
}

}  // namespace warpbook::engine
