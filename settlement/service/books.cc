#include "settlement/service/books.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/hash.h"
#include "settlement/tokens/owner_size.h"

namespace warpbook::settlement {
namespace {

void AddRecord(uint64_t& hash, wire::RecordView record) {
  Hash64 next(hash);
  next.Add(static_cast<uint64_t>(record.type()));
  next.AddBytes({record.body(), record.header().size});
  hash = next.value();
}

LeaseEscrowFigures::Use Numbers(const EscrowUse& use) {
  return {use.consumed.value(), use.burned.value(), use.refunded.value(), use.owed.value(),
          use.cleared.value()};
}

}  // namespace

absl::StatusOr<Books> Books::Restore(StoredState state) {
  Books books;
  auto ledger = Ledger::Restore(state.balances, state.counters);
  if (!ledger.ok()) return ledger.status();
  books.ledger_ = *std::move(ledger);
  books.cursor_ = state.cursor;
  books.prices_ = state.prices;
  // Without a cursor any journal is the right one.
  books.journal_confirmed_ = state.cursor.sequence == Sequence();
  for (const AccountRow& account : state.settlement_accounts) {
    books.settlement_accounts_[account.public_key] = account.id;
  }
  for (RequestRow& request : state.open_requests) {
    const Sequence sequence = request.sequence;
    books.open_requests_.emplace(sequence, std::move(request));
  }
  books.used_references_.insert(state.used_references.begin(), state.used_references.end());
  for (LeaseRow& row : state.open_leases) {
    books.due_leases_.Update(row.lease);
    const LeaseId id = row.lease.terms().id;
    // What earlier transactions moved was checked there.
    books.lease_moves_[id] = {row.lease.paid_in().value(), 0, Numbers(row.lease.used()), {}};
    books.open_leases_.emplace(id, std::move(row));
  }
  books.last_posting_second_ = state.last_posting_second;
  for (const OwedRow& row : state.owed) {
    books.owed_.emplace(row.settled, row);
    books.owed_since_[row.lease] = row.settled;
    books.owed_to_leases_ += row.left;
  }
  books.days_ = EmissionDays(state.day, state.account_days);
  books.emitted_by_days_ = state.counters.emitted;
  for (const OwnerRow& owner : state.owners) {
    books.owners_.Open(owner);
    books.owners_.SetTokens(
        owner.account,
        Tokens(books.ledger_.balance(LedgerAccount(owner.account, Holding::kTokens))));
  }
  books.changes_.from = books.cursor_;
  return books;
}

absl::Status Books::Apply(const journal::BatchView& batch) {
  current_ = Current();
  const uint64_t next = cursor_.sequence.value() + 1;
  if (batch.first_sequence > next) {
    return absl::DataLossError(absl::StrCat("the journal goes on at sequence ",
                                            batch.first_sequence, " where ", next,
                                            " was expected"));
  }
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (wire::IsCommand(record.type())) {
      if (absl::Status status = EndCommand(); !status.ok()) return status;
      if (absl::Status status = BeginCommand(record); !status.ok()) return status;
    } else if (!current_.command) {
      return Fault("an event comes before its command");
    }
    AddRecord(current_.hash, record);
    if (wire::IsCommand(record.type()) || current_.skipped) continue;
    if (absl::Status status = ApplyEvent(record); !status.ok()) return status;
  }
  return EndCommand();
}

absl::Status Books::BeginCommand(wire::RecordView command) {
  const wire::CommandHeader& header = command.command_header();
  current_ = Current();
  current_.command = command;
  current_.sequence = Sequence(header.sequence());
  current_.time = Timestamp(header.time_us());
  current_.skipped = current_.sequence <= cursor_.sequence;
  if (current_.skipped) return absl::OkStatus();
  if (current_.sequence.value() != cursor_.sequence.value() + 1) {
    return Fault("the command before it is missing");
  }
  if (current_.time < cursor_.market_time) return Fault("the market's time falls");
  days_.BeginAt(current_.time);
  return absl::OkStatus();
}

