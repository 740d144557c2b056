#include <bit>
#include <map>
#include <pqxx/pqxx>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "settlement/store/day_rows.h"
#include "settlement/store/row_writer.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {
namespace {

using Rows = RowWriter::Rows;

int64_t Stored(uint64_t value) { return static_cast<int64_t>(value); }

// The sequence that the cursor must have makes a second writer fail, whatever locks it holds.
void MoveCursor(StatementQueue& queue, const Cursor& from, const Cursor& to) {
  const int64_t values[] = {Stored(to.sequence.value()),
                            Stored(to.event.value()),
                            to.market_time.micros(),
                            Stored(to.decision_number),
                            std::bit_cast<int64_t>(to.command_hash),
                            Stored(from.sequence.value())};
  Statement move;
  move.name = "move cursor";
  move.text =
      "UPDATE journal_cursor SET sequence = $1, event_sequence = $2, market_time_us = $3,"
      " decision_number = $4, command_hash = $5 WHERE sequence = $6";
  for (const int64_t value : values) move.parameters.push_back(absl::StrCat(value));
  move.rows = 1;
  move.otherwise = [from](size_t) {
    return absl::AbortedError(absl::StrCat("the database's cursor is not at sequence ",
                                           from.sequence.value(),
                                           ": another worker moved it; nothing was posted"));
  };
  queue.Add(std::move(move));
}

void WriteTransfers(StatementQueue& queue, const std::vector<Transfer>& transfers) {
  RowWriter writer(queue, "transfers",
                   {{"event_sequence", "bigint"},
                    {"leg", "smallint"},
                    {"asset", "asset"},
                    {"debit_account", "bigint"},
                    {"credit_account", "bigint"},
                    {"amount", "bigint"},
                    {"lease_id", "bigint"}},
                   Rows::kNew, transfers.size());
  for (const Transfer& transfer : transfers) {
    writer.Add(Stored(transfer.event.value())).Add(int64_t{transfer.leg});
    writer.Add(Name(transfer.debit.asset())).Add(transfer.debit.number());
    writer.Add(transfer.credit.number()).Add(transfer.amount);
    transfer.lease ? writer.Add(Stored(transfer.lease.value())) : writer.AddNull();
  }
  writer.Finish();
}

// Of transfers in the order of their events: spans of so many, and which members take part in each.
constexpr size_t kTransfersPerSpan = 4'096;

void WriteMemberPostings(StatementQueue& queue, const std::vector<Transfer>& transfers) {
  RowWriter writer(queue, "member_postings",
                   {{"member", "bigint"}, {"first_event", "bigint"}, {"last_event", "bigint"}},
                   Rows::kNew, 2 * transfers.size());
  std::map<AccountId, std::pair<EventSequence, EventSequence>> span;
  const auto end_span = [&writer, &span] {
    for (const auto& [member, events] : span) {
      writer.Add(Stored(member.value())).Add(Stored(events.first.value()));
      writer.Add(Stored(events.second.value()));
    }
    span.clear();
  };
  size_t count = 0;
  EventSequence last;
  for (const Transfer& transfer : transfers) {
    // All transfers of an event are in one span.
    if (++count > kTransfersPerSpan && transfer.event != last) {
      end_span();
      count = 1;
    }
    last = transfer.event;
    for (const AccountId member : {transfer.debit.member(), transfer.credit.member()}) {
      if (!member) continue;
      const auto [found, is_new] = span.try_emplace(member, transfer.event, transfer.event);
      if (!is_new) found->second.second = transfer.event;
    }
  }
  end_span();
  writer.Finish();
}

void WritePostingSeconds(StatementQueue& queue, const std::vector<PostingSecond>& rows) {
  RowWriter writer(queue, "posting_seconds", {{"first_event", "bigint"}, {"second", "bigint"}},
                   Rows::kNew, rows.size());
  for (const PostingSecond& row : rows) {
    writer.Add(Stored(row.first_event.value())).Add(row.second);
  }
  writer.Finish();
}

// In the order of the accounts, so that two writers could never wait for each other.
void WriteBalances(StatementQueue& queue, const Changes& changes) {
  RowWriter writer(queue, "account_balances", {{"account", "bigint"}, {"balance", "bigint"}},
                   Rows::kNewest, changes.balances.size());
  for (const auto& [account, balance] : changes.balances) {
    writer.Add(account.number()).Add(balance);
  }
  writer.Finish();
  if (!changes.counters) return;
  const SupplyCounters& c = *changes.counters;
  RowWriter counters(queue, "supply_counters",
                     {{"only_row", "boolean"},
                      {"genesis_utok", "bigint"},
                      {"emitted_utok", "bigint"},
                      {"deposited_utok", "bigint"},
                      {"burned_utok", "bigint"},
                      {"reminted_provider_utok", "bigint"},
                      {"reminted_fee_utok", "bigint"},
                      {"retired_utok", "bigint"},
                      {"withdrawn_utok", "bigint"}},
                     Rows::kNewest, 1);
  counters.Add(true).Add(c.genesis.value()).Add(c.emitted.value()).Add(c.deposited.value());
  counters.Add(c.burned.value()).Add(c.reminted_provider.value()).Add(c.reminted_fee.value());
  counters.Add(c.retired.value()).Add(c.withdrawn.value());
  counters.Finish();
}

void WriteAccounts(StatementQueue& queue, const std::vector<AccountRow>& rows) {
  RowWriter writer(
      queue, "accounts",
      {{"id", "bigint"}, {"owner_id", "bigint"}, {"kind", "text"}, {"public_key", "bytea"}},
      Rows::kNew, rows.size());
  for (const AccountRow& row : rows) {
    const absl::string_view key(reinterpret_cast<const char*>(row.public_key.data()),
                                row.public_key.size());
    writer.Add(Stored(row.id.value())).Add(Stored(row.owner.value()));
    writer.Add(warpbook::Name(row.kind));
    writer.Add(std::string_view("\\x" + absl::BytesToHexString(key)));
  }
  writer.Finish();
}

void WriteInstruments(StatementQueue& queue, const std::vector<InstrumentRow>& rows) {
  RowWriter writer(queue, "instruments",
                   {{"id", "bigint"},
                    {"class_id", "integer"},
                    {"region_id", "integer"},
                    {"window_start_us", "bigint"},
                    {"window_minutes", "integer"}},
                   Rows::kNew, rows.size());
  for (const InstrumentRow& row : rows) {
    writer.Add(int64_t{row.id.value()}).Add(int64_t{row.hardware_class.value()});
    writer.Add(int64_t{row.region.value()}).Add(row.window_start.micros());
    writer.Add(int64_t{row.window_minutes.value()});
  }
  writer.Finish();
}

void WriteRequests(StatementQueue& queue, const std::vector<RequestRow>& rows) {
  RowWriter writer(queue, "requests",
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
                   Rows::kNewest, rows.size());
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
  writer.Finish();
}

using Columns = std::vector<RowWriter::Column>;

Columns Join(std::initializer_list<const Columns*> parts) {
  Columns all;
  for (const Columns* part : parts) all.insert(all.end(), part->begin(), part->end());
  return all;
}

// The figures of a settlement, as leases and decisions have them.
const Columns kFigures = {{"verified", "bigint"},      {"consumed", "bigint"},
                          {"burned", "bigint"},        {"refunded", "bigint"},
                          {"owed", "bigint"},          {"gross_utok", "bigint"},
                          {"provider_utok", "bigint"}, {"fee_utok", "bigint"},
                          {"retire_utok", "bigint"},   {"emitted_utok", "bigint"}};

void WriteFigures(RowWriter& writer, const Settlement& figures) {
  writer.Add(figures.verified.value()).Add(figures.consumed.value()).Add(figures.burned.value());
  writer.Add(figures.refunded.value()).Add(figures.owed.value()).Add(figures.gross.value());
  writer.Add(figures.provider.value()).Add(figures.fee.value()).Add(figures.retire.value());
  writer.Add(figures.emitted.value());
}

// The columns of a lease: the trade fixed the first ones, the next change as it lives, and the last
// are its settlement's.
const Columns kLeaseKey = {{"id", "bigint"}};
const Columns kLeaseTerms = {{"instrument_id", "bigint"},
                             {"buyer", "bigint"},
                             {"provider", "bigint"},
                             {"node_id", "bigint"},
                             {"tier", "text"},
                             {"assurance", "text"},
                             {"price", "bigint"},
                             {"provider_price", "bigint"},
                             {"minutes", "integer"},
                             {"delivery_start_us", "bigint"},
                             {"delivery_end_us", "bigint"},
                             {"traded_at_us", "bigint"}};
const Columns kLeaseLife = {
    {"gpus", "integer"},         {"notional", "bigint"},       {"surcharge", "bigint"},
    {"losses", "bigint"},        {"resold_gpus", "integer"},   {"resold_refunded", "bigint"},
    {"resold_burned", "bigint"}, {"resold_cleared", "bigint"}, {"state", "text"},
    {"completed", "boolean"},    {"started_at_us", "bigint"},  {"delivered", "bit varying"},
    {"owed_left", "bigint"},     {"disputed_at_us", "bigint"}, {"deposit", "bigint"},
    {"verdict", "text"},         {"share", "integer"},         {"judged_because", "text"}};
const Columns kLeaseSettlement = {
    {"settled_minutes", "integer"}, {"verified_weight", "bigint"}, {"gains", "bigint"},
    {"decision_number", "bigint"},  {"settled_event", "bigint"},   {"settled_at_us", "bigint"}};

void AddTerms(RowWriter& writer, const LeaseRow& row) {
  const LeaseTerms& terms = row.lease.terms();
  writer.Add(int64_t{terms.instrument.value()});
  writer.Add(Stored(terms.buyer.value())).Add(Stored(terms.provider.value()));
  writer.Add(Stored(terms.node.value()));
  writer.Add(warpbook::Name(terms.tier)).Add(warpbook::Name(terms.assurance));
  writer.Add(terms.price.value()).Add(terms.provider_price.value());
  writer.Add(int64_t{terms.minutes.value()});
  writer.Add(terms.delivery_start.micros()).Add(terms.delivery_end.micros());
  writer.Add(row.traded_at.micros());
}

void AddDispute(RowWriter& writer, const Lease& lease) {
  const auto& dispute = lease.dispute();
  dispute ? writer.Add(dispute->disputed_at.micros()) : writer.AddNull();
  writer.Add(lease.deposit().value());
  const bool decided = dispute && dispute->verdict != DisputeVerdict::kNone;
  decided ? writer.Add(warpbook::Name(dispute->verdict)) : writer.AddNull();
  writer.Add(dispute ? int64_t{dispute->share} : kFullShare);
  const bool judged = dispute && dispute->judged();
  judged ? writer.Add(std::string_view(dispute->reason)) : writer.AddNull();
}

void AddLife(RowWriter& writer, const Lease& lease) {
  const LeaseTerms& terms = lease.terms();
  writer.Add(int64_t{terms.gpus.value()}).Add(terms.notional.value()).Add(terms.surcharge.value());
  writer.Add(lease.losses().value()).Add(int64_t{lease.resold_gpus().value()});
  const EscrowUse& resold = lease.resold();
  writer.Add(resold.refunded.value()).Add(resold.burned.value()).Add(resold.cleared.value());
  writer.Add(warpbook::Name(lease.state())).Add(lease.completed());
  const auto started = lease.started_at();
  started ? writer.Add(started->micros()) : writer.AddNull();
  writer.Add(std::string_view(lease.delivered().ToText(terms.minutes)));
  writer.Add(lease.settlement().owed.value());
  AddDispute(writer, lease);
}

void AddSettlement(RowWriter& writer, const LeaseRow& row) {
  if (!row.settled_at) {
    for (size_t i = 0; i < kFigures.size() + kLeaseSettlement.size(); ++i) writer.AddNull();
    return;
  }
  WriteFigures(writer, row.lease.settlement());
  writer.Add(int64_t{row.lease.settled_minutes().value()}).Add(row.lease.weight());
  writer.Add(row.lease.gains().value()).Add(Stored(row.decision_number));
  writer.Add(Stored(row.settled.value())).Add(row.settled_at->micros());
}

void WriteLeases(StatementQueue& queue, const std::vector<LeaseRow>& rows) {
  RowWriter made(queue, "lease_records",
                 Join({&kLeaseKey, &kLeaseTerms, &kLeaseLife, &kFigures, &kLeaseSettlement}),
                 Rows::kNew, rows.size());
  RowWriter changed(queue, "lease_records", Join({&kLeaseKey, &kLeaseLife}), Rows::kRewritten,
                    rows.size());
  RowWriter settled(queue, "lease_records",
                    Join({&kLeaseKey, &kLeaseLife, &kFigures, &kLeaseSettlement}), Rows::kRewritten,
                    rows.size());
  for (const LeaseRow& row : rows) {
    RowWriter& writer = !row.stored ? made : row.settled_at ? settled : changed;
    writer.Add(Stored(row.lease.terms().id.value()));
    if (!row.stored) AddTerms(writer, row);
    AddLife(writer, row.lease);
    if (!row.stored || row.settled_at) AddSettlement(writer, row);
  }
  made.Finish();
  changed.Finish();
  settled.Finish();
}

void WriteLeaseLegs(StatementQueue& queue, const std::vector<LeaseLegRow>& rows) {
  RowWriter writer(
      queue, "lease_legs",
      {{"lease_id", "bigint"}, {"leg", "smallint"}, {"trader", "bigint"}, {"difference", "bigint"}},
      Rows::kNew, rows.size());
  for (const LeaseLegRow& row : rows) {
    writer.Add(Stored(row.lease.value())).Add(int64_t{row.leg});
    writer.Add(Stored(row.terms.trader.value())).Add(row.terms.difference.value());
  }
  writer.Finish();
}

void WritePrices(StatementQueue& queue, const PriceState& prices) {
  RowWriter feeds(queue, "price_feeds",
                  {{"feed", "smallint"}, {"price", "bigint"}, {"time_us", "bigint"}}, Rows::kNewest,
                  prices.feeds.size());
  for (size_t i = 0; i < prices.feeds.size(); ++i) {
    feeds.Add(static_cast<int64_t>(i)).Add(prices.feeds[i].price.value());
    feeds.Add(prices.feeds[i].time.micros());
  }
  feeds.Finish();
  RowWriter state(queue, "price_state",
                  {{"only_row", "boolean"}, {"mean", "bigint"}, {"variance", "bigint"}},
                  Rows::kNewest, 1);
  state.Add(true);
  prices.has_mean ? state.Add(prices.mean.value()) : state.AddNull();
  state.Add(prices.variance);
  state.Finish();
}

void WriteCheckpoint(StatementQueue& queue, const CheckpointRow& checkpoint) {
  RowWriter writer(queue, "engine_checkpoint",
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
                   Rows::kNewest, 1);
  writer.Add(true).Add(Stored(checkpoint.event.value())).Add(Stored(checkpoint.decision_number));
  for (const Holding holding :
       {Holding::kIssued, Holding::kFree, Holding::kLocked, Holding::kEscrow, Holding::kOwed,
        Holding::kConsumed, Holding::kBurned}) {
    writer.Add(checkpoint.credits[static_cast<size_t>(holding)]);
  }
  writer.Finish();
}

// A decision: what it is on, a lease's figures or a day's, and the rest.
const Columns kDecisionHead = {{"number", "bigint"},           {"kind", "text"},
                               {"request_sequence", "bigint"}, {"credits", "bigint"},
                               {"reason", "integer"},          {"lease_id", "bigint"}};
const Columns kDecisionTail = {{"verified_weight", "bigint"}, {"delivered_minutes", "integer"},
                               {"verdict", "text"},           {"day", "integer"},
                               {"budget_utok", "bigint"},     {"bonus_utok", "bigint"},
                               {"account_id", "bigint"},      {"owner_id", "bigint"},
                               {"large", "boolean"}};

// First what the journal gave others in place of, then what it gave back, then what is new: numbers
// that became void are used again.
void WriteOutbox(StatementQueue& queue, const Changes& changes) {
  if (changes.void_from) {
    queue.Add({"void outbox",
               "UPDATE outbox SET void = true WHERE number >= $1 AND posted_sequence IS NULL",
               {absl::StrCat(*changes.void_from)}});
  }
  if (!changes.confirmed.empty()) {
    std::string numbers;
    std::string sequences;
    for (const ConfirmedDecision& confirmed : changes.confirmed) {
      absl::StrAppend(&numbers, numbers.empty() ? "{" : ",", confirmed.decision.number);
      absl::StrAppend(&sequences, sequences.empty() ? "{" : ",", confirmed.sequence.value());
    }
    queue.Add({"confirm outbox",
               "UPDATE outbox SET posted_sequence = confirmed.sequence"
               " FROM unnest($1::bigint[], $2::bigint[]) AS confirmed (number, sequence)"
               " WHERE outbox.number = confirmed.number AND posted_sequence IS NULL AND NOT void",
               {numbers + "}", sequences + "}"}});
  }
  RowWriter writer(queue, "outbox", Join({&kDecisionHead, &kFigures, &kDecisionTail}), Rows::kNew,
                   changes.decided.size());
  for (const Decision& decision : changes.decided) {
    writer.Add(Stored(decision.number)).Add(Name(decision.kind));
    writer.Add(Stored(decision.request.value())).Add(decision.credits.value());
    writer.Add(int64_t{static_cast<uint16_t>(decision.reason)});
    writer.Add(Stored(decision.lease.value()));
    WriteFigures(writer, StoredFigures(decision));
    writer.Add(decision.weight).Add(int64_t{decision.delivered.value()});
    writer.Add(warpbook::Name(decision.verdict)).Add(int64_t{decision.epoch.day});
    writer.Add(decision.epoch.budget.value()).Add(decision.epoch.bonus.value());
    writer.Add(Stored(decision.account.value())).Add(Stored(decision.owner.value()));
    writer.Add(decision.large);
  }
  writer.Finish();
}

}  // namespace

void WriteChanges(pqxx::transaction_base& transaction, const Changes& changes,
                  const std::function<void(CommitStep)>& on_step) {
  StatementQueue queue(transaction);
  MoveCursor(queue, changes.from, changes.to);
  on_step(CommitStep::kCursorMoved);
  WriteTransfers(queue, changes.transfers);
  WriteMemberPostings(queue, changes.transfers);
  WritePostingSeconds(queue, changes.posting_seconds);
  on_step(CommitStep::kTransfersWritten);
  WriteBalances(queue, changes);
  on_step(CommitStep::kBalancesWritten);
  WriteAccounts(queue, changes.accounts);
  WriteInstruments(queue, changes.instruments);
  WriteRequests(queue, changes.requests);
  WriteLeases(queue, changes.leases);
  WriteLeaseLegs(queue, changes.lease_legs);
  WriteDayRows(queue, changes);
  if (changes.prices) WritePrices(queue, *changes.prices);
  if (changes.checkpoint) WriteCheckpoint(queue, *changes.checkpoint);
  on_step(CommitStep::kRowsWritten);
  WriteOutbox(queue, changes);
  queue.Flush();
  on_step(CommitStep::kOutboxWritten);
}

}  // namespace warpbook::settlement
