#include "settlement/leases/lease.h"

#include "absl/strings/str_cat.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

absl::string_view Word(LeaseState state) {
  const std::string_view name = Name(state);
  return {name.data(), name.size()};
}

bool MayFollow(LeaseState from, LeaseState to) {
  switch (to) {
    case LeaseState::kActive:
      return from == LeaseState::kReserved;
    case LeaseState::kDelivered:
      return from == LeaseState::kActive;
    case LeaseState::kFailed:
      return from == LeaseState::kReserved;
    case LeaseState::kReserved:
    case LeaseState::kSettled:
      return false;
  }
  return false;
}

}  // namespace

absl::StatusOr<Lease> Lease::Reserve(const LeaseTerms& terms) {
  Lease lease(terms);
  const auto notional = Notional(terms.price, terms.gpus, terms.minutes);
  const int128 length = int128{terms.delivery_end.micros()} - terms.delivery_start.micros();
  if (terms.price <= Price(0) || terms.gpus <= Quantity(0) || terms.minutes <= Minutes(0) ||
      terms.minutes > kMaxWindowMinutes) {
    return lease.Impossible("its price, GPUs or minutes are out of range");
  }
  if (length != int128{terms.minutes.value()} * kMicrosPerMinute) {
    return lease.Impossible("its minutes are not those of its delivery");
  }
  if (notional != terms.notional || terms.surcharge < Credits(0) ||
      !CheckedAdd(terms.notional, terms.surcharge)) {
    return lease.Impossible("its notional or surcharge is wrong");
  }
  return lease;
}

absl::Status Lease::Change(LeaseState state, bool completed, Timestamp now) {
  const bool completes = state == LeaseState::kDelivered && state_ == state;
  if (completes && completed && !completed_) {
    completed_ = true;
    return absl::OkStatus();
  }
  if (!MayFollow(state_, state) || completed) {
    return Impossible(
        absl::StrCat("it cannot become ", Word(state), completed ? ", completed" : ""));
  }
  state_ = state;
  if (state == LeaseState::kActive) started_at_ = now;
  return absl::OkStatus();
}

absl::Status Lease::Heartbeat(Timestamp minute) {
  if (state_ != LeaseState::kActive && state_ != LeaseState::kDelivered) {
    return Impossible("it cannot have a heartbeat");
  }
  const int64_t offset = minute.micros() - terms_.delivery_start.micros();
  if (minute < terms_.delivery_start || minute >= terms_.delivery_end ||
      offset % kMicrosPerMinute != 0) {
    return Impossible("a heartbeat's minute is not one of its own");
  }
  if (minute.PlusMinutes(1) > *started_at_) {
    delivered_.Set(static_cast<size_t>(offset / kMicrosPerMinute));
  }
  return absl::OkStatus();
}

absl::Status Lease::BecomeSettled(const Settlement& figures, Minutes delivered) {
  if (state_ != LeaseState::kDelivered && state_ != LeaseState::kFailed) {
    return Impossible("it cannot be settled");
  }
  int128 used = 0;
  for (const Credits part : {figures.consumed, figures.burned, figures.refunded, figures.owed}) {
    if (part < Credits(0)) return Impossible("a part of its settlement is negative");
    used += part.value();
  }
  if (used != escrow().value()) return Impossible("its settlement is not its escrow");
  if (figures.verified != figures.consumed + figures.owed) {
    return Impossible("what was verified is not what was consumed and is owed");
  }
  state_ = LeaseState::kSettled;
  settlement_ = figures;
  settled_minutes_ = delivered;
  return absl::OkStatus();
}

Minutes Lease::PayableMinutes() const {
  return state_ == LeaseState::kDelivered ? delivered_.Count() : Minutes(0);
}

Credits Lease::VerifiedNotional() const {
  const auto verified = Notional(terms_.price, terms_.gpus, PayableMinutes());
  WARPBOOK_CHECK(verified.has_value() && *verified <= terms_.notional);
  return *verified;
}

std::optional<Timestamp> Lease::DueTime() const {
  if (state_ == LeaseState::kFailed) return terms_.delivery_end;
  if (state_ != LeaseState::kDelivered) return std::nullopt;
  if (!completed_) return terms_.delivery_end.PlusMicros(kDisputeMicros);
  if (delivered_.Count() == terms_.minutes) return terms_.delivery_end;
  return terms_.delivery_end.PlusMicros(kHeartbeatsEndMicros);
}

absl::StatusOr<Lease> Lease::Restore(const Stored& stored) {
  auto lease = Reserve(stored.terms);
  if (!lease.ok()) return lease;
  const bool begun = stored.state == LeaseState::kActive || stored.state == LeaseState::kDelivered;
  if (!IsValid(stored.state) || (begun && !stored.started_at)) {
    return lease->Impossible("it is stored in no state of a lease");
  }
  lease->state_ = stored.state;
  lease->completed_ = stored.completed;
  lease->started_at_ = stored.started_at;
  lease->delivered_ = stored.delivered;
  lease->settlement_ = stored.settlement;
  lease->settled_minutes_ = stored.settled_minutes;
  return lease;
}

absl::Status Lease::Impossible(absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("lease ", terms_.id.value(), ", ", Word(state_), ": ", what));
}

}  // namespace warpbook::settlement