absl::Status Books::EndCommand() {
  if (!current_.command) return absl::OkStatus();
  if (current_.sequence == cursor_.sequence) {
    journal_confirmed_ = current_.hash == cursor_.command_hash;
    if (!journal_confirmed_) {
      return absl::FailedPreconditionError(
          absl::StrCat("the database was posted from another journal: command ",
                       cursor_.sequence.value(), " is not the one that was posted"));
    }
  }
  if (current_.skipped) return absl::OkStatus();
  if (current_.moved_tokens) UpdateCoverage();
  cursor_.sequence = current_.sequence;
  cursor_.market_time = current_.time;
  cursor_.command_hash = current_.hash;
  return absl::OkStatus();
}

absl::Status Books::ApplyEvent(wire::RecordView record) {
  const uint64_t event = record.event_header().event_sequence();
  if (event != cursor_.event.value() + 1) return Fault("an event before it is missing");
  cursor_.event = EventSequence(event);
  switch (record.type()) {
    case wire::RecordType::kAccountOpened:
      return On(record.as<wire::AccountOpened>());
    case wire::RecordType::kRequestTaken:
      return On(record.as<wire::RequestTaken>());
    case wire::RecordType::kRequestDecided:
      return On(record.as<wire::RequestDecided>());
    case wire::RecordType::kCreditsMoved:
      return On(record.as<wire::CreditsMoved>());
    case wire::RecordType::kInstrumentOpened:
      return On(record.as<wire::InstrumentOpened>());
    case wire::RecordType::kTradeExecuted:
      return On(record.as<wire::TradeExecuted>());
    case wire::RecordType::kLeaseChanged:
      return On(record.as<wire::LeaseChanged>());
    case wire::RecordType::kLeaseHeartbeat:
      return On(record.as<wire::LeaseHeartbeat>());
    case wire::RecordType::kLeaseDisputed:
      return On(record.as<wire::LeaseDisputed>());
    case wire::RecordType::kLeaseJudged:
      return On(record.as<wire::LeaseJudged>());
    case wire::RecordType::kLeaseSettled:
      return On(record.as<wire::LeaseSettled>());
    case wire::RecordType::kDeferredPaid:
      return On(record.as<wire::DeferredPaid>());
    case wire::RecordType::kEpochClosed:
      return On(record.as<wire::EpochClosed>());
    case wire::RecordType::kBonusPaid:
      return On(record.as<wire::BonusPaid>());
    case wire::RecordType::kOwnerMarked:
      return On(record.as<wire::OwnerMarked>());
    case wire::RecordType::kOwnerVerified:
      return On(record.as<wire::OwnerVerified>());
    case wire::RecordType::kPricesSet:
      return On(record.as<wire::PricesSet>());
    case wire::RecordType::kCheckpoint:
      return On(record.as<wire::Checkpoint>());
    default:
      return absl::OkStatus();  // orders and books are no business of settlement's
  }
}

absl::StatusOr<Changes> Books::TakeChanges() {
  LedgerFigures figures = Figures();
  figures.leases = CheckLeases();
  if (absl::Status status = CheckInvariants(figures); !status.ok()) return status;
  for (const LeaseId id : changed_leases_) {
    const auto found = open_leases_.find(id);
    changes_.leases.push_back(found->second);
    found->second.stored = true;
    if (!found->second.lease.ended()) continue;
    open_leases_.erase(found);
    lease_moves_.erase(id);
  }
  for (auto& [sequence, request] : changed_requests_) {
    changes_.requests.push_back(std::move(request));
  }
  for (const AccountId account : changed_owners_) {
    changes_.owners.push_back(*owners_.Find(account));
  }
  changes_.account_days = days_.TakeChangedRows();
  if (days_.TakeChangedDay()) changes_.day = days_.day();
  changes_.to = cursor_;
  changes_.balances = ledger_.TakeChanged();
  Changes taken = std::exchange(changes_, Changes());
  changes_.from = cursor_;
  changed_requests_.clear();
  changed_leases_.clear();
  moved_leases_.clear();
  changed_owners_.clear();
  return taken;
}

