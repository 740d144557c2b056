#include <algorithm>

#include "engine/core/handlers.h"

namespace warpbook::engine {
namespace {

// How long after its delivery's start a lease may be started, and how long after its end a minute
// may be proved. 2-tokens, Money flow.
constexpr int64_t kStartLateMinutes = 5;
constexpr int64_t kHeartbeatLateMinutes = 5;

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
  if (lease.state != LeaseState::kActive && lease.state != LeaseState::kDelivered) {
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
  if (lease.state == LeaseState::kFailed || lease.completed) {
    return {RejectReason::kLeaseWrongState};
  }
  if (lease.state != LeaseState::kDelivered) return {RejectReason::kLeaseNotDelivered};
  lease.completed = true;
  context.events.Accept(command.header(), wire::RecordType::kCompleteLease, lease.id.value());
  EmitLeaseChanged(context, lease);
  return kNoRefusal;
}

}  // namespace warpbook::engine
