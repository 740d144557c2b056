#include <algorithm>
#include <map>
#include <pqxx/pqxx>
#include <string>

#include "absl/strings/escaping.h"
#include "settlement/store/day_rows.h"
#include "settlement/store/read.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {
namespace {

absl::Status LoadSettlementAccounts(pqxx::transaction_base& transaction,
                                    std::vector<AccountRow>& accounts) {
  for (const pqxx::row& row :
       transaction.exec("SELECT id, owner_id, encode(public_key, 'hex') FROM accounts"
                        " WHERE kind = 'settlement'")) {
    const std::string key = absl::HexStringToBytes(row[2].c_str());
    AccountRow account{AccountId(Unsigned(row[0])), OwnerId(Unsigned(row[1])),
                       AccountKind::kSettlement};
    if (key.size() != account.public_key.size()) return Malformed("accounts", row[0]);
    std::copy(key.begin(), key.end(), account.public_key.begin());
    accounts.push_back(account);
  }
  return absl::OkStatus();
}

absl::Status LoadRequests(pqxx::transaction_base& transaction, StoredState& state) {
  for (const pqxx::row& row :
       transaction.exec("SELECT sequence, kind, account_id, amount_utok, reference FROM requests"
                        " WHERE state = 'open' ORDER BY sequence")) {
    const auto kind = ParseName<RequestKind>(Text(row[1]));
    if (!kind) return Malformed("requests", row[0]);
    RequestRow request;
    request.sequence = Sequence(Unsigned(row[0]));
    request.kind = *kind;
    request.account = AccountId(Unsigned(row[2]));
    request.amount = Tokens(Int(row[3]));
    request.reference = row[4].c_str();
    state.open_requests.push_back(std::move(request));
  }
  for (const pqxx::row& row :
       transaction.exec("SELECT reference FROM requests WHERE kind IN ('deposit', 'withdrawal')"
                        " AND state = 'posted'")) {
    state.used_references.emplace_back(row[0].c_str());
  }
  return absl::OkStatus();
}

// Of the open leases, oldest leg first.
std::map<LeaseId, std::vector<ResaleLeg>> LoadLegs(pqxx::transaction_base& transaction) {
  std::map<LeaseId, std::vector<ResaleLeg>> legs;
  for (const pqxx::row& row : transaction.exec(
           "SELECT lease_id, trader, difference FROM lease_legs JOIN lease_records ON id = lease_id"
           " WHERE settled_event IS NULL AND gpus > 0 ORDER BY lease_id, leg")) {
    legs[LeaseId(Unsigned(row[0]))].push_back({AccountId(Unsigned(row[1])), Price(Int(row[2]))});
  }
  return legs;
}

absl::Status LoadLeases(pqxx::transaction_base& transaction, std::vector<LeaseRow>& leases) {
  auto legs = LoadLegs(transaction);
  for (const pqxx::row& row : transaction.exec(
           "SELECT id, instrument_id, buyer, provider, node_id, tier, assurance, price, gpus,"
           " minutes, notional, surcharge, delivery_start_us, delivery_end_us, traded_at_us, state,"
           " completed, started_at_us, delivered, provider_price, resold_gpus, resold_refunded,"
           " resold_burned, resold_cleared, disputed_at_us, deposit, verdict, share,"
           " judged_because FROM lease_records"
           " WHERE settled_event IS NULL AND gpus > 0 ORDER BY id")) {
    const auto tier = ParseName<Tier>(Text(row[5]));
    const auto assurance = ParseName<Assurance>(Text(row[6]));
    const auto lease_state = ParseName<LeaseState>(Text(row[15]));
    const auto delivered = DeliveredMinutes::FromText(Text(row[18]));
    if (!tier || !assurance || !lease_state || !delivered) {
      return Malformed("lease_records", row[0]);
    }
    Lease::Stored stored;
    stored.terms.id = LeaseId(Unsigned(row[0]));
    stored.terms.instrument = InstrumentId(static_cast<uint32_t>(Int(row[1])));
    stored.terms.buyer = AccountId(Unsigned(row[2]));
    stored.terms.provider = AccountId(Unsigned(row[3]));
    stored.terms.node = NodeId(Unsigned(row[4]));
    stored.terms.tier = *tier;
    stored.terms.assurance = *assurance;
    stored.terms.price = Price(Int(row[7]));
    stored.terms.gpus = Quantity(Int32(row[8]));
    stored.terms.minutes = Minutes(Int32(row[9]));
    stored.terms.notional = Credits(Int(row[10]));
    stored.terms.surcharge = Credits(Int(row[11]));
    stored.terms.delivery_start = Timestamp(Int(row[12]));
    stored.terms.delivery_end = Timestamp(Int(row[13]));
    stored.state = *lease_state;
    stored.completed = row[16].as<bool>();
    if (!row[17].is_null()) stored.started_at = Timestamp(Int(row[17]));
    stored.delivered = *delivered;
    stored.terms.provider_price = Price(Int(row[19]));
    stored.terms.legs = std::move(legs[stored.terms.id]);
    stored.resold_gpus = Quantity(Int32(row[20]));
    stored.resold.refunded = Credits(Int(row[21]));
    stored.resold.burned = Credits(Int(row[22]));
    stored.resold.cleared = Credits(Int(row[23]));
    if (!row[24].is_null()) {
      Dispute dispute;
      dispute.disputed_at = Timestamp(Int(row[24]));
      dispute.deposit = Credits(Int(row[25]));
      if (!row[26].is_null()) {
        const auto verdict = ParseName<DisputeVerdict>(Text(row[26]));
        if (!verdict || row[28].is_null()) return Malformed("lease_records", row[0]);
        dispute.verdict = *verdict;
        dispute.share = Int32(row[27]);
        dispute.reason = row[28].c_str();
      }
      stored.dispute = dispute;
    }
    auto lease = Lease::Restore(stored);
    if (!lease.ok()) return lease.status();
    leases.push_back(
        {.lease = *std::move(lease), .traded_at = Timestamp(Int(row[14])), .stored = true});
  }
  return absl::OkStatus();
}

absl::Status LoadOutbox(pqxx::transaction_base& transaction, std::vector<Decision>& outbox) {
  for (const pqxx::row& row : transaction.exec(
           "SELECT number, kind, request_sequence, credits, reason, lease_id, verified, consumed,"
           " burned, refunded, owed, gross_utok, provider_utok, fee_utok, retire_utok,"
           " delivered_minutes, verified_weight, emitted_utok, verdict, day, budget_utok,"
           " bonus_utok, account_id, owner_id, large FROM outbox"
           " WHERE posted_sequence IS NULL AND NOT void ORDER BY number")) {
    const auto kind = ParseDecisionKind(Text(row[1]));
    const auto verdict = ParseName<DisputeVerdict>(Text(row[18]));
    if (!kind || !verdict) return Malformed("outbox", row[0]);
    Decision decision;
    decision.number = Unsigned(row[0]);
    decision.kind = *kind;
    decision.request = Sequence(Unsigned(row[2]));
    decision.credits = Credits(Int(row[3]));
    decision.reason = static_cast<RejectReason>(row[4].as<uint16_t>());
    decision.lease = LeaseId(Unsigned(row[5]));
    decision.settlement = {Credits(Int(row[6])), Credits(Int(row[7])),  Credits(Int(row[8])),
                           Credits(Int(row[9])), Credits(Int(row[10])), Tokens(Int(row[11])),
                           Tokens(Int(row[12])), Tokens(Int(row[13])),  Tokens(Int(row[14])),
                           Tokens(Int(row[17]))};
    decision.delivered = Minutes(Int32(row[15]));
    decision.weight = Int(row[16]);
    decision.verdict = *verdict;
    decision.epoch.day = Int32(row[19]);
    decision.epoch.budget = Tokens(Int(row[20]));
    decision.epoch.bonus = Tokens(Int(row[21]));
    decision.account = AccountId(Unsigned(row[22]));
    decision.owner = OwnerId(Unsigned(row[23]));
    decision.large = row[24].as<bool>();
    MoveEpochFigures(decision);
    outbox.push_back(decision);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoredState> LoadState(pqxx::transaction_base& transaction) {
  StoredState state;
  absl::Status status = ReadCursor(transaction, state.cursor);
  if (status.ok()) status = LoadSettlementAccounts(transaction, state.settlement_accounts);
  if (status.ok()) status = LoadRequests(transaction, state);
  if (status.ok()) status = LoadLeases(transaction, state.open_leases);
  if (status.ok()) status = ReadBalances(transaction, state.balances);
  if (status.ok()) status = ReadPrices(transaction, state.prices);
  if (status.ok()) status = LoadOutbox(transaction, state.outbox);
  if (status.ok()) status = LoadDayRows(transaction, state);
  if (!status.ok()) return status;
  state.counters = ReadCounters(transaction);
  state.last_posting_second =
      Int(transaction.exec1("SELECT coalesce(max(second), 0) FROM posting_seconds")[0]);
  return state;
}

}  // namespace warpbook::settlement
