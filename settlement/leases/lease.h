// The life of a fill, from the journal's events (2-tokens, Money flow 3 to 5):
//
//   reserved --start--> active --window ends--> delivered --> settled
//       \--------------window ends------------> failed -----> settled
//
// A pure state machine: time comes in as the market time of the command that caused the event. An
// event that does not fit the lease's state is answered by a Status: an engine never makes it.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "settlement/leases/delivered_minutes.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {

// A heartbeat is taken until 5 minutes after its minute; a minute later none can come any more.
inline constexpr int64_t kHeartbeatsEndMicros = 6 * kMicrosPerMinute;
// How long the buyer may dispute a delivery, unless it ends that time itself.
inline constexpr int64_t kDisputeMicros = 10 * kMicrosPerMinute;

// What the trade fixed.
struct LeaseTerms {
  LeaseId id;
  InstrumentId instrument;
  AccountId buyer, provider;
  NodeId node;
  Price price;
  Quantity gpus;
  Minutes minutes;
  Credits notional, surcharge;  // together the escrow
  Timestamp delivery_start, delivery_end;
  Tier tier = Tier::kStandard;
  Assurance assurance = Assurance::kListed;
  friend bool operator==(const LeaseTerms&, const LeaseTerms&) = default;
};

class Lease {
 public:
  // A new lease, reserved. InvalidArgument where the terms are not consistent: the minutes are
  // those from start to end, notional = price x GPUs x minutes > 0, 0 <= surcharge.
  static absl::StatusOr<Lease> Reserve(const LeaseTerms& terms);

  // The states between reserved and settled; `completed`: the buyer ended the dispute time.
  absl::Status Change(LeaseState state, bool completed, Timestamp now);
  // A heartbeat for the minute that begins at `minute`. A minute that had ended before the lease
  // was started is not paid and stays 0.
  absl::Status Heartbeat(Timestamp minute);
  // The settlement that the engine took, which uses the escrow exactly once.
  absl::Status BecomeSettled(const Settlement& figures, Minutes delivered);

  const LeaseTerms& terms() const { return terms_; }
  LeaseState state() const { return state_; }
  bool completed() const { return completed_; }
  std::optional<Timestamp> started_at() const { return started_at_; }
  const DeliveredMinutes& delivered() const { return delivered_; }
  // Once settled.
  const Settlement& settlement() const { return settlement_; }
  Minutes settled_minutes() const { return settled_minutes_; }

  Credits escrow() const { return terms_.notional + terms_.surcharge; }
  // The minutes that are paid when it is settled now: none of a failed lease.
  Minutes PayableMinutes() const;
  // N = price x GPUs x minutes delivered, exact. (Every delivered minute counts in full: there are
  // no verdicts yet that would say less.)
  Credits VerifiedNotional() const;

  // From when on it can be settled, as things stand: a failed one at once; a delivered one when the
  // buyer completed it and no heartbeat can come any more (all its minutes have one, or the time
  // for them has passed), else when the dispute time is over. nullopt: not before something
  // happens.
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
  };
  static absl::StatusOr<Lease> Restore(const Stored& stored);

 private:
  explicit Lease(const LeaseTerms& terms) : terms_(terms) {}
  absl::Status Impossible(absl::string_view what) const;

  LeaseTerms terms_;
  LeaseState state_ = LeaseState::kReserved;
  bool completed_ = false;
  std::optional<Timestamp> started_at_;
  DeliveredMinutes delivered_;
  Settlement settlement_;
  Minutes settled_minutes_;
};

}  // namespace warpbook::settlement
