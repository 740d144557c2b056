#include "settlement/leases/lease.h"

#include <algorithm>

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
    case LeaseState::kResold:
      return from == LeaseState::kReserved;
    case LeaseState::kDisputed:
      return from == LeaseState::kDelivered;
    case LeaseState::kReserved:
    case LeaseState::kSettled:
      return false;
  }
  return false;
}

}  // namespace

absl::StatusOr<Lease> Lease::Reserve(const LeaseTerms& terms) {
  Lease lease(terms);
  if (terms.gpus <= Quantity(0)) return lease.Impossible("it has no GPUs");
  if (absl::Status status = lease.CheckTerms(); !status.ok()) return status;
  return lease;
}

absl::Status Lease::CheckTerms() const {
  const LeaseTerms& terms = terms_;
  const auto notional = Notional(terms.price, terms.gpus, terms.minutes);
  const int128 length = int128{terms.delivery_end.micros()} - terms.delivery_start.micros();
  if (terms.price <= Price(0) || terms.provider_price <= Price(0) ||
      terms.provider_price > kMaxPrice || terms.gpus < Quantity(0) || terms.gpus > kMaxQuantity ||
      terms.minutes <= Minutes(0) || terms.minutes > kMaxWindowMinutes) {
    return Impossible("its prices, GPUs or minutes are out of range");
  }
  if (length != int128{terms.minutes.value()} * kMicrosPerMinute) {
    return Impossible("its minutes are not those of its delivery");
  }
  int128 price = terms.provider_price.value();
  int128 escrow = int128{terms.notional.value()} + terms.surcharge.value();
  for (const ResaleLeg& leg : terms.legs) {
    if (!leg.trader || leg.difference == Price(0) || leg.difference > kMaxPrice ||
        leg.difference < -kMaxPrice) {
      return Impossible("a leg is nobody's, or out of range");
    }
    price += leg.difference.value();
    if (leg.difference < Price(0)) {
      escrow -= int128{leg.difference.value()} * terms.gpus.value() * terms.minutes.value();
    }
  }
  if (price != terms.price.value()) return Impossible("its legs do not make its price");
  if (notional != terms.notional || terms.surcharge < Credits(0) || !Narrow(escrow)) {
    return Impossible("its notional or surcharge is wrong");
  }
  return absl::OkStatus();
}

LeaseTerms Lease::TermsOfResale(Price price) const {
  LeaseTerms terms = terms_;
  terms.price = price;
  if (price != terms_.price) terms.legs.push_back({terms_.buyer, price - terms_.price});
  return terms;
}

absl::Status Lease::Resell(const LeaseTerms& made) {
  LeaseTerms expected = TermsOfResale(made.price);
  expected.id = made.id;
  expected.buyer = made.buyer;
  expected.gpus = made.gpus;
  expected.notional = made.notional;
  expected.surcharge = made.surcharge;
  expected.tier = made.tier;
  if (state_ != LeaseState::kReserved || made.gpus > terms_.gpus || made != expected) {
    return Impossible("it cannot be resold so");
  }
  const auto value = [&made](Price price) {
    const auto notional = Notional(price, made.gpus, made.minutes);
    WARPBOOK_CHECK(notional.has_value());
    return *notional;
  };
  // A surcharge is so much for each GPU.
  if (terms_.surcharge.value() % terms_.gpus.value() != 0) {
    return Impossible("its surcharge is not the same for each GPU");
  }
  const Credits surcharge =
      Credits(terms_.surcharge.value() / terms_.gpus.value() * made.gpus.value());
  const Credits held = value(terms_.price);
  const Credits returned = std::min(held, made.notional);
  resold_.refunded += returned;
  resold_.burned += surcharge;
  resold_.cleared += held - returned;
  for (const ResaleLeg& leg : terms_.legs) {
    if (leg.difference < Price(0)) resold_.cleared += value(-leg.difference);
  }
  resold_gpus_ += made.gpus;
  terms_.gpus -= made.gpus;
  terms_.notional -= held;
  terms_.surcharge -= surcharge;
  return absl::OkStatus();
}

