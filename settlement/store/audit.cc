#include "settlement/store/audit.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/strings/str_cat.h"
#include "settlement/store/read.h"

namespace warpbook::settlement {
namespace {

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

// What days and leases say of emission and of what is owed.
void ReadDayFigures(pqxx::transaction_base& transaction, LedgerFigures& figures) {
  const pqxx::row row = transaction.exec1(
      "SELECT ((SELECT coalesce(sum(emitted_utok), 0) FROM epochs)"
      "  + (SELECT coalesce(sum(emitted_utok), 0) FROM current_day)"
      "  + (SELECT coalesce(sum(bonus_utok), 0) FROM account_days WHERE bonus_event IS NOT NULL)"
      ")::bigint, (SELECT coalesce(sum(owed_left), 0) FROM lease_records)::bigint");
  figures.emitted_by_days = Tokens(Int(row[0]));
  figures.owed_to_leases = Credits(Int(row[1]));
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

// What was moved under each lease's name, and what else is known of it.
constexpr const char* kLeaseMoves =
    "WITH moves AS NOT MATERIALIZED ("
    "  SELECT *, nullif(debit_account / 16, 0) AS giver, nullif(credit_account / 16, 0) AS taker"
    "  FROM transfers"
    "  WHERE lease_id IS NOT NULL OR debit_account % 16 = 11 OR credit_account % 16 = 11),"
    " moved AS ("
    "  SELECT lease_id,"
    "    sum(amount) FILTER (WHERE credit_account % 16 = 11) AS escrowed,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 6) AS consumed,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 12 AND credit_account = 6) AS paid_later,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 7) AS burned,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account % 16 = 9)"
    "      AS refunded,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account % 16 = 12)"
    "      AS owed,"
    "    sum(amount) FILTER (WHERE debit_account % 16 = 11 AND credit_account = 13) AS cleared,"
    "    sum(amount) FILTER (WHERE debit_account = 13 AND credit_account % 16 = 9) AS gains,"
    "    sum(amount) FILTER (WHERE debit_account IN (1, 2) AND credit_account % 16 = 8)"
    "      AS provider,"
    "    sum(amount) FILTER (WHERE debit_account IN (1, 2) AND credit_account = 4) AS fee,"
    "    sum(amount) FILTER (WHERE debit_account = 1) AS emitted,"
    "    sum(amount) FILTER (WHERE debit_account = 2 AND credit_account = 1) AS retired,"
    "    min(least(giver, taker)) FILTER (WHERE asset = 'TOK') AS first_provider,"
    "    max(greatest(giver, taker)) FILTER (WHERE asset = 'TOK') AS last_provider,"
    "    min(least(giver, taker)) FILTER (WHERE asset = 'CREDIT') AS first_party,"
    "    max(greatest(giver, taker)) FILTER (WHERE asset = 'CREDIT') AS last_party,"
    "    sum(amount) AS everything"
    "  FROM moves GROUP BY lease_id),"
    // Whose credits moved under the name of a lease with legs without their being its buyer's or
    // a trader's. (Of one without, the first and the last party tell.)
    " strangers AS ("
    "  SELECT DISTINCT lease_id FROM ("
    "    SELECT lease_id, unnest(ARRAY[giver, taker]) AS member FROM moves"
    "    WHERE asset = 'CREDIT' AND lease_id IN (SELECT lease_id FROM lease_legs)) AS members"
    "  WHERE member IS NOT NULL AND member NOT IN ("
    "    SELECT buyer FROM lease_records WHERE id = lease_id"
    "    UNION ALL SELECT provider FROM lease_records"
    "      WHERE id = lease_id AND verdict = 'unfounded' AND state = 'settled'"
    "    UNION ALL SELECT trader FROM lease_legs g WHERE g.lease_id = members.lease_id)),"
    " legs AS ("
    "  SELECT lease_id, sum(difference) AS step,"
    "    sum(-difference) FILTER (WHERE difference < 0) AS loss FROM lease_legs GROUP BY "
    "lease_id),"
    " later AS ("
    "  SELECT lease_id, sum(consumed) AS consumed, sum(provider_utok) AS provider,"
    "    sum(fee_utok) AS fee, sum(retire_utok) AS retired, sum(emitted_utok) AS emitted"
    "  FROM deferred_payments GROUP BY lease_id),"
    // The deposit of a dispute: where it went, once it is settled.
    " deposits AS ("
    "  SELECT id, CASE WHEN state = 'settled' AND verdict = 'founded' THEN deposit ELSE 0 END"
    "      AS returned,"
    "    CASE WHEN state = 'settled' AND verdict = 'unfounded' THEN deposit ELSE 0 END"
    "      AS forfeited FROM lease_records),";

// What of it is not as the lease's record says.
constexpr const char* kLeaseComparison =
    " compared AS ("
    "  SELECT coalesce(l.id, m.lease_id, 0) AS id, (l.id IS NULL OR m.lease_id IS NULL"
    "      OR s.lease_id IS NOT NULL"
    // Of one without legs only the buyer's, and the provider's that a deposit is forfeited to.
    "      OR (g.lease_id IS NULL AND forfeited = 0"
    "          AND (first_party <> buyer OR last_party <> buyer))"
    "      OR (g.lease_id IS NULL AND forfeited > 0"
    "          AND (first_party <> least(buyer, l.provider)"
    "            OR last_party <> greatest(buyer, l.provider)))"
    "      OR price <> provider_price + coalesce(g.step, 0)"
    "      OR notional <> price * gpus * minutes"
    "      OR losses <> coalesce(g.loss, 0) * gpus * minutes"
    "      OR escrowed IS DISTINCT FROM notional + surcharge + losses + deposit"
    "          + resold_refunded + resold_burned + resold_cleared"
    "      OR coalesce(m.paid_later, 0) <> coalesce(p.consumed, 0)"
    "      OR owed_left <> coalesce(l.owed, 0) - coalesce(p.consumed, 0)"
    "      OR coalesce(m.emitted, 0) <> coalesce(l.emitted_utok, 0) + coalesce(p.emitted, 0)"
    "      OR coalesce(m.consumed, 0) <> coalesce(l.consumed, 0)"
    "      OR coalesce(m.burned, 0) <> coalesce(l.burned, 0) + resold_burned"
    "      OR coalesce(m.refunded, 0) <> coalesce(l.refunded, 0) + resold_refunded + returned"
    "      OR coalesce(m.owed, 0) <> coalesce(l.owed, 0)"
    "      OR coalesce(m.cleared, 0) <> coalesce(l.gains, 0) + resold_cleared + forfeited"
    "      OR coalesce(m.gains, 0) <> coalesce(l.gains, 0) + forfeited"
    "      OR coalesce(m.provider, 0) <> coalesce(l.provider_utok, 0) + coalesce(p.provider, 0)"
    "      OR coalesce(m.fee, 0) <> coalesce(l.fee_utok, 0) + coalesce(p.fee, 0)"
    "      OR coalesce(m.retired, 0) <> coalesce(l.retire_utok, 0) + coalesce(p.retired, 0)"
    "      OR first_provider <> l.provider OR last_provider <> l.provider"
    "      OR (state = 'settled' AND l.consumed + l.burned + l.refunded + l.owed + l.gains"
    "          <> notional + surcharge + losses)"
    "      OR (state = 'resold' AND notional + surcharge + losses <> 0)"
    "      OR everything <> escrowed + coalesce(m.consumed, 0) + coalesce(m.burned, 0)"
    "          + coalesce(m.refunded, 0) + coalesce(m.owed, 0) + coalesce(m.cleared, 0)"
    "          + coalesce(m.gains, 0) + coalesce(m.provider, 0)"
    "          + coalesce(m.fee, 0) + coalesce(m.retired, 0) + coalesce(m.paid_later, 0)) AS "
    "wrong"
    "  FROM lease_records l FULL JOIN moved m ON m.lease_id = l.id"
    "    LEFT JOIN strangers s ON s.lease_id = coalesce(l.id, m.lease_id)"
    "    LEFT JOIN legs g ON g.lease_id = l.id"
    "    LEFT JOIN later p ON p.lease_id = l.id"
    "    LEFT JOIN deposits d ON d.id = l.id)"
    " SELECT count(*), count(*) FILTER (WHERE wrong), min(id) FILTER (WHERE wrong)"
    " FROM compared";

// EscrowUsedOnce of settlement/ledger/invariants.h, and what the vault paid in the lease's name.
// Under that name credits move between the buyer, those who resold it (its legs) and the exchange's
// own accounts, and tokens from those to the provider's; nothing moves into or out of escrow under
// no name.
Tally TallyLeases(pqxx::transaction_base& transaction) {
  return ReadTally(transaction, absl::StrCat(kLeaseMoves, kLeaseComparison));
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
      "  UNION ALL SELECT decision_number FROM lease_records WHERE settled_event < $1"
      "  UNION ALL SELECT decision_number FROM deferred_payments WHERE event < $1"
      "  UNION ALL SELECT decision_number FROM epochs WHERE closed_event < $1"
      "  UNION ALL SELECT bonus_decision FROM account_days WHERE bonus_event < $1"
      "  UNION ALL SELECT decision_number FROM owner_marks WHERE event < $1) AS decided",
      Int(row[0]))[0]);
  return figures;
}

TableDigest DigestOf(pqxx::transaction_base& transaction, const std::string& table) {
  const pqxx::row row = transaction.exec1(
      "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM " + table + " AS t");
  return {table, Int(row[0]), row[1].c_str()};
}

}  // namespace

