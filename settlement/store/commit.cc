#include <bit>
#include <pqxx/pqxx>
#include <string>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "settlement/store/row_writer.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {
namespace {

using OnConflict = RowWriter::OnConflict;

int64_t Stored(uint64_t value) { return static_cast<int64_t>(value); }

// The sequence that the cursor must have makes a second writer fail, whatever locks it holds.
absl::Status MoveCursor(pqxx::transaction_base& transaction, const Cursor& from, const Cursor& to) {
  const pqxx::result moved = transaction.exec_params(
      "UPDATE journal_cursor SET sequence = $1, event_sequence = $2, market_time_us = $3,"
      " decision_number = $4, command_hash = $5 WHERE sequence = $6",
      Stored(to.sequence.value()), Stored(to.event.value()), to.market_time.micros(),
      Stored(to.decision_number), std::bit_cast<int64_t>(to.command_hash),
      Stored(from.sequence.value()));
  if (moved.affected_rows() == 1) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the database's cursor is not at sequence ",
                                         from.sequence.value(),
                                         ": another worker moved it; nothing was posted"));
}

void CopyTransfers(pqxx::transaction_base& transaction, const std::vector<Transfer>& transfers) {
  if (transfers.empty()) return;
  const std::vector<std::string> columns = {"event_sequence", "leg",    "asset",   "debit_account",
                                            "credit_account", "amount", "lease_id"};
  pqxx::stream_to stream(transaction, "transfers", columns);
  for (const Transfer& transfer : transfers) {
    const std::string lease = std::to_string(transfer.lease.value());
    const char* const lease_or_null = transfer.lease ? lease.c_str() : nullptr;
    stream << std::make_tuple(transfer.event.value(), transfer.leg,
                              std::string(Name(transfer.debit.asset())), transfer.debit.number(),
                              transfer.credit.number(), transfer.amount, lease_or_null);
  }
  stream.complete();
}

// In the order of the accounts, so that two writers could never wait for each other.
void WriteBalances(pqxx::transaction_base& transaction, const Changes& changes) {
  RowWriter writer("account_balances", {{"account", "bigint"}, {"balance", "bigint"}},
                   OnConflict::kReplace);
  for (const auto& [account, balance] : changes.balances) {
    writer.Add(account.number()).Add(balance);
  }
  writer.WriteTo(transaction);
  if (!changes.counters) return;
  const SupplyCounters& c = *changes.counters;
  RowWriter counters("supply_counters",
                     {{"only_row", "boolean"},
                      {"genesis_utok", "bigint"},
                      {"emitted_utok", "bigint"},
                      {"deposited_utok", "bigint"},
                      {"burned_utok", "bigint"},
                      {"reminted_provider_utok", "bigint"},
                      {"reminted_fee_utok", "bigint"},
                      {"retired_utok", "bigint"},
                      {"withdrawn_utok", "bigint"}},
                     OnConflict::kReplace);
  counters.Add(true).Add(c.genesis.value()).Add(c.emitted.value()).Add(c.deposited.value());
  counters.Add(c.burned.value()).Add(c.reminted_provider.value()).Add(c.reminted_fee.value());
  counters.Add(c.retired.value()).Add(c.withdrawn.value());
  counters.WriteTo(transaction);
}

void WriteAccounts(pqxx::transaction_base& transaction, const std::vector<AccountRow>& rows) {
  RowWriter writer(
      "accounts",
      {{"id", "bigint"}, {"owner_id", "bigint"}, {"kind", "text"}, {"public_key", "bytea"}},
      OnConflict::kFail);
  for (const AccountRow& row : rows) {
    const absl::string_view key(reinterpret_cast<const char*>(row.public_key.data()),
                                row.public_key.size());
    writer.Add(Stored(row.id.value())).Add(Stored(row.owner.value()));
    writer.Add(warpbook::Name(row.kind));
    writer.Add(std::string_view("\\x" + absl::BytesToHexString(key)));
  }
  writer.WriteTo(transaction);
}

