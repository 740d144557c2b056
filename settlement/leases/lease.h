// The life of a fill, from the journal's events (2-tokens, Money flow 3 to 5):
//
//   reserved --start--> active --window ends--> delivered ---> settled
//       |                                           \-disputed-/
//       |\-------------window ends------------> failed ------> settled
//       \---all of its GPUs are sold again-----> resold
//
// A dispute puts a deposit of its buyer's beside the escrow; it comes back where the dispute was
// founded, else it is the provider's. An operator may judge it; else the rule does, by heartbeats.
//
// A resale takes GPUs of a reserved lease for a new one. What a lease holds in escrow is its
// buyer's and, where it was resold at a loss, its traders' (1-market, Sides).
//
// A pure state machine: time comes in as the market time of the command that caused the event. An
// event that does not fit the lease's state is answered by a Status: an engine never makes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/lease_times.h"
#include "schema/types/timestamp.h"
#include "settlement/leases/delivered_minutes.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {

// A heartbeat is taken until 5 minutes after its minute; a minute later none can come any more.
inline constexpr int64_t kHeartbeatsEndMicros = 6 * kMicrosPerMinute;
// How long the buyer may dispute a delivery, unless it ends that time itself.
inline constexpr int64_t kDisputeMicros = kDisputeMinutes * kMicrosPerMinute;

// How long an operator may judge a dispute; then the rule does.
inline constexpr int64_t kJudgingMicros = kJudgingMinutes * kMicrosPerMinute;
// The rule: a dispute is founded where fewer of the minutes were delivered (1/10,000).
inline constexpr int64_t kFoundedBelowBps = 9'500;

// A minute of a GPU, delivered in full, in verified weight.
inline constexpr int64_t kFullShare = 10'000;

// What a resale left in a lease: the trader's gain (> 0) or loss (< 0) per GPU-hour.
struct ResaleLeg {
  AccountId trader;
  Price difference;
  friend bool operator==(const ResaleLeg&, const ResaleLeg&) = default;
};

// What the trade fixed. A resale of the lease takes GPUs, notional and surcharge off it again.
struct LeaseTerms {
  LeaseId id;
  InstrumentId instrument;
  AccountId buyer, provider;
  NodeId node;
  Price price;           // that the buyer pays
  Price provider_price;  // that the provider is paid
  Quantity gpus;
  Minutes minutes;
  Credits notional, surcharge;  // together the buyer's escrow
  Timestamp delivery_start, delivery_end;
  Tier tier = Tier::kStandard;
  Assurance assurance = Assurance::kListed;
  std::vector<ResaleLeg> legs;  // oldest first; price = provider_price + their sum
  friend bool operator==(const LeaseTerms&, const LeaseTerms&) = default;
};

// What of a lease's escrow left it, by where it went.
struct EscrowUse {
  Credits consumed, burned, refunded, owed;
  Credits cleared;  // to traders with gains, or to the leases that were made from it
  Credits total() const { return consumed + burned + refunded + owed + cleared; }
  friend bool operator==(const EscrowUse&, const EscrowUse&) = default;
};

// Of a lease that its buyer disputed.
struct Dispute {
  Timestamp disputed_at;
  Credits deposit;
  DisputeVerdict verdict = DisputeVerdict::kNone;  // an operator's, or what it was settled by
  int32_t share = kFullShare;                      // at which the delivered minutes count
  std::string reason;                              // an operator's
  bool judged() const { return !reason.empty(); }
  friend bool operator==(const Dispute&, const Dispute&) = default;
};

class Lease {
 public:
  // A new lease, reserved. InvalidArgument where the terms are not consistent: the minutes are
  // those from start to end, notional = price x GPUs x minutes > 0, 0 <= surcharge, the legs make
  // the price out of the provider's.
  static absl::StatusOr<Lease> Reserve(const LeaseTerms& terms);

  // The terms that a resale of this lease's GPUs at this price has in common with it, legs and all;
  // id, buyer, GPUs, notional, surcharge and tier are the new lease's own.
  LeaseTerms TermsOfResale(Price price) const;
  // The new lease takes its GPUs. The trader (the buyer of this one) gets the smaller price back,
  // its surcharge on them is burned, and losses go on to the new lease.
  absl::Status Resell(const LeaseTerms& made);

