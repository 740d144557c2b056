#include "settlement/store/report_queries.h"

#include <exception>
#include <pqxx/pqxx>

#include "settlement/store/read.h"

namespace warpbook::settlement {
namespace {

absl::Status ReadTokens(pqxx::transaction_base& transaction, TokenFigures& figures) {
  if (absl::Status read = ReadCursor(transaction, figures.cursor); !read.ok()) return read;
  figures.totals = ReadTotals(transaction);
  figures.counters = ReadCounters(transaction);
  const pqxx::result day = transaction.exec("SELECT coverage, day FROM current_day");
  if (!day.empty()) {
    figures.coverage = day[0][0].c_str();
    figures.emission_day = Int32(day[0][1]);
  }
  figures.bonus_due =
      Tokens(Int(transaction.exec1("SELECT coalesce(sum(bonus_utok), 0)::bigint FROM account_days"
                                   " WHERE bonus_utok > 0 AND bonus_event IS NULL")[0]));
  return ReadPrices(transaction, figures.prices);
}

absl::Status ReadGenesis(pqxx::transaction_base& transaction, std::vector<GenesisRow>& genesis) {
  for (const pqxx::row& row :
       transaction.exec("SELECT credit_account, sum(amount)::bigint FROM transfers"
                        " WHERE event_sequence = 0 AND asset = 'TOK' GROUP BY 1 ORDER BY 1")) {
    const auto account = LedgerAccount::FromNumber(Int(row[0]));
    if (!account) return Malformed("transfers", row[0]);
    genesis.push_back({*account, Tokens(Int(row[1]))});
  }
  return absl::OkStatus();
}

void ReadOwners(pqxx::transaction_base& transaction, Timestamp now,
                std::vector<OwnerNotional>& owners) {
  for (const pqxx::row& row :
       transaction.exec_params("SELECT owner_id, sum(sold)::bigint FROM account_days d"
                               " JOIN accounts a ON a.id = d.account_id"
                               " WHERE day > $1 AND sold > 0 GROUP BY 1 ORDER BY 1",
                               now.micros() / (24 * kMicrosPerHour) - kDisclosedWorkDays)) {
    owners.push_back({OwnerId(Unsigned(row[0])), Credits(Int(row[1]))});
  }
}

void ReadWork(pqxx::transaction_base& transaction, Timestamp now,
              std::map<ClassId, std::vector<DeliveredWork>>& work) {
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT class_id, owner_id, provider_price, sum(verified)::bigint FROM lease_records l"
           " JOIN accounts a ON a.id = l.provider JOIN instruments i ON i.id = l.instrument_id"
           " WHERE settled_event IS NOT NULL AND settled_at_us > $1 AND verified > 0"
           " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
           now.micros() - kIndexHours * kMicrosPerHour)) {
    work[ClassId(row[0].as<ClassId::rep>())].push_back(
        {OwnerId(Unsigned(row[1])), Price(Int(row[2])), Credits(Int(row[3]))});
  }
}

void ReadLastPrices(pqxx::transaction_base& transaction, std::map<ClassId, Price>& prices) {
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT DISTINCT ON (class_id) class_id, price FROM"
           " (SELECT id, instrument_id, price FROM lease_records ORDER BY id DESC LIMIT $1) AS last"
           " JOIN instruments i ON i.id = last.instrument_id ORDER BY class_id, last.id DESC",
           kLastPriceFills)) {
    prices[ClassId(row[0].as<ClassId::rep>())] = Price(Int(row[1]));
  }
}

}  // namespace

void CancelStatement(Database& database) {
  try {
    database.connection().cancel_query();
  } catch (const std::exception&) {
    // Then it ends by itself, or in its time.
  }
}

absl::StatusOr<TokenFigures> ReadTokenFigures(Database& database) {
  TokenFigures figures;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the supply",
      [&figures](pqxx::transaction_base& transaction) { return ReadTokens(transaction, figures); });
  if (!status.ok()) return status;
  return figures;
}

absl::StatusOr<MonitoredFigures> ReadMonitoredFigures(Database& database) {
  MonitoredFigures figures;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the ledger for the metrics",
      [&figures](pqxx::transaction_base& transaction) {
        for (const LeaseState state :
             {LeaseState::kReserved, LeaseState::kActive, LeaseState::kDelivered,
              LeaseState::kFailed, LeaseState::kDisputed}) {
          figures.leases[std::string(Name(state))] = 0;
        }
        // By the index of open leases.
        for (const pqxx::row& row :
             transaction.exec("SELECT state, count(*) FROM lease_records"
                              " WHERE settled_event IS NULL AND gpus > 0 GROUP BY state")) {
          figures.leases[row[0].c_str()] = Int(row[1]);
        }
        return ReadTokens(transaction, figures.tokens);
      });
  if (!status.ok()) return status;
  return figures;
}

absl::StatusOr<DisclosureFigures> ReadDisclosures(Database& database) {
  DisclosureFigures figures;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the disclosures",
      [&figures](pqxx::transaction_base& transaction) {
        if (absl::Status read = ReadTokens(transaction, figures.tokens); !read.ok()) return read;
        if (absl::Status read = ReadGenesis(transaction, figures.genesis); !read.ok()) return read;
        const Timestamp now = figures.tokens.cursor.market_time;
        ReadOwners(transaction, now, figures.owners);
        ReadWork(transaction, now, figures.work);
        ReadLastPrices(transaction, figures.last_prices);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  return figures;
}

}  // namespace warpbook::settlement
