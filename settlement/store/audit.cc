#include "settlement/store/audit.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "settlement/store/read.h"

namespace warpbook::settlement {
namespace {

// Where a sum of tampered rows does not fit 63 bits, the cast fails and so does the audit.
HoldingTotals ReadTotals(pqxx::transaction_base& transaction) {
  HoldingTotals totals{};
  for (const pqxx::row& row :
       transaction.exec("SELECT account % 16, sum(balance)::bigint FROM account_balances"
                        " GROUP BY 1")) {
    totals[row[0].as<size_t>()] = Int(row[1]);
  }
  return totals;
}

// The counters that the transfers make, and how many transfers of TOK no counter counts.
void DeriveCounters(pqxx::transaction_base& transaction, LedgerFigures& figures) {
  for (const pqxx::row& row : transaction.exec(
           "SELECT debit_account % 16, credit_account % 16, event_sequence = 0,"
           " sum(amount)::bigint, count(*) FROM transfers WHERE asset = 'TOK' GROUP BY 1, 2, 3")) {
    const bool genesis = row[2].as<bool>();
    const auto counter = CounterOf(static_cast<Holding>(row[0].as<int>()),
                                   static_cast<Holding>(row[1].as<int>()), genesis);
    if (counter != nullptr) {
      figures.counters_derived.*counter += Tokens(Int(row[3]));
    } else {
      figures.transfers_uncounted += Int(row[4]);
    }
  }
}

// "checked, wrong, example" in one row.
Tally ReadTally(pqxx::transaction_base& transaction, const std::string& query) {
  const pqxx::row row = transaction.exec1(query);
  Tally tally{Int(row[0]), Int(row[1]), ""};
  if (!row[2].is_null()) tally.example = row[2].c_str();
  return tally;
}

Tally TallyAccounts(pqxx::transaction_base& transaction) {
  return ReadTally(transaction,
                   "SELECT count(*), count(*) FILTER (WHERE balance < 0 AND account NOT IN (1, 5)),"
                   " min(account) FILTER (WHERE balance < 0 AND account NOT IN (1, 5))"
                   " FROM account_balances");
}

Tally TallyBalances(pqxx::transaction_base& transaction) {
  return ReadTally(
      transaction,
      "WITH moved AS ("
      "  SELECT account, sum(amount) AS sum FROM ("
      "    SELECT credit_account AS account, amount FROM transfers"
      "    UNION ALL SELECT debit_account, -amount FROM transfers) AS legs GROUP BY account),"
      " compared AS ("
      "  SELECT account, coalesce(balance, 0) <> coalesce(sum, 0)"
      "      OR (balance IS NULL AND sum IS NOT NULL) AS wrong"
      "  FROM account_balances FULL JOIN moved USING (account))"
      " SELECT count(*), count(*) FILTER (WHERE wrong), min(account) FILTER (WHERE wrong)"
      " FROM compared");
}

// EscrowUsedOnce of settlement/ledger/invariants.h, and what the vault paid in the lease's name.
// Under that name credits move between the buyer, those who resold it (its legs) and the exchange's
// own accounts, and tokens from those to the provider's; nothing moves into or out of escrow under
// no name.
Tally TallyLeases(pqxx::transaction_base& transaction) {
  return ReadTally(
      transaction,
      "WITH moves AS ("
      "  SELECT *, nullif(debit_account / 16, 0) AS giver, nullif(credit_account / 16, 0) AS taker"
      "  FROM transfers"
      "  WHERE lease_id IS NOT NULL OR debit_account % 16 = 11 OR credit_account % 16 = 11),"
      " moved AS ("
      "  SELECT lease_id,"
      "    sum(amount) FILTER (WHERE credit_account % 16 = 11) AS escrowed,"
      "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 6) AS consumed,"
      "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 7) AS burned,"
      "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account % 16 = 9)"
      "      AS refunded,"
      "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account % 16 = 12)"
      "      AS owed,"
      "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 13) AS cleared,"
      "    sum(amount) FILTER (WHERE debit_account = 13 AND credit_account % 16 = 9) AS gains,"
      "    sum(amount) FILTER (WHERE debit_account = 2 AND credit_account % 16 = 8) AS provider,"
      "    sum(amount) FILTER (WHERE debit_account = 2 AND credit_account = 4) AS fee,"
      "    sum(amount) FILTER (WHERE debit_account = 2 AND credit_account = 1) AS retired,"
      "    min(least(giver, taker)) FILTER (WHERE asset = 'TOK') AS first_provider,"
      "    max(greatest(giver, taker)) FILTER (WHERE asset = 'TOK') AS last_provider,"
      "    sum(amount) AS everything"
      "  FROM moves GROUP BY lease_id),"
      // Whose credits moved under a lease's name without their being its buyer's or a trader's.
      " strangers AS ("
      "  SELECT DISTINCT lease_id FROM ("
      "    SELECT lease_id, giver AS member FROM moves WHERE asset = 'CREDIT'"
      "    UNION SELECT lease_id, taker FROM moves WHERE asset = 'CREDIT') AS members"
      "  WHERE member IS NOT NULL AND member NOT IN ("
      "    SELECT buyer FROM lease_records WHERE id = lease_id"
      "    UNION ALL SELECT trader FROM lease_legs g WHERE g.lease_id = members.lease_id)),"
      " legs AS ("
      "  SELECT lease_id, sum(difference) AS step,"
      "    sum(-difference) FILTER (WHERE difference < 0) AS loss FROM lease_legs GROUP BY "
      "lease_id),"
      " compared AS ("
      "  SELECT coalesce(l.id, m.lease_id, 0) AS id, (l.id IS NULL OR m.lease_id IS NULL"
      "      OR s.lease_id IS NOT NULL"
      "      OR price <> provider_price + coalesce(g.step, 0)"
      "      OR notional <> price * gpus * minutes"
      "      OR losses <> coalesce(g.loss, 0) * gpus * minutes"
      "      OR escrowed IS DISTINCT FROM notional + surcharge + losses"
      "          + resold_refunded + resold_burned + resold_cleared"
      "      OR coalesce(m.consumed, 0) <> coalesce(l.consumed, 0)"
      "      OR coalesce(m.burned, 0) <> coalesce(l.burned, 0) + resold_burned"
      "      OR coalesce(m.refunded, 0) <> coalesce(l.refunded, 0) + resold_refunded"
      "      OR coalesce(m.owed, 0) <> coalesce(l.owed, 0)"
      "      OR coalesce(m.cleared, 0) <> coalesce(l.gains, 0) + resold_cleared"
      "      OR coalesce(m.gains, 0) <> coalesce(l.gains, 0)"
      "      OR coalesce(m.provider, 0) <> coalesce(l.provider_utok, 0)"
      "      OR coalesce(m.fee, 0) <> coalesce(l.fee_utok, 0)"
      "      OR coalesce(m.retired, 0) <> coalesce(l.retire_utok, 0)"
      "      OR first_provider <> l.provider OR last_provider <> l.provider"
      "      OR (state = 'settled' AND l.consumed + l.burned + l.refunded + l.owed + l.gains"
      "          <> notional + surcharge + losses)"
      "      OR (state = 'resold' AND notional + surcharge + losses <> 0)"
      "      OR everything <> escrowed + coalesce(m.consumed, 0) + coalesce(m.burned, 0)"
      "          + coalesce(m.refunded, 0) + coalesce(m.owed, 0) + coalesce(m.cleared, 0)"
      "          + coalesce(m.gains, 0) + coalesce(m.provider, 0)"
      "          + coalesce(m.fee, 0) + coalesce(m.retired, 0)) AS wrong"
      "  FROM lease_records l FULL JOIN moved m ON m.lease_id = l.id"
      "    LEFT JOIN strangers s ON s.lease_id = coalesce(l.id, m.lease_id)"
      "    LEFT JOIN legs g ON g.lease_id = l.id)"
      " SELECT count(*), count(*) FILTER (WHERE wrong), min(id) FILTER (WHERE wrong)"
      " FROM compared");
}

std::optional<CheckpointFigures> ReadCheckpoint(pqxx::transaction_base& transaction) {
  const pqxx::result rows = transaction.exec(
      "SELECT event_sequence, decision_number, issued, consumed, burned, free, locked, escrow, owed"
      " FROM engine_checkpoint");
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  CheckpointFigures figures;
  figures.event = EventSequence(Unsigned(row[0]));
  figures.engine_decision = Unsigned(row[1]);
  pqxx::row::size_type column = 2;
  for (const Holding holding :
       {Holding::kIssued, Holding::kConsumed, Holding::kBurned, Holding::kFree, Holding::kLocked,
        Holding::kEscrow, Holding::kOwed}) {
    figures.engine[static_cast<size_t>(holding)] = Int(row[column++]);
  }
  // The ledger at the same event, added up from its transfers alone.
  for (const pqxx::row& sum : transaction.exec_params(
           "SELECT slot, sum(amount)::bigint FROM ("
           "  SELECT credit_account % 16 AS slot, amount FROM transfers"
           "    WHERE asset = 'CREDIT' AND event_sequence < $1"
           "  UNION ALL SELECT debit_account % 16, -amount FROM transfers"
           "    WHERE asset = 'CREDIT' AND event_sequence < $1) AS legs GROUP BY slot",
           Int(row[0]))) {
    figures.ledger[sum[0].as<size_t>()] = Int(sum[1]);
  }
  figures.ledger[static_cast<size_t>(Holding::kIssued)] *= -1;
  figures.ledger_decision = Unsigned(transaction.exec_params1(
      "SELECT coalesce(max(decision_number), 0) FROM ("
      "  SELECT decision_number FROM requests WHERE decided_event < $1"
      "  UNION ALL SELECT decision_number FROM lease_records WHERE settled_event < $1) AS decided",
      Int(row[0]))[0]);
  return figures;
}

TableDigest DigestOf(pqxx::transaction_base& transaction, const std::string& table) {
  const pqxx::row row = transaction.exec1(
      "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM " + table +
      " AS t");
  return {table, Int(row[0]), row[1].c_str()};
}

}  // namespace

absl::StatusOr<Audit> ReadAudit(Database& database) {
  Audit audit;
  const absl::Status status =
      database.Transact(Database::Mode::kSnapshot, "auditing the ledger",
                        [&audit](pqxx::transaction_base& transaction) {
                          if (absl::Status read = ReadCursor(transaction, audit.cursor); !read.ok())
                            return read;
                          LedgerFigures& figures = audit.figures;
                          figures.totals = ReadTotals(transaction);
                          figures.counters = ReadCounters(transaction);
                          DeriveCounters(transaction, figures);
                          figures.accounts = TallyAccounts(transaction);
                          figures.balances = TallyBalances(transaction);
                          figures.leases = TallyLeases(transaction);
                          figures.checkpoint = ReadCheckpoint(transaction);
                          return absl::OkStatus();
                        });
  if (!status.ok()) return status;
  return audit;
}

absl::StatusOr<Summary> ReadSummary(Database& database) {
  Summary summary;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the summary",
      [&summary](pqxx::transaction_base& transaction) {
        if (absl::Status read = ReadCursor(transaction, summary.cursor); !read.ok()) return read;
        summary.totals = ReadTotals(transaction);
        summary.counters = ReadCounters(transaction);
        for (const LeaseState state :
             {LeaseState::kReserved, LeaseState::kActive, LeaseState::kDelivered,
              LeaseState::kFailed, LeaseState::kSettled, LeaseState::kResold}) {
          summary.leases[std::string(warpbook::Name(state))] = 0;
        }
        for (const pqxx::row& row : transaction.exec(
                 "SELECT state, count(*), sum(gpus::bigint * minutes)::bigint,"
                 " sum(resold_gpus::bigint * minutes)::bigint,"
                 " coalesce(sum(gpus::bigint * settled_minutes), 0)::bigint FROM lease_records"
                 " GROUP BY state")) {
          summary.leases[row[0].c_str()] = Int(row[1]);
          summary.gpu_minutes_sold += Int(row[2]);
          summary.gpu_minutes_resold += Int(row[3]);
          summary.gpu_minutes_delivered += Int(row[4]);
        }
        const pqxx::row requests = transaction.exec1(
            "SELECT count(*) FILTER (WHERE kind = 'deposit'), count(*) FILTER (WHERE kind ="
            " 'top_up'), count(*) FILTER (WHERE kind = 'withdrawal') FROM requests"
            " WHERE state = 'posted'");
        summary.deposits = Int(requests[0]);
        summary.top_ups = Int(requests[1]);
        summary.withdrawals = Int(requests[2]);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return summary;
}

absl::StatusOr<LedgerDigest> ReadDigest(Database& database) {
  LedgerDigest digest;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading all balances",
      [&digest](pqxx::transaction_base& transaction) {
        if (absl::Status read = ReadCursor(transaction, digest.cursor); !read.ok()) return read;
        for (const std::string table :
             {"transfers", "supply_counters", "accounts", "instruments", "requests",
              "lease_records", "lease_legs", "price_feeds", "price_state", "engine_checkpoint"}) {
          digest.tables.push_back(DigestOf(transaction, table));
        }
        return ReadBalances(transaction, digest.balances);
      });
  if (!status.ok()) return status;
  return digest;
}

}  // namespace warpbook::settlement
