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

struct LeaseRow {
  Lease lease;
  Timestamp traded_at;
  // Once settled.
  uint64_t decision_number = 0;
  EventSequence settled{};
  std::optional<Timestamp> settled_at{};
};

// What a lease's earlier resales left in it; written when the lease is made.
struct LeaseLegRow {
  LeaseId lease;
  int leg = 0;  // from 0, the oldest
  ResaleLeg terms;
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
  std::vector<Transfer> transfers;
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
  std::vector<std::pair<LedgerAccount, int64_t>> balances;
  SupplyCounters counters;
  PriceState prices;
  std::vector<Decision> outbox;  // written, not read back; ascending
};

}  // namespace warpbook::settlement
