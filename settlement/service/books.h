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
  absl::Status On(const wire::LeaseSettled& event);
  absl::Status On(const wire::PricesSet& event);
  absl::Status On(const wire::Checkpoint& event);

  // The number of the decision that the current command is, which the engine has taken.
  absl::StatusOr<uint64_t> TakeDecision();
  absl::Status PostAll(const std::vector<Transfer>& transfers);
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
  bool journal_confirmed_ = false;

  // The command whose events are being applied.
  struct Current {
    std::optional<wire::RecordView> command;
    Sequence sequence;
    Timestamp time;
    bool skipped = false;  // it was posted before
    uint64_t hash = 0;
  };
  Current current_;

  // Since the last TakeChanges.
  Changes changes_;
  absl::btree_map<Sequence, RequestRow> changed_requests_;
  absl::btree_set<LeaseId> changed_leases_;
  absl::btree_set<LeaseId> moved_leases_;
};

}  // namespace warpbook::settlement