void WriteInstruments(pqxx::transaction_base& transaction, const std::vector<InstrumentRow>& rows) {
  RowWriter writer("instruments",
                   {{"id", "bigint"},
                    {"class_id", "integer"},
                    {"region_id", "integer"},
                    {"window_start_us", "bigint"},
                    {"window_minutes", "integer"}},
                   OnConflict::kFail);
  for (const InstrumentRow& row : rows) {
    writer.Add(int64_t{row.id.value()}).Add(int64_t{row.hardware_class.value()});
    writer.Add(int64_t{row.region.value()}).Add(row.window_start.micros());
    writer.Add(int64_t{row.window_minutes.value()});
  }
  writer.WriteTo(transaction);
}

void WriteRequests(pqxx::transaction_base& transaction, const std::vector<RequestRow>& rows) {
  RowWriter writer("requests",
                   {{"sequence", "bigint"},
                    {"kind", "text"},
                    {"account_id", "bigint"},
                    {"amount_utok", "bigint"},
                    {"reference", "text"},
                    {"state", "text"},
                    {"decision_number", "bigint"},
                    {"decided_event", "bigint"},
                    {"reason", "integer"},
                    {"credits", "bigint"}},
                   OnConflict::kReplace);
  for (const RequestRow& row : rows) {
    const bool open = row.decision_number == 0;
    const bool posted = row.reason == RejectReason::kNone;
    writer.Add(Stored(row.sequence.value())).Add(warpbook::Name(row.kind));
    writer.Add(Stored(row.account.value())).Add(row.amount.value());
    writer.Add(std::string_view(row.reference));
    writer.Add(std::string_view(open ? "open" : posted ? "posted" : "refused"));
    if (open) {
      writer.AddNull().AddNull();
    } else {
      writer.Add(Stored(row.decision_number)).Add(Stored(row.decided.value()));
    }
    writer.Add(int64_t{static_cast<uint16_t>(row.reason)}).Add(row.credits.value());
  }
  writer.WriteTo(transaction);
}

void WriteSettlement(RowWriter& writer, const Settlement& figures) {
  writer.Add(figures.verified.value()).Add(figures.consumed.value()).Add(figures.burned.value());
  writer.Add(figures.refunded.value()).Add(figures.owed.value()).Add(figures.gross.value());
  writer.Add(figures.provider.value()).Add(figures.fee.value()).Add(figures.retire.value());
}