absl::StatusOr<Audit> ReadAudit(Database& database,
                                const std::function<void(absl::string_view)>& on_part) {
  Audit audit;
  const auto done = [&on_part](absl::string_view what) {
    if (on_part) on_part(what);
  };
  const auto read_all = [&audit, &done](pqxx::transaction_base& transaction) {
    // Sums by lease in memory, of some millions of leases.
    transaction.exec0("SET LOCAL work_mem = '256MB'");
    if (absl::Status read = ReadCursor(transaction, audit.cursor); !read.ok()) return read;
    LedgerFigures& figures = audit.figures;
    figures.totals = ReadTotals(transaction);
    done("totals of all balances");
    figures.counters = ReadCounters(transaction);
    DeriveCounters(transaction, figures);
    ReadDayFigures(transaction, figures);
    done("supply counters, from the transfers, and days");
    figures.accounts = TallyAccounts(transaction);
    done("accounts below zero");
    figures.balances = TallyBalances(transaction);
    done("each balance, from the transfers");
    figures.leases = TallyLeases(transaction);
    done("each lease's escrow, from the transfers");
    figures.checkpoint = ReadCheckpoint(transaction);
    done("the engine's totals, and the transfers up to them");
    return absl::OkStatus();
  };
  const absl::Status status =
      database.Transact(Database::Mode::kSnapshot, "auditing the ledger", read_all);
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
              LeaseState::kFailed, LeaseState::kSettled, LeaseState::kResold,
              LeaseState::kDisputed}) {
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
             {"transfers", "posting_seconds", "supply_counters", "accounts", "instruments",
              "requests", "lease_records", "lease_legs", "deferred_payments", "account_days",
              "epochs", "current_day", "owners", "owner_marks", "price_feeds", "price_state",
              "engine_checkpoint"}) {
          digest.tables.push_back(DigestOf(transaction, table));
        }
        return ReadBalances(transaction, digest.balances);
      });
  if (!status.ok()) return status;
  return digest;
}

}  // namespace warpbook::settlement