const Lease* Books::FindOpenLease(LeaseId id) const {
  const auto found = open_leases_.find(id);
  if (found == open_leases_.end()) return nullptr;
  const Lease& lease = found->second.lease;
  return lease.ended() ? nullptr : &lease;
}

std::optional<AccountId> Books::FindSettlementAccount(const PublicKey& key) const {
  const auto found = settlement_accounts_.find(key);
  if (found == settlement_accounts_.end()) return std::nullopt;
  return found->second;
}

const OwedRow* Books::FindOwed(LeaseId lease) const {
  const auto since = owed_since_.find(lease);
  return since == owed_since_.end() ? nullptr : &owed_.at(since->second);
}

Credits Books::debt() const {
  return Credits(ledger_.total(Holding::kFree)) + Credits(ledger_.total(Holding::kLocked)) +
         Credits(ledger_.total(Holding::kEscrow)) + Credits(ledger_.total(Holding::kOwed));
}

Tokens Books::circulating() const {
  return Tokens(-ledger_.total(Holding::kIssuance)) - Tokens(ledger_.total(Holding::kVault));
}

bool Books::IsLargeNow(AccountId account) const {
  return IsLarge(days_.RecentNotional(account),
                 Tokens(ledger_.balance(LedgerAccount(account, Holding::kTokens))), circulating());
}

std::vector<AccountId> Books::OwnersToMark() const {
  return owners_.ToMark(days_.above_notional(), circulating());
}

void Books::UpdateCoverage() {
  const auto quote = QuotePrices(prices_, current_.time);
  if (!quote) return;  // as it was
  const int64_t coverage =
      CoverageBps(Tokens(ledger_.total(Holding::kVault)), quote->median, debt());
  days_.SetCoverage(NextCoverageState(days_.day().coverage, coverage));
}

LedgerFigures Books::Figures() const {
  LedgerFigures figures;
  figures.totals = ledger_.totals();
  figures.counters = ledger_.counters();
  figures.counters_derived = ledger_.counters();
  figures.emitted_by_days = emitted_by_days_;
  figures.owed_to_leases = owed_to_leases_;
  return figures;
}

absl::Status Books::CheckInvariants(const LedgerFigures& figures) const {
  const auto violation = FindViolation(figures);
  return violation ? Fault(*violation) : absl::OkStatus();
}

Tally Books::CheckLeases() const {
  Tally tally;
  const auto check = [this, &tally](LeaseId id) {
    ++tally.checked;
    const auto found = open_leases_.find(id);
    const auto moves = lease_moves_.find(id);
    if (found != open_leases_.end() && moves != lease_moves_.end()) {
      const Lease& lease = found->second.lease;
      LeaseEscrowFigures figures;
      figures.paid_in = lease.paid_in().value();
      figures.left = lease.ended() ? 0 : (lease.escrow() + lease.deposit()).value();
      figures.used = Numbers(lease.used());
      figures.gains = (lease.gains() + lease.forfeited()).value();
      figures.moved_in = moves->second.in;
      figures.moved = moves->second.out;
      figures.moved_gains = moves->second.gains;
      figures.moved_by_parties = std::ranges::all_of(
          moves->second.accounts, [&lease](AccountId account) { return lease.IsParty(account); });
      if (EscrowUsedOnce(figures)) return;
    }
    ++tally.wrong;
    tally.example = absl::StrCat(id.value());
  };
  for (const LeaseId id : changed_leases_) check(id);
  for (const LeaseId id : moved_leases_) {
    if (!changed_leases_.contains(id)) check(id);
  }
  return tally;
}

absl::Status Books::Fault(absl::string_view what) const {
  return absl::DataLossError(absl::StrCat("sequence ", current_.sequence.value(), ", event ",
                                          cursor_.event.value(), ": ", what));
}

}  // namespace warpbook::settlement
