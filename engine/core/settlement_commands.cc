#include <cstring>

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

bool TokensInRange(int64_t amount) { return amount >= 0 && amount <= kMaxTokens.value(); }

// Whether the amounts are a way to settle the lease: each within its bounds, and together its
// escrow. A failed lease is refunded whole.
bool FitsLease(const wire::SettleLease& command, const Lease& lease) {
  const bool failed = lease.state == LeaseState::kFailed;
  const int64_t weight = command.verified_weight();
  if (weight < 0 || weight > (failed ? 0 : FullWeight(lease))) return false;
  for (const int64_t part :
       {command.consumed(), command.burned(), command.refunded(), command.owed()}) {
    if (part < 0) return false;
  }
  const int128 earned = int128{command.consumed()} + command.owed();
  const int128 used =
      earned + EarnedByTraders(lease, weight).value() + command.burned() + command.refunded();
  return earned == EarnedByProvider(lease, weight).value() && used == WholeEscrow(lease).value() &&
         command.burned() <= (failed ? 0 : lease.surcharge.value()) &&
         command.delivered_minutes() >= 0 &&
         command.delivered_minutes() <= (failed ? 0 : lease.minutes.value()) &&
         TokensInRange(command.gross_utok()) && TokensInRange(command.provider_utok()) &&
         TokensInRange(command.fee_utok()) && TokensInRange(command.retire_utok());
}

void EmitLeaseSettled(Context& context, const wire::SettleLease& command, const Lease& lease) {
  const auto event = context.events.Public<wire::LeaseSettled>();
  event->mutate_number(command.number());
  event->mutate_lease_id(lease.id.value());
  event->mutate_buyer_account_id(lease.buyer->id.value());
  event->mutate_provider_account_id(lease.provider->id.value());
  event->mutate_verified_weight(command.verified_weight());
  event->mutate_gains(EarnedByTraders(lease, command.verified_weight()).value());
  event->mutate_consumed(command.consumed());
  event->mutate_burned(command.burned());
  event->mutate_refunded(command.refunded());
  event->mutate_owed(command.owed());
  event->mutate_gross_utok(command.gross_utok());
  event->mutate_provider_utok(command.provider_utok());
  event->mutate_fee_utok(command.fee_utok());
  event->mutate_retire_utok(command.retire_utok());
  event->mutate_delivered_minutes(command.delivered_minutes());
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
  UseEscrow(context, lease,
            {command.verified_weight(), Credits(command.consumed()), Credits(command.owed()),
             Credits(command.burned())});
  EmitLeaseSettled(context, command, lease);
  lease.state = LeaseState::kSettled;
  EmitLeaseChanged(context, lease);
  state.leases.Erase(lease);
  return kNoRefusal;
}

}  // namespace warpbook::engine