void WriteLeases(pqxx::transaction_base& transaction, const std::vector<LeaseRow>& rows) {
  RowWriter writer("lease_records",
                   {{"id", "bigint"},
                    {"instrument_id", "bigint"},
                    {"buyer", "bigint"},
                    {"provider", "bigint"},
                    {"node_id", "bigint"},
                    {"tier", "text"},
                    {"assurance", "text"},
                    {"price", "bigint"},
                    {"provider_price", "bigint"},
                    {"gpus", "integer"},
                    {"minutes", "integer"},
                    {"notional", "bigint"},
                    {"surcharge", "bigint"},
                    {"losses", "bigint"},
                    {"resold_gpus", "integer"},
                    {"resold_refunded", "bigint"},
                    {"resold_burned", "bigint"},
                    {"resold_cleared", "bigint"},
                    {"delivery_start_us", "bigint"},
                    {"delivery_end_us", "bigint"},
                    {"traded_at_us", "bigint"},
                    {"state", "text"},
                    {"completed", "boolean"},
                    {"started_at_us", "bigint"},
                    {"delivered", "bit varying"},
                    {"verified", "bigint"},
                    {"consumed", "bigint"},
                    {"burned", "bigint"},
                    {"refunded", "bigint"},
                    {"owed", "bigint"},
                    {"gross_utok", "bigint"},
                    {"provider_utok", "bigint"},
                    {"fee_utok", "bigint"},
                    {"retire_utok", "bigint"},
                    {"settled_minutes", "integer"},
                    {"verified_weight", "bigint"},
                    {"gains", "bigint"},
                    {"decision_number", "bigint"},
                    {"settled_event", "bigint"},
                    {"settled_at_us", "bigint"}},
                   OnConflict::kReplace);
  constexpr int kSettledColumns = 15;
  for (const LeaseRow& row : rows) {
    const LeaseTerms& terms = row.lease.terms();
    writer.Add(Stored(terms.id.value())).Add(int64_t{terms.instrument.value()});
    writer.Add(Stored(terms.buyer.value())).Add(Stored(terms.provider.value()));
    writer.Add(Stored(terms.node.value()));
    writer.Add(warpbook::Name(terms.tier)).Add(warpbook::Name(terms.assurance));
    writer.Add(terms.price.value()).Add(terms.provider_price.value());
    writer.Add(int64_t{terms.gpus.value()});
    writer.Add(int64_t{terms.minutes.value()});
    writer.Add(terms.notional.value()).Add(terms.surcharge.value());
    writer.Add(row.lease.losses().value()).Add(int64_t{row.lease.resold_gpus().value()});
    const EscrowUse& resold = row.lease.resold();
    writer.Add(resold.refunded.value()).Add(resold.burned.value()).Add(resold.cleared.value());
    writer.Add(terms.delivery_start.micros()).Add(terms.delivery_end.micros());
    writer.Add(row.traded_at.micros());
    writer.Add(warpbook::Name(row.lease.state())).Add(row.lease.completed());
    const auto started = row.lease.started_at();
    started ? writer.Add(started->micros()) : writer.AddNull();
    writer.Add(std::string_view(row.lease.delivered().ToText(terms.minutes)));
    if (!row.settled_at) {
      for (int i = 0; i < kSettledColumns; ++i) writer.AddNull();
      continue;
    }
    WriteSettlement(writer, row.lease.settlement());
    writer.Add(int64_t{row.lease.settled_minutes().value()}).Add(row.lease.weight());
    writer.Add(row.lease.gains().value()).Add(Stored(row.decision_number));
    writer.Add(Stored(row.settled.value())).Add(row.settled_at->micros());
  }
  writer.WriteTo(transaction);
}

void WriteLeaseLegs(pqxx::transaction_base& transaction, const std::vector<LeaseLegRow>& rows) {
  RowWriter writer(
      "lease_legs",
      {{"lease_id", "bigint"}, {"leg", "smallint"}, {"trader", "bigint"}, {"difference", "bigint"}},
      OnConflict::kFail);
  for (const LeaseLegRow& row : rows) {
    writer.Add(Stored(row.lease.value())).Add(int64_t{row.leg});
    writer.Add(Stored(row.terms.trader.value())).Add(row.terms.difference.value());
  }
  writer.WriteTo(transaction);
}

void WritePrices(pqxx::transaction_base& transaction, const PriceState& prices) {
  RowWriter feeds("price_feeds", {{"feed", "smallint"}, {"price", "bigint"}, {"time_us", "bigint"}},
                  OnConflict::kReplace);
  for (size_t i = 0; i < prices.feeds.size(); ++i) {
    feeds.Add(static_cast<int64_t>(i)).Add(prices.feeds[i].price.value());
    feeds.Add(prices.feeds[i].time.micros());
  }
  feeds.WriteTo(transaction);
  RowWriter state("price_state",
                  {{"only_row", "boolean"}, {"mean", "bigint"}, {"variance", "bigint"}},
                  OnConflict::kReplace);
  state.Add(true);
  prices.has_mean ? state.Add(prices.mean.value()) : state.AddNull();
  state.Add(prices.variance);
  state.WriteTo(transaction);
}

void WriteCheckpoint(pqxx::transaction_base& transaction, const CheckpointRow& checkpoint) {
  RowWriter writer("engine_checkpoint",
                   {{"only_row", "boolean"},
                    {"event_sequence", "bigint"},
                    {"decision_number", "bigint"},
                    {"issued", "bigint"},
                    {"free", "bigint"},
                    {"locked", "bigint"},
                    {"escrow", "bigint"},
                    {"owed", "bigint"},
                    {"consumed", "bigint"},
                    {"burned", "bigint"}},
                   OnConflict::kReplace);
  writer.Add(true).Add(Stored(checkpoint.event.value())).Add(Stored(checkpoint.decision_number));
  for (const Holding holding :
       {Holding::kIssued, Holding::kFree, Holding::kLocked, Holding::kEscrow, Holding::kOwed,
        Holding::kConsumed, Holding::kBurned}) {
    writer.Add(checkpoint.credits[static_cast<size_t>(holding)]);
  }
  writer.WriteTo(transaction);
}