absl::Status Lease::Change(LeaseState state, bool completed, Timestamp now) {
  const bool completes = state == LeaseState::kDelivered && state_ == state;
  if (completes && completed && !completed_) {
    completed_ = true;
    return absl::OkStatus();
  }
  const bool sold_out = terms_.gpus == Quantity(0);
  const bool disputed = dispute_.has_value();
  if (!MayFollow(state_, state) || completed || completed_ ||
      sold_out != (state == LeaseState::kResold) || disputed != (state == LeaseState::kDisputed)) {
    return Impossible(
        absl::StrCat("it cannot become ", Word(state), completed ? ", completed" : ""));
  }
  state_ = state;
  if (state == LeaseState::kActive) started_at_ = now;
  return absl::OkStatus();
}

absl::Status Lease::Heartbeat(Timestamp minute) {
  if (!started_at_ || ended()) return Impossible("it cannot have a heartbeat");
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

absl::Status Lease::BeDisputed(Credits deposit, Timestamp now) {
  if (state_ != LeaseState::kDelivered || completed_ || dispute_ || deposit <= Credits(0) ||
      deposit > terms_.notional) {
    return Impossible("it cannot be disputed so");
  }
  dispute_.emplace();
  dispute_->disputed_at = now;
  dispute_->deposit = deposit;
  return absl::OkStatus();
}

absl::Status Lease::BeJudged(DisputeVerdict verdict, int32_t share, std::string_view reason) {
  if (state_ != LeaseState::kDisputed || dispute_->judged() || verdict == DisputeVerdict::kNone ||
      !IsValid(verdict) || share < 0 || share > kFullShare || reason.empty()) {
    return Impossible("it cannot be judged so");
  }
  dispute_->verdict = verdict;
  dispute_->share = share;
  dispute_->reason = reason;
  return absl::OkStatus();
}

absl::Status Lease::BecomeSettled(const Settlement& figures, int64_t weight, Credits gains,
                                  Minutes delivered, DisputeVerdict verdict) {
  if (state_ != LeaseState::kDelivered && state_ != LeaseState::kFailed &&
      state_ != LeaseState::kDisputed) {
    return Impossible("it cannot be settled");
  }
  if (!IsValid(verdict) || dispute_.has_value() != (verdict != DisputeVerdict::kNone) ||
      (dispute_ && dispute_->judged() && verdict != dispute_->verdict)) {
    return Impossible("it is settled by another verdict");
  }
  if (weight < 0 || weight > FullWeight()) return Impossible("its verified weight is out of range");
  int128 used = gains.value();
  for (const Credits part : {figures.consumed, figures.burned, figures.refunded, figures.owed}) {
    if (part < Credits(0)) return Impossible("a part of its settlement is negative");
    used += part.value();
  }
  if (used != escrow().value()) return Impossible("its settlement is not its escrow");
  if (figures.verified != figures.consumed + figures.owed) {
    return Impossible("what was verified is not what was consumed and is owed");
  }
  if (figures.verified != EarnedByProvider(weight) || gains != EarnedByTraders(weight)) {
    return Impossible("what was verified or gained is not that of its verified weight");
  }
  state_ = LeaseState::kSettled;
  if (dispute_) dispute_->verdict = verdict;
  settlement_ = figures;
  weight_ = weight;
  gains_ = gains;
  settled_minutes_ = delivered;
  return absl::OkStatus();
}

Credits Lease::losses() const {
  Credits sum;
  for (const ResaleLeg& leg : terms_.legs) {
    if (leg.difference >= Price(0)) continue;
    const auto loss = Notional(-leg.difference, terms_.gpus, terms_.minutes);
    WARPBOOK_CHECK(loss.has_value());
    sum += *loss;
  }
  return sum;
}

EscrowUse Lease::used() const {
  EscrowUse use = resold_;
  use.consumed += settlement_.consumed;
  use.burned += settlement_.burned;
  use.refunded += settlement_.refunded;
  use.owed += settlement_.owed;
  use.cleared += gains_ + forfeited();
  if (state_ == LeaseState::kSettled) use.refunded += deposit() - forfeited();
  return use;
}

Credits Lease::forfeited() const {
  const bool forfeited =
      state_ == LeaseState::kSettled && dispute_ && dispute_->verdict == DisputeVerdict::kUnfounded;
  return forfeited ? dispute_->deposit : Credits(0);
}

DisputeVerdict Lease::Verdict() const {
  if (!dispute_) return DisputeVerdict::kNone;
  if (dispute_->judged()) return dispute_->verdict;
  const int64_t founded_below = int64_t{terms_.minutes.value()} * kFoundedBelowBps;
  return int64_t{delivered_.Count().value()} * kFullShare < founded_below
             ? DisputeVerdict::kFounded
             : DisputeVerdict::kUnfounded;
}

bool Lease::IsParty(AccountId account) const {
  if (account == terms_.provider && forfeited() > Credits(0)) return true;
  return account == terms_.buyer || std::ranges::any_of(terms_.legs, [&](const ResaleLeg& leg) {
           return leg.trader == account;
         });
}

Minutes Lease::PayableMinutes() const {
  const bool delivered = state_ == LeaseState::kDelivered || state_ == LeaseState::kDisputed;
  return delivered ? delivered_.Count() : Minutes(0);
}

int64_t Lease::VerifiedWeight() const {
  const int64_t share = dispute_ ? dispute_->share : kFullShare;
  return int64_t{terms_.gpus.value()} * PayableMinutes().value() * share;
}

Credits Lease::EarnedByProvider(int64_t weight) const {
  const auto earned = MulDivDown(terms_.provider_price.value(), weight, kFullShare);
  WARPBOOK_CHECK(earned.has_value());
  return Credits(*earned);
}

Credits Lease::EarnedByTraders(int64_t weight) const {
  Credits sum;
  for (const ResaleLeg& leg : terms_.legs) {
    if (leg.difference <= Price(0)) continue;
    const auto gain = MulDivDown(leg.difference.value(), weight, kFullShare);
    WARPBOOK_CHECK(gain.has_value());
    sum += Credits(*gain);
  }
  return sum;
}

std::optional<Timestamp> Lease::DueTime() const {
  if (state_ == LeaseState::kFailed) return terms_.delivery_end;
  if (state_ == LeaseState::kDisputed && !dispute_->judged()) {
    return dispute_->disputed_at.PlusMicros(kJudgingMicros);
  }
  if (state_ != LeaseState::kDelivered && state_ != LeaseState::kDisputed) return std::nullopt;
  if (!completed_ && !dispute_) return terms_.delivery_end.PlusMicros(kDisputeMicros);
  if (delivered_.Count() == terms_.minutes) return terms_.delivery_end;
  return terms_.delivery_end.PlusMicros(kHeartbeatsEndMicros);
}

absl::StatusOr<Lease> Lease::Restore(const Stored& stored) {
  Lease lease(stored.terms);
  if (absl::Status status = lease.CheckTerms(); !status.ok()) return status;
  const bool begun = stored.state == LeaseState::kActive ||
                     stored.state == LeaseState::kDelivered ||
                     stored.state == LeaseState::kDisputed;
  const bool sold_out = stored.terms.gpus == Quantity(0);
  if (!IsValid(stored.state) || (begun && !stored.started_at) ||
      sold_out != (stored.state == LeaseState::kResold) ||
      stored.dispute.has_value() != (stored.state == LeaseState::kDisputed)) {
    return lease.Impossible("it is stored in no state of a lease");
  }
  lease.state_ = stored.state;
  lease.completed_ = stored.completed;
  lease.started_at_ = stored.started_at;
  lease.delivered_ = stored.delivered;
  lease.settlement_ = stored.settlement;
  lease.settled_minutes_ = stored.settled_minutes;
  lease.resold_ = stored.resold;
  lease.resold_gpus_ = stored.resold_gpus;
  lease.dispute_ = stored.dispute;
  return lease;
}

absl::Status Lease::Impossible(absl::string_view what) const {
  return absl::InvalidArgumentError(
      absl::StrCat("lease ", terms_.id.value(), ", ", Word(state_), ": ", what));
}

}  // namespace warpbook::settlement
