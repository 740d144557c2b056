// What settlement keeps in PostgreSQL, as plain values: the rows of store/migrations and the set of
// changes that one transaction writes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/public_key.h"
#include "schema/types/reject_reason.h"
#include "schema/types/timestamp.h"
#include "settlement/leases/lease.h"
#include "settlement/ledger/invariants.h"
#include "settlement/ledger/ledger.h"
#include "settlement/ledger/transfer.h"
#include "settlement/store/decision.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/funding.h"
#include "settlement/tokens/prices.h"

namespace warpbook::settlement {

// How far the journal is posted. Sequence 0: nothing but genesis.
struct Cursor {
  Sequence sequence;
  EventSequence event;
  Timestamp market_time;         // of the last command
  uint64_t decision_number = 0;  // the highest that the engine took
  uint64_t command_hash = 0;     // of the last command and its events: names the journal
  friend bool operator==(const Cursor&, const Cursor&) = default;
};

struct AccountRow {
  AccountId id;
  OwnerId owner;
  AccountKind kind = AccountKind::kMember;
  PublicKey public_key{};  // the first one
};

struct InstrumentRow {
  InstrumentId id;
  ClassId hardware_class;
  RegionId region;
  Timestamp window_start;
  Minutes window_minutes;
};

// A request to settlement: a deposit, a withdrawal or a top-up.
struct RequestRow {
  Sequence sequence;
  RequestKind kind = RequestKind::kDeposit;
  AccountId account;  // that it concerns
  Tokens amount;
  std::string reference;  // of a deposit or a withdrawal
  // Once decided.
  uint64_t decision_number = 0;  // 0: open
  EventSequence decided;
  RejectReason reason = RejectReason::kNone;
  Credits credits;
};

// An owner: thresholds of size go by it. Each has one account.
struct OwnerRow {
  OwnerId id;
  AccountId account;
  bool verified = false;  // an operator's word
  bool large = false;     // settlement's, as the engine has it
  friend bool operator==(const OwnerRow&, const OwnerRow&) = default;
};

// The day of emission that is under way, and the state of the vault's coverage.
struct DayRow {
  bool begun = false;  // false until the market's first command
  int32_t day = 0;     // since 1970-01-01 UTC
  EmissionDay emission;
  CoverageState coverage = CoverageState::kSound;
  friend bool operator==(const DayRow&, const DayRow&) = default;
};

// What an account did on a day.
struct AccountDayRow {
  int32_t day = 0;
  AccountId account;
  Tokens gross;                            // of its own work that was paid for
  Credits notional;                        // of work settled, sold or bought
  Credits sold;                            // of that
  std::optional<Tokens> bonus = {};        // once the day is closed
  std::optional<EventSequence> paid = {};  // once the bonus is; never where it is 0
  uint64_t paid_decision = 0;
};

// An owner came above the thresholds, or fell below them.
struct OwnerMarkRow {
  uint64_t decision_number = 0;
  EventSequence event;
  OwnerId owner;
  bool large = false;
};

// A closed day.
struct EpochRow {
  uint64_t decision_number = 0;
  EpochTotals totals;
  EventSequence closed;
  Timestamp closed_at;
};

// A settled lease that is owed something.
struct OwedRow {
  EventSequence settled;  // the queue's order
  LeaseId lease;
  AccountId provider;
  Credits left;
};

// Something of it was paid.
struct DeferredRow {
  uint64_t decision_number = 0;
  LeaseId lease;
  EventSequence event;
  Timestamp paid_at;
  Settlement paid;  // consumed and what was paid in tokens
  Credits left;
};

struct LeaseRow {
  Lease lease;
  Timestamp traded_at;
  // Once settled.
  uint64_t decision_number = 0;
  EventSequence settled{};
  std::optional<Timestamp> settled_at{};
  bool stored = false;  // the database has it already, as it was
};

// What a lease's earlier resales left in it; written when the lease is made.
struct LeaseLegRow {
  LeaseId lease;
  int leg = 0;  // from 0, the oldest
  ResaleLeg terms;
};

// The market's second in which events from this one on were posted, until another one is named.
struct PostingSecond {
  EventSequence first_event;
  int64_t second = 0;  // since 1970
};

// The engine's last word about itself.
struct CheckpointRow {
  EventSequence event;
  uint64_t decision_number = 0;
  HoldingTotals credits{};  // by holding, all positive
};

// A decision that was read back: from now on it is posted.
struct ConfirmedDecision {
  Decision decision;
  Sequence sequence;  // of its command
};

// One transaction. Rows are whole and replace what was there under the same key.
struct Changes {
  Cursor from, to;
  std::vector<AccountRow> accounts;
  std::vector<InstrumentRow> instruments;
  std::vector<RequestRow> requests;
  std::vector<LeaseRow> leases;
  std::vector<LeaseLegRow> lease_legs;  // of new ones
  std::vector<DeferredRow> deferred;
  std::vector<OwnerRow> owners;
  std::vector<OwnerMarkRow> owner_marks;
  std::vector<AccountDayRow> account_days;
  std::vector<EpochRow> epochs;
  std::optional<DayRow> day;
  std::vector<Transfer> transfers;
  std::vector<PostingSecond> posting_seconds;  // of these transfers, where it is another one
  std::vector<std::pair<LedgerAccount, int64_t>> balances;  // ascending by account
  std::optional<SupplyCounters> counters;
  std::optional<PriceState> prices;
  std::optional<CheckpointRow> checkpoint;
  std::vector<ConfirmedDecision> confirmed;
  // Decisions from this number on that were not read back are void: the journal has others.
  std::optional<uint64_t> void_from;
  std::vector<Decision> decided;  // into the outbox
};

// What a worker begins with.
struct StoredState {
  Cursor cursor;
  std::vector<AccountRow> settlement_accounts;
  std::vector<RequestRow> open_requests;     // ascending
  std::vector<std::string> used_references;  // of posted deposits and withdrawals
  std::vector<LeaseRow> open_leases;         // neither settled nor resold
  std::vector<OwedRow> owed;                 // ascending
  std::vector<OwnerRow> owners;
  DayRow day;
  std::vector<AccountDayRow> account_days;  // of the days that still count, and of unpaid bonuses
  std::vector<std::pair<LedgerAccount, int64_t>> balances;
  SupplyCounters counters;
  PriceState prices;
  std::vector<Decision> outbox;  // written, not read back; ascending
  int64_t last_posting_second = 0;
};

}  // namespace warpbook::settlement
