#include "settlement/store/lease_query.h"

#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "settlement/store/read.h"

namespace warpbook::settlement {
namespace {

std::optional<Timestamp> TimeOrNone(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return Timestamp(Int(field));
}

void ReadTerms(const pqxx::row& row, LeaseFigures& lease) {
  lease.symbol = row["symbol"].c_str();
  lease.state = row["state"].c_str();
  lease.tier = row["tier"].c_str();
  lease.assurance = row["assurance"].c_str();
  lease.buyer = {AccountId(Unsigned(row["buyer"])), OwnerId(Unsigned(row["buyer_owner"]))};
  lease.provider = {AccountId(Unsigned(row["provider"])), OwnerId(Unsigned(row["provider_owner"]))};
  lease.node = NodeId(Unsigned(row["node_id"]));
  lease.price = Price(Int(row["price"]));
  lease.provider_price = Price(Int(row["provider_price"]));
  lease.gpus = Quantity(Int32(row["gpus"]));
  lease.resold_gpus = Quantity(Int32(row["resold_gpus"]));
  lease.minutes = Minutes(Int32(row["minutes"]));
  lease.notional = Credits(Int(row["notional"]));
  lease.surcharge = Credits(Int(row["surcharge"]));
  lease.losses = Credits(Int(row["losses"]));
  lease.deposit = Credits(Int(row["deposit"]));
  if (!row["verdict"].is_null()) lease.verdict = row["verdict"].c_str();
  lease.resold.refunded = Credits(Int(row["resold_refunded"]));
  lease.resold.burned = Credits(Int(row["resold_burned"]));
  lease.resold.cleared = Credits(Int(row["resold_cleared"]));
  lease.traded_at = Timestamp(Int(row["traded_at_us"]));
  lease.delivery_start = Timestamp(Int(row["delivery_start_us"]));
  lease.delivery_end = Timestamp(Int(row["delivery_end_us"]));
  lease.started_at = TimeOrNone(row["started_at_us"]);
  lease.settled_at = TimeOrNone(row["settled_at_us"]);
  lease.completed = row["completed"].as<bool>();
  lease.delivered = row["delivered"].c_str();
}

LeaseFigures::Settled ReadSettled(const pqxx::row& row) {
  LeaseFigures::Settled settled;
  settled.minutes = Minutes(Int32(row["settled_minutes"]));
  Settlement& figures = settled.figures;
  figures.verified = Credits(Int(row["verified"]));
  figures.consumed = Credits(Int(row["consumed"]));
  figures.burned = Credits(Int(row["burned"]));
  figures.refunded = Credits(Int(row["refunded"]));
  figures.owed = Credits(Int(row["owed"]));
  figures.gross = Tokens(Int(row["gross_utok"]));
  figures.provider = Tokens(Int(row["provider_utok"]));
  figures.fee = Tokens(Int(row["fee_utok"]));
  figures.retire = Tokens(Int(row["retire_utok"]));
  figures.emitted = Tokens(Int(row["emitted_utok"]));
  settled.gains = Credits(Int(row["gains"]));
  settled.weight = Int(row["verified_weight"]);
  settled.decision = Unsigned(row["decision_number"]);
  settled.event = EventSequence(Unsigned(row["settled_event"]));
  return settled;
}

absl::Status ReadLeaseTransfers(pqxx::transaction_base& transaction, LeaseFigures& lease) {
  const pqxx::result rows = transaction.exec_params(
      "SELECT event_sequence, leg, debit_account, credit_account, amount,"
      "  coalesce((SELECT second FROM posting_seconds WHERE first_event <= event_sequence"
      "    ORDER BY first_event DESC LIMIT 1), 0)"
      " FROM transfers WHERE lease_id = $1 ORDER BY event_sequence, leg LIMIT $2",
      static_cast<int64_t>(lease.id.value()), static_cast<int64_t>(kLeaseTransfersMax) + 1);
  if (rows.size() > kLeaseTransfersMax) {
    return absl::ResourceExhaustedError(absl::StrCat("lease ", lease.id.value(), " has more than ",
                                                     kLeaseTransfersMax, " transfers"));
  }
  for (const pqxx::row& row : rows) {
    const auto debit = LedgerAccount::FromNumber(Int(row[2]));
    const auto credit = LedgerAccount::FromNumber(Int(row[3]));
    if (!debit || !credit) return Malformed("transfers", row[0]);
    StatementTransfer read;
    read.transfer = {
        EventSequence(Unsigned(row[0])), Int32(row[1]), *debit, *credit, Int(row[4]), lease.id};
    read.second = Int(row[5]);
    lease.transfers.push_back(std::move(read));
  }
  return absl::OkStatus();
}

absl::Status Read(pqxx::transaction_base& transaction, LeaseFigures& lease) {
  if (absl::Status read = ReadCursor(transaction, lease.cursor); !read.ok()) return read;
  const auto id = static_cast<int64_t>(lease.id.value());
  const pqxx::result rows = transaction.exec_params(
      "SELECT l.*, v.symbol, b.owner_id AS buyer_owner, p.owner_id AS provider_owner"
      " FROM lease_records l JOIN leases v ON v.id = l.id"
      " JOIN accounts b ON b.id = l.buyer JOIN accounts p ON p.id = l.provider WHERE l.id = $1",
      id);
  if (rows.empty()) return absl::NotFoundError(absl::StrCat("there is no lease ", id));
  ReadTerms(rows[0], lease);
  if (lease.settled_at) lease.settled = ReadSettled(rows[0]);
  for (const pqxx::row& row : transaction.exec_params(
           "SELECT trader, difference FROM lease_legs WHERE lease_id = $1 ORDER BY leg", id)) {
    lease.legs.push_back({AccountId(Unsigned(row[0])), Price(Int(row[1]))});
  }
  return ReadLeaseTransfers(transaction, lease);
}

}  // namespace

absl::StatusOr<LeaseFigures> ReadLease(Database& database, LeaseId id) {
  LeaseFigures lease;
  lease.id = id;
  const absl::Status status = database.Transact(
      Database::Mode::kSnapshot, "reading the lease",
      [&lease](pqxx::transaction_base& transaction) { return Read(transaction, lease); });
  if (!status.ok()) return status;
  return lease;
}

}  // namespace warpbook::settlement
