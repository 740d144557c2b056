#include "settlement/store/statement_query.h"

#include <pqxx/pqxx>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "settlement/store/read.h"

namespace warpbook::settlement {
namespace {

// The events of the statement: from `first` on, until before `end`.
struct EventRange {
  int64_t first = 0, end = 0;
};

// The transfers that member $1 takes part in, from event $2 on, until before $3.
constexpr const char* kMoves =
    "SELECT t.* FROM member_postings AS span CROSS JOIN LATERAL ("
    "  SELECT * FROM transfers"
    "  WHERE event_sequence BETWEEN greatest(span.first_event, $2) AND least(span.last_event, $3 - "
    "1)"
    "    AND (debit_account / 16 = $1 OR credit_account / 16 = $1)) AS t"
    " WHERE span.member = $1 AND span.last_event >= $2 AND span.first_event < $3";

EventRange EventsOf(pqxx::transaction_base& transaction, const StatementFigures& figures) {
  const auto first_since = [&](int64_t second) {
    return Int(transaction.exec_params1(
        "SELECT coalesce(min(first_event), $2) FROM posting_seconds WHERE second >= $1", second,
        static_cast<int64_t>(figures.cursor.event.value()) + 1)[0]);
  };
  return {first_since(figures.from_second), first_since(figures.to_second)};
}

// What the events from one on, until before another, make of each holding.
HoldingTotals SumMoves(pqxx::transaction_base& transaction, int64_t member, EventRange events) {
  HoldingTotals sums{};
  for (const pqxx::row& row : transaction.exec_params(
           absl::StrCat("SELECT account % 16, sum(leg_amount)::bigint FROM (", kMoves,
                        ") AS moves CROSS JOIN LATERAL (VALUES (credit_account, amount),"
                        " (debit_account, -amount)) AS legs (account, leg_amount)"
                        " WHERE account / 16 = $1 GROUP BY 1"),
           member, events.first, events.end)) {
    sums[row[0].as<size_t>()] = Int(row[1]);
  }
  return sums;
}

HoldingTotals BalancesNow(pqxx::transaction_base& transaction, int64_t member) {
  HoldingTotals balances{};
  for (const pqxx::row& row :
       transaction.exec_params("SELECT account % 16, balance FROM account_balances"
                               " WHERE account BETWEEN $1::bigint * 16 AND $1::bigint * 16 + 15",
                               member)) {
    balances[row[0].as<size_t>()] = Int(row[1]);
  }
  return balances;
}

absl::Status ReadTransfers(pqxx::transaction_base& transaction, int64_t member, EventRange events,
                           std::vector<StatementTransfer>& transfers) {
  const pqxx::result rows = transaction.exec_params(
      absl::StrCat("SELECT event_sequence, leg, debit_account, credit_account, amount, lease_id,"
                   " second FROM (",
                   kMoves,
                   ") AS moves CROSS JOIN LATERAL (SELECT second FROM posting_seconds"
                   "   WHERE first_event <= event_sequence ORDER BY first_event DESC LIMIT 1)"
                   " AS posted ORDER BY event_sequence, leg LIMIT $4"),
      member, events.first, events.end, static_cast<int64_t>(kStatementTransfersMax) + 1);
  if (rows.size() > kStatementTransfersMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the account has more than ", kStatementTransfersMax, " transfers in that time"));
  }
  for (const pqxx::row& row : rows) {
    const auto debit = LedgerAccount::FromNumber(Int(row[2]));
    const auto credit = LedgerAccount::FromNumber(Int(row[3]));
    if (!debit || !credit) return Malformed("transfers", row[0]);
    StatementTransfer read;
    read.transfer = {EventSequence(Unsigned(row[0])),
                     Int32(row[1]),
                     *debit,
                     *credit,
                     Int(row[4]),
                     LeaseId(row[5].is_null() ? 0 : Unsigned(row[5]))};
    read.second = Int(row[6]);
    transfers.push_back(std::move(read));
  }
  return absl::OkStatus();
}

void ReadReferences(pqxx::transaction_base& transaction, int64_t member, EventRange events,
                    std::vector<StatementTransfer>& transfers) {
  std::map<EventSequence, std::string> references;
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT decided_event, reference FROM requests WHERE account_id = $1"
           " AND state = 'posted' AND decided_event >= $2 AND decided_event < $3",
           member, events.first, events.end)) {
    references[EventSequence(Unsigned(row[0]))] = row[1].c_str();
  }
  for (StatementTransfer& each : transfers) {
    const auto found = references.find(each.transfer.event);
    if (found != references.end()) each.reference = found->second;
  }
}

void ReadLeases(pqxx::transaction_base& transaction, StatementFigures& figures) {
  std::set<uint64_t> ids;
  for (const StatementTransfer& each : figures.transfers) {
    if (each.transfer.lease) ids.insert(each.transfer.lease.value());
  }
  if (ids.empty()) return;
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT l.id, v.symbol, l.buyer, l.provider, l.settled_at_us FROM lease_records l"
           " JOIN leases v ON v.id = l.id WHERE l.id = ANY($1::bigint[])",
           absl::StrCat("{", absl::StrJoin(ids, ","), "}"))) {
    StatementLease lease{row[1].c_str(), AccountId(Unsigned(row[2])), AccountId(Unsigned(row[3])),
                         -1};
    if (!row[4].is_null()) lease.settled_second = Int(row[4]) / kMicrosPerSecond;
    figures.leases[LeaseId(Unsigned(row[0]))] = std::move(lease);
  }
}

absl::Status Read(pqxx::transaction_base& transaction, AccountId account,
                  StatementFigures& figures) {
  if (absl::Status read = ReadCursor(transaction, figures.cursor); !read.ok()) return read;
  const auto id = static_cast<int64_t>(account.value());
  const pqxx::result owner =
      transaction.exec_params("SELECT owner_id FROM accounts WHERE id = $1", id);
  if (owner.empty()) {
    return absl::NotFoundError(absl::StrCat("there is no account ", account.value()));
  }
  figures.owner = OwnerId(Unsigned(owner[0][0]));
  const EventRange events = EventsOf(transaction, figures);
  if (absl::Status read = ReadTransfers(transaction, id, events, figures.transfers); !read.ok()) {
    return read;
  }
  ReadReferences(transaction, id, events, figures.transfers);
  ReadLeases(transaction, figures);
  figures.opening = SumMoves(transaction, id, {0, events.first});
  figures.closing = BalancesNow(transaction, id);
  const auto last = static_cast<int64_t>(figures.cursor.event.value()) + 1;
  const HoldingTotals later = SumMoves(transaction, id, {events.end, last});
  for (size_t slot = 0; slot < later.size(); ++slot) figures.closing[slot] -= later[slot];
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StatementFigures> ReadStatement(Database& database, AccountId account,
                                               int64_t from_second, int64_t to_second) {
  StatementFigures figures;
  figures.from_second = from_second;
  figures.to_second = to_second;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the statement",
      [&](pqxx::transaction_base& transaction) { return Read(transaction, account, figures); });
  if (!status.ok()) return status;
  return figures;
}

}  // namespace warpbook::settlement