// First what the journal gave others in place of, then what it gave back, then what is new: numbers
// that became void are used again.
void WriteOutbox(pqxx::transaction_base& transaction, const Changes& changes) {
  if (changes.void_from) {
    transaction.exec_params(
        "UPDATE outbox SET void = true WHERE number >= $1 AND posted_sequence IS NULL",
        Stored(*changes.void_from));
  }
  if (!changes.confirmed.empty()) {
    std::string numbers;
    std::string sequences;
    for (const ConfirmedDecision& confirmed : changes.confirmed) {
      absl::StrAppend(&numbers, numbers.empty() ? "" : ",", confirmed.decision.number);
      absl::StrAppend(&sequences, sequences.empty() ? "" : ",", confirmed.sequence.value());
    }
    transaction.exec_params(
        "UPDATE outbox SET posted_sequence = confirmed.sequence"
        " FROM unnest($1::bigint[], $2::bigint[]) AS confirmed (number, sequence)"
        " WHERE outbox.number = confirmed.number AND posted_sequence IS NULL AND NOT void",
        "{" + numbers + "}", "{" + sequences + "}");
  }
  RowWriter writer("outbox",
                   {{"number", "bigint"},
                    {"kind", "text"},
                    {"request_sequence", "bigint"},
                    {"credits", "bigint"},
                    {"reason", "integer"},
                    {"lease_id", "bigint"},
                    {"verified", "bigint"},
                    {"consumed", "bigint"},
                    {"burned", "bigint"},
                    {"refunded", "bigint"},
                    {"owed", "bigint"},
                    {"gross_utok", "bigint"},
                    {"provider_utok", "bigint"},
                    {"fee_utok", "bigint"},
                    {"retire_utok", "bigint"},
                    {"verified_weight", "bigint"},
                    {"delivered_minutes", "integer"}},
                   OnConflict::kFail);
  for (const Decision& decision : changes.decided) {
    writer.Add(Stored(decision.number)).Add(Name(decision.kind));
    writer.Add(Stored(decision.request.value())).Add(decision.credits.value());
    writer.Add(int64_t{static_cast<uint16_t>(decision.reason)});
    writer.Add(Stored(decision.lease.value()));
    WriteSettlement(writer, decision.settlement);
    writer.Add(decision.weight).Add(int64_t{decision.delivered.value()});
  }
  writer.WriteTo(transaction);
}

}  // namespace

absl::Status WriteChanges(pqxx::transaction_base& transaction, const Changes& changes,
                          const std::function<void(CommitStep)>& on_step) {
  if (absl::Status moved = MoveCursor(transaction, changes.from, changes.to); !moved.ok()) {
    return moved;
  }
  on_step(CommitStep::kCursorMoved);
  CopyTransfers(transaction, changes.transfers);
  on_step(CommitStep::kTransfersWritten);
  WriteBalances(transaction, changes);
  on_step(CommitStep::kBalancesWritten);
  WriteAccounts(transaction, changes.accounts);
  WriteInstruments(transaction, changes.instruments);
  WriteRequests(transaction, changes.requests);
  WriteLeases(transaction, changes.leases);
  WriteLeaseLegs(transaction, changes.lease_legs);
  if (changes.prices) WritePrices(transaction, *changes.prices);
  if (changes.checkpoint) WriteCheckpoint(transaction, *changes.checkpoint);
  on_step(CommitStep::kRowsWritten);
  WriteOutbox(transaction, changes);
  on_step(CommitStep::kOutboxWritten);
  return absl::OkStatus();
}

}  // namespace warpbook::settlement
