// Books: all that settlement knows, as a pure function of the journal: accounts, requests, prices,
// leases, ledger. Batches go in, the changes that a transaction must write come out. Nothing here
// decides or sends; there is no I/O. Settlement's worker thread owns it.
//
// What the journal holds was made by an engine, so what does not fit is no refusal but a fault: of
// the journal, of the database or of a program. It is answered by a Status that names the sequence;
// the object is of no more use then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/journal/command_log.h"
#include "schema/wire/record.h"
#include "settlement/ledger/ledger.h"
#include "settlement/service/due_leases.h"
#include "settlement/service/emission_days.h"
#include "settlement/service/owner_book.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

class Books {
 public:
  static absl::StatusOr<Books> Restore(StoredState state);

  // Takes the commands of a batch that are behind the cursor. The command at the cursor, where the
  // batch holds it, must be the one that was posted: else the journal is another one
  // (FailedPrecondition).
  absl::Status Apply(const journal::BatchView& batch);

  // Whether a batch has shown that this is the journal that the cursor is of.
  bool journal_confirmed() const { return journal_confirmed_; }

  // What has changed since the last call, all invariants checked.
  absl::StatusOr<Changes> TakeChanges();

  const Cursor& cursor() const { return cursor_; }
  const Ledger& ledger() const { return ledger_; }
  const PriceState& prices() const { return prices_; }
  const absl::btree_map<Sequence, RequestRow>& open_requests() const { return open_requests_; }
  const DueLeases& due_leases() const { return due_leases_; }
  // Settled leases that are owed something, who waits longest first.
  const absl::btree_map<EventSequence, OwedRow>& owed() const { return owed_; }
  // Null where the lease is owed nothing.
  const OwedRow* FindOwed(LeaseId lease) const;
  const EmissionDays& days() const { return days_; }
  // All credits that are free, locked, in escrow or owed: what the vault covers.
  Credits debt() const;
  // TOK outside issuance and vault.
  Tokens circulating() const;
  // The owner behind a member's account; null where there is none.
  const OwnerRow* FindOwner(AccountId account) const { return owners_.Find(account); }
  // The accounts of owners whose mark is not as their size is now; ascending.
  std::vector<AccountId> OwnersToMark() const;
  // Whether the owner's size is above the thresholds now.
  bool IsLargeNow(AccountId account) const;
  size_t open_leases() const { return open_leases_.size(); }
  // A lease that is not settled; null where there is none.
  const Lease* FindOpenLease(LeaseId id) const;
  bool ReferenceUsed(const std::string& reference) const {
    return used_references_.contains(reference);
  }
  // The account of kind settlement that has this key.
  std::optional<AccountId> FindSettlementAccount(const PublicKey& key) const;

 private:
  Books() = default;

  absl::Status BeginCommand(wire::RecordView command);
  absl::Status EndCommand();
  absl::Status ApplyEvent(wire::RecordView event);
  absl::Status On(const wire::AccountOpened& event);
  absl::Status On(const wire::RequestTaken& event);
  absl::Status On(const wire::RequestDecided& event);
  absl::Status On(const wire::CreditsMoved& event);
  absl::Status On(const wire::InstrumentOpened& event);
  absl::Status On(const wire::TradeExecuted& event);
  absl::Status On(const wire::LeaseChanged& event);
  absl::Status On(const wire::LeaseHeartbeat& event);
  absl::Status On(const wire::LeaseDisputed& event);
  absl::Status On(const wire::LeaseJudged& event);
  absl::Status On(const wire::LeaseSettled& event);
  absl::Status On(const wire::DeferredPaid& event);
  absl::Status On(const wire::EpochClosed& event);
  absl::Status On(const wire::BonusPaid& event);
  absl::Status On(const wire::OwnerMarked& event);
  absl::Status On(const wire::OwnerVerified& event);
  absl::Status On(const wire::PricesSet& event);
  absl::Status On(const wire::Checkpoint& event);

  // The number of the decision that the current command is, which the engine has taken.
  absl::StatusOr<uint64_t> TakeDecision();
  template <typename Event>
  absl::Status Post(const Event& event);
  absl::Status PostAll(const std::vector<Transfer>& transfers);
  // What was paid for a lease counts as work of its provider's.
  void TakeWork(AccountId provider, const Settlement& paid);
  void UpdateCoverage();
  absl::StatusOr<LeaseRow*> OpenLease(uint64_t id);
  // That the lease changed: it is written, and due at another time perhaps.
  void Touch(const LeaseRow& lease);
  LedgerFigures Figures() const;
  absl::Status CheckInvariants(const LedgerFigures& figures) const;
  // A resale: the lease of the trade takes GPUs of another.
  absl::Status Resell(LeaseId resold, AccountId seller, LeaseTerms& made);
  // What was moved in the name of the leases that changed, or were named, since the last
  // TakeChanges, against what they say.
  Tally CheckLeases() const;
  absl::Status Fault(absl::string_view what) const;

  Cursor cursor_;
  Ledger ledger_;
  PriceState prices_;
  absl::flat_hash_map<PublicKey, AccountId> settlement_accounts_;
  absl::btree_map<Sequence, RequestRow> open_requests_;
  absl::flat_hash_set<std::string> used_references_;
  absl::flat_hash_map<LeaseId, LeaseRow> open_leases_;
  // What was moved in the name of each of them, since its trade, and whose credits.
  struct LeaseMoves {
    int64_t in = 0, gains = 0;
    LeaseEscrowFigures::Use out;
    std::vector<AccountId> accounts;
  };
  absl::flat_hash_map<LeaseId, LeaseMoves> lease_moves_;
  DueLeases due_leases_;
  int64_t last_posting_second_ = 0;  // of the market, in which something moved
  absl::btree_map<EventSequence, OwedRow> owed_;
  absl::flat_hash_map<LeaseId, EventSequence> owed_since_;
  Credits owed_to_leases_;
  EmissionDays days_;
  Tokens emitted_by_days_;
  OwnerBook owners_;
  bool journal_confirmed_ = false;

  // The command whose events are being applied.
  struct Current {
    std::optional<wire::RecordView> command;
    Sequence sequence;
    Timestamp time;
    bool skipped = false;  // it was posted before
    uint64_t hash = 0;
    bool moved_tokens = false;  // or prices: coverage is another
  };
  Current current_;

  // Since the last TakeChanges.
  Changes changes_;
  absl::btree_map<Sequence, RequestRow> changed_requests_;
  absl::btree_set<LeaseId> changed_leases_;
  absl::btree_set<LeaseId> moved_leases_;
  absl::btree_set<AccountId> changed_owners_;
};

}  // namespace warpbook::settlement
