#include <algorithm>
#include <cstring>

#include "engine/core/balances.h"
#include "engine/core/handlers.h"
#include "engine/core/lease_shares.h"
#include "schema/types/judgement_reason.h"
#include "schema/types/lease_times.h"

namespace warpbook::engine {
namespace {

// How long after its delivery's start a lease may be started, and how long after its end a minute
// may be proved. 2-tokens, Money flow.
constexpr int64_t kStartLateMinutes = 5;
constexpr int64_t kHeartbeatLateMinutes = 5;
// What a dispute costs, of the notional. 2-tokens, Bonds and slashing.
constexpr int64_t kDepositPercent = 5;

// A lease that a command names: one in which its sender has the role.
struct Named {
  Lease* lease = nullptr;
  Refusal refusal;
};
Named FindNamed(Context& context, const wire::CommandHeader& header, uint64_t id,
                Account* Lease::*role) {
  const Sender sender = FindSender(context, header, AccountKind::kMember);
  if (sender.refusal) return {nullptr, sender.refusal};
  Lease* lease = context.state.leases.Find(LeaseId(id));
  if (lease == nullptr || lease->*role != sender.account) {
    return {nullptr, {RejectReason::kUnknownLease}};
  }
  return {lease, kNoRefusal};
}

// Whether its buyer may complete or dispute it: a delivery that is neither.
Refusal CheckUndisputed(const Lease& lease) {
  if (lease.open()) return {RejectReason::kLeaseNotDelivered};
  const bool delivered = lease.state == LeaseState::kDelivered && !lease.completed;
  return delivered ? kNoRefusal : Refusal{RejectReason::kLeaseWrongState};
}

void EmitLeaseDisputed(Context& context, const Lease& lease) {
  for (const bool is_provider : {true, false}) {
    Account& account = is_provider ? *lease.provider : *lease.buyer;
    const auto event = context.events.Private<wire::LeaseDisputed>(account);
    event->mutate_lease_id(lease.id.value());
    event->mutate_deposit(lease.deposit.value());
    event->mutate_instrument_id(lease.instrument.value());
    event->mutate_is_provider(is_provider ? 1 : 0);
  }
}

void EmitLeaseJudged(Context& context, const Lease& lease, const wire::JudgeLease& command) {
  for (const bool is_provider : {true, false}) {
    Account& account = is_provider ? *lease.provider : *lease.buyer;
    const auto event = context.events.Private<wire::LeaseJudged>(account);
    event->mutate_lease_id(lease.id.value());
    event->mutate_instrument_id(lease.instrument.value());
    event->mutate_share(lease.share);
    event->mutate_verdict(static_cast<uint8_t>(lease.verdict));
    event->mutate_is_provider(is_provider ? 1 : 0);
    std::memcpy(event->mutable_reason()->Data(), command.reason()->Data(),
                command.reason()->size());
  }
}

bool IsWellFormed(const wire::JudgeLease& command) {
  const auto verdict = static_cast<DisputeVerdict>(command.verdict());
  // Whose dispute is unfounded has nothing to complain of.
  const int64_t share_min = verdict == DisputeVerdict::kUnfounded ? kFullShare : 0;
  return (verdict == DisputeVerdict::kFounded || verdict == DisputeVerdict::kUnfounded) &&
         command.share() >= share_min && command.share() <= kFullShare &&
         JudgementReasonOf(command.reason()->Data()).has_value();
}

}  // namespace

void EmitLeaseChanged(Context& context, const Lease& lease) {
  for (const bool is_provider : {true, false}) {
    Account& account = is_provider ? *lease.provider : *lease.buyer;
    const auto event = context.events.Private<wire::LeaseChanged>(account);
    event->mutate_lease_id(lease.id.value());
    event->mutate_instrument_id(lease.instrument.value());
    event->mutate_state(static_cast<uint8_t>(lease.state));
    event->mutate_completed(lease.completed ? 1 : 0);
    event->mutate_is_provider(is_provider ? 1 : 0);
  }
}

Refusal Handle(Context& context, const wire::StartLease& command) {
  const Named named = FindNamed(context, command.header(), command.lease_id(), &Lease::provider);
  if (named.refusal) return named.refusal;
  Lease& lease = *named.lease;
  if (lease.state != LeaseState::kReserved) return {RejectReason::kLeaseWrongState};
  if (context.now < lease.delivery_start) {
    return {RejectReason::kLeaseNotStartable, lease.delivery_start.micros()};
  }
  const Timestamp latest = lease.delivery_start.PlusMinutes(kStartLateMinutes);
  if (context.now > latest || context.now >= lease.delivery_end) {
    return {RejectReason::kLeaseStartTooLate, std::min(latest, lease.delivery_end).micros()};
  }
  lease.state = LeaseState::kActive;
  context.events.Accept(command.header(), wire::RecordType::kStartLease, lease.id.value());
  EmitLeaseChanged(context, lease);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::HeartbeatLease& command) {
  const Named named = FindNamed(context, command.header(), command.lease_id(), &Lease::provider);
  if (named.refusal) return named.refusal;
  const Lease& lease = *named.lease;
  if (lease.state == LeaseState::kReserved || lease.state == LeaseState::kFailed) {
    return {RejectReason::kLeaseWrongState};
  }
  const Timestamp minute = Timestamp(command.minute_us());
  if (minute < lease.delivery_start || minute >= lease.delivery_end ||
      minute.micros() % kMicrosPerMinute != 0) {
    return {RejectReason::kMinuteOutsideLease};
  }
  if (minute > context.now) return {RejectReason::kMinuteInFuture};
  if (context.now > minute.PlusMinutes(1 + kHeartbeatLateMinutes)) {
    return {RejectReason::kHeartbeatTooLate};
  }
  context.events.Accept(command.header(), wire::RecordType::kHeartbeatLease, lease.id.value());
  const auto event = context.events.Public<wire::LeaseHeartbeat>();
  event->mutate_lease_id(lease.id.value());
  event->mutate_minute_us(minute.micros());
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::CompleteLease& command) {
  const Named named = FindNamed(context, command.header(), command.lease_id(), &Lease::buyer);
  if (named.refusal) return named.refusal;
  Lease& lease = *named.lease;
  if (const Refusal refusal = CheckUndisputed(lease)) return refusal;
  lease.completed = true;
  context.events.Accept(command.header(), wire::RecordType::kCompleteLease, lease.id.value());
  EmitLeaseChanged(context, lease);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::DisputeLease& command) {
  const Named named = FindNamed(context, command.header(), command.lease_id(), &Lease::buyer);
  if (named.refusal) return named.refusal;
  Lease& lease = *named.lease;
  if (const Refusal refusal = CheckUndisputed(lease)) return refusal;
  const Timestamp end = lease.delivery_end.PlusMinutes(kDisputeMinutes);
  if (context.now >= end) return {RejectReason::kDisputeTimeOver, end.micros()};
  // Rounded up: paid in (prices are multiples of 1,000, so it comes out even). At most the
  // notional.
  const auto deposit = MulDivUp(lease.notional.value(), kDepositPercent, 100);
  WARPBOOK_CHECK(deposit.has_value());
  if (Credits(*deposit) > lease.buyer->free) {
    return {RejectReason::kInsufficientCredits, lease.buyer->free.value()};
  }
  lease.state = LeaseState::kDisputed;
  lease.disputed = context.now;
  lease.deposit = Credits(*deposit);
  context.events.Accept(command.header(), wire::RecordType::kDisputeLease, lease.id.value());
  MoveCredits(context, *lease.buyer, CreditBucket::kFree, CreditBucket::kEscrow, lease.deposit,
              lease.id, OrderId());
  EmitLeaseDisputed(context, lease);
  EmitLeaseChanged(context, lease);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::JudgeLease& command) {
  if (!IsWellFormed(command)) return {RejectReason::kMalformedCommand};
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  Lease* const lease = context.state.leases.Find(LeaseId(command.lease_id()));
  if (lease == nullptr) return {RejectReason::kUnknownLease};
  const bool judged = lease->verdict != DisputeVerdict::kNone;
  if (lease->state != LeaseState::kDisputed || judged) return {RejectReason::kLeaseWrongState};
  const Timestamp end = lease->disputed.PlusMinutes(kJudgingMinutes);
  if (context.now >= end) return {RejectReason::kJudgingTimeOver, end.micros()};
  lease->verdict = static_cast<DisputeVerdict>(command.verdict());
  lease->share = command.share();
  context.events.Accept(command.header(), wire::RecordType::kJudgeLease, lease->id.value());
  EmitLeaseJudged(context, *lease, command);
  return kNoRefusal;
}

}  // namespace warpbook::engine