  // The states between reserved and settled; `completed`: the buyer ended the dispute time.
  absl::Status Change(LeaseState state, bool completed, Timestamp now);
  // A heartbeat for the minute that begins at `minute`. A minute that had ended before the lease
  // was started is not paid and stays 0.
  absl::Status Heartbeat(Timestamp minute);
  // Its buyer disputes it, with this deposit; it becomes disputed by a Change of its own.
  absl::Status BeDisputed(Credits deposit, Timestamp now);
  // An operator judges the dispute.
  absl::Status BeJudged(DisputeVerdict verdict, int32_t share, std::string_view reason);
  // The settlement that the engine took, for this verified weight and with these gains in all,
  // which uses the escrow exactly once.
  absl::Status BecomeSettled(const Settlement& figures, int64_t weight, Credits gains,
                             Minutes delivered, DisputeVerdict verdict = DisputeVerdict::kNone);

  const LeaseTerms& terms() const { return terms_; }
  LeaseState state() const { return state_; }
  bool completed() const { return completed_; }
  std::optional<Timestamp> started_at() const { return started_at_; }
  const DeliveredMinutes& delivered() const { return delivered_; }
  const std::optional<Dispute>& dispute() const { return dispute_; }
  // Of a dispute, if it is settled now: the operator's verdict, else the rule's. kNone without one.
  DisputeVerdict Verdict() const;
  // Once settled.
  const Settlement& settlement() const { return settlement_; }
  Minutes settled_minutes() const { return settled_minutes_; }

  // What the buyer and the traders who resold it at a loss hold in escrow for it; what they held
  // for it, once it is settled.
  Credits escrow() const { return terms_.notional + terms_.surcharge + losses(); }
  Credits losses() const;
  // What resales took, and what was paid in for it in all.
  const EscrowUse& resold() const { return resold_; }
  Quantity resold_gpus() const { return resold_gpus_; }
  Credits paid_in() const { return escrow() + deposit() + resold_.total(); }
  // Of a dispute; and what of it the provider gets, once it is settled.
  Credits deposit() const { return dispute_ ? dispute_->deposit : Credits(0); }
  Credits forfeited() const;
  // All that left its escrow so far.
  EscrowUse used() const;
  // Whether the account may pay or be paid out of its escrow: the buyer, one of the traders, or the
  // provider that a deposit is forfeited to.
  bool IsParty(AccountId account) const;
  // Nothing will happen to it any more.
  bool ended() const { return state_ == LeaseState::kSettled || state_ == LeaseState::kResold; }
  // The minutes that are paid when it is settled now: none of a failed lease.
  Minutes PayableMinutes() const;
  // W = GPUs x minutes delivered x the share at which they count: in full, unless a dispute was
  // judged otherwise. (There are no probes' verdicts yet that would say less.)
  int64_t VerifiedWeight() const;
  // For a weight of 0 to full: N = floor(provider's price x W / 10,000), and what traders with
  // gains get, each floor(gain x W / 10,000). Rounded down: paid out.
  Credits EarnedByProvider(int64_t weight) const;
  Credits EarnedByTraders(int64_t weight) const;
  // The N of a delivery in full.
  Credits provider_notional() const { return EarnedByProvider(FullWeight()); }
  int64_t weight() const { return weight_; }  // once settled
  Credits gains() const { return gains_; }    // likewise

  // From when on it can be settled, as things stand: a failed one at once; a delivered one when the
  // buyer completed it and no heartbeat can come any more (all its minutes have one, or the time
  // for them has passed), else when the dispute time is over; a disputed one likewise when it was
  // judged, else when the time for that is over. nullopt: not before something happens.
  std::optional<Timestamp> DueTime() const;

  // As stored.
  struct Stored {
    LeaseTerms terms;
    LeaseState state = LeaseState::kReserved;
    bool completed = false;
    std::optional<Timestamp> started_at;
    DeliveredMinutes delivered;
    Settlement settlement;
    Minutes settled_minutes;
    EscrowUse resold;
    Quantity resold_gpus;
    std::optional<Dispute> dispute = {};
  };
  static absl::StatusOr<Lease> Restore(const Stored& stored);

 private:
  explicit Lease(const LeaseTerms& terms) : terms_(terms) {}
  absl::Status Impossible(absl::string_view what) const;
  absl::Status CheckTerms() const;
  int64_t FullWeight() const {
    return int64_t{terms_.gpus.value()} * terms_.minutes.value() * kFullShare;
  }

  LeaseTerms terms_;
  LeaseState state_ = LeaseState::kReserved;
  bool completed_ = false;
  std::optional<Timestamp> started_at_;
  DeliveredMinutes delivered_;
  Settlement settlement_;
  int64_t weight_ = 0;
  Credits gains_;
  Minutes settled_minutes_;
  EscrowUse resold_;
  Quantity resold_gpus_;
  std::optional<Dispute> dispute_;
};

}  // namespace warpbook::settlement
