#include "tests/simulation/settlement.h"

#include <span>
#include <utility>

#include "schema/journal/cursors.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {
namespace {

using wire::RecordType;

constexpr char kCursorName[] = "settlement";

// The number of settlement's decision; 0: the command is none.
uint64_t DecisionNumber(wire::RecordView command) {
  if (command.type() == RecordType::kPostTopUp) return command.as<wire::PostTopUp>().number();
  if (command.type() == RecordType::kPostWithdrawal) {
    return command.as<wire::PostWithdrawal>().number();
  }
  if (command.type() == RecordType::kSettleLease) return command.as<wire::SettleLease>().number();
  return 0;
}

}  // namespace

void Settlement::Start() {
  sent_ = 0;
  process_ = std::make_unique<Process>(machine_, [this] { Main(); });
}

void Settlement::Run() {
  process_->Run();
  CheckCursor();
  if (process_->ended()) process_.reset();
}

void Settlement::Connect(std::unique_ptr<engine::EnginePort> port) {
  port_ = std::move(port);
  sent_ = 0;
}

void Settlement::Send() {
  while (const std::shared_ptr<const engine::DurableBatch> batch = port_->Poll()) {
    model_.CheckShown(batch->first_sequence, batch->command_count, batch->records);
  }
  if (port_->lost()) {  // it was too slow
    Disconnect();
    return;
  }
  const auto next = database_.outbox.upper_bound(sent_);
  if (next == database_.outbox.end()) return;
  wire::CommandRecord command = next->second;
  command.mutable_header().mutate_account_id(database_.account);
  command.mutable_header().mutate_tag(++budget_.last_tag);
  if (port_->TrySubmit(std::span(&command, 1)) == 1) sent_ = next->first;
}

void Settlement::Main() {
  const absl::StatusOr<std::unique_ptr<journal::TailReader>> reader =
      journal::TailReader::Open(process_->files(), kJournalDirectory, database_.sequence + 1);
  if (!reader.ok()) {
    // No journal yet, or a watermark that a loss of power set back, until recovery sets it again.
    Require(absl::IsNotFound(reader.status()) || absl::IsOutOfRange(reader.status()),
            "settlement cannot read the journal: ", reader.status().ToString());
    return;
  }
  while (true) {
    process_->Sleep();
    const absl::StatusOr<std::optional<journal::BatchView>> batch = (*reader)->Next();
    Require(batch.ok(), "settlement cannot read the journal: ", batch.status().ToString());
    if (!batch->has_value()) continue;
    Commit(**batch);
    process_->Sleep();
    if (machine_.random().OneIn(3)) continue;
    const absl::Status written =
        journal::WriteCursor(process_->files(), kJournalDirectory, kCursorName, database_.sequence);
    if (!written.ok()) {
      Require(process_->met_fault(), "the cursor is not written: ", written.ToString());
      return;
    }
    told_sequence_ = database_.sequence;
  }
}

// At once: the database's own matter.
void Settlement::Commit(const journal::BatchView& batch) {
  model_.CheckShown(batch.first_sequence, batch.command_count, batch.records);
  Require(batch.first_sequence == database_.sequence + 1, "settlement reads sequence ",
          batch.first_sequence, " after ", database_.sequence);
  wire::RecordView command;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (wire::IsCommand(record.type())) {
      command = record;
    } else {
      Observe(command, record);
    }
  }
  database_.sequence += batch.command_count;
  CheckLedger();
}

void Settlement::Observe(wire::RecordView command, wire::RecordView event) {
  switch (event.type()) {
    case RecordType::kAccountOpened:
      if (ToKey(event.as<wire::AccountOpened>().public_key()) == key_) {
        database_.account = event.event_header().account_id();
      }
      return;
    case RecordType::kRequestTaken:
      DecideRequest(event.as<wire::RequestTaken>());
      return;
    case RecordType::kTradeExecuted: {
      const auto& trade = event.as<wire::TradeExecuted>();
      database_.leases[trade.lease_id()] = {trade.notional(), trade.surcharge(), trade.minutes(),
                                            trade.gpus(), false};
      return;
    }
    case RecordType::kLeaseChanged:
      DecideLease(event.as<wire::LeaseChanged>());
      return;
    case RecordType::kCreditsMoved: {
      const auto& moved = event.as<wire::CreditsMoved>();
      database_.credits[moved.source()] -= moved.amount();
      database_.credits[moved.destination()] += moved.amount();
      return;
    }
    case RecordType::kCommandAccepted:
      if (const uint64_t number = DecisionNumber(command); number != 0) {
        Require(database_.outbox.erase(number) == 1, "decision ", number, " comes back twice");
      }
      return;
    case RecordType::kCommandRejected:
      Require(
          DecisionNumber(command) == 0 || event.as<wire::CommandRejected>().reason() ==
                                              static_cast<uint16_t>(RejectReason::kNumberRepeated),
          "decision ", DecisionNumber(command),
          " is refused: ", event.as<wire::CommandRejected>().reason());
      return;
    default:
      return;
  }
}

// Every one is posted: whether there are tokens is the ledger's matter, and none is kept here.
void Settlement::DecideRequest(const wire::RequestTaken& taken) {
  if (static_cast<RequestKind>(taken.kind()) == RequestKind::kWithdrawal) {
    wire::PostWithdrawal decision;
    decision.mutate_number(++database_.decisions);
    decision.mutate_request_sequence(taken.request_sequence());
    database_.outbox[decision.number()] = wire::CommandRecord(decision);
    return;
  }
  wire::PostTopUp decision;
  decision.mutate_number(++database_.decisions);
  decision.mutate_request_sequence(taken.request_sequence());
  decision.mutate_credits(machine_.random().Between(1, 400) * 1'000'000'000);
  database_.outbox[decision.number()] = wire::CommandRecord(decision);
}

void Settlement::DecideLease(const wire::LeaseChanged& changed) {
  const auto state = static_cast<LeaseState>(changed.state());
  const bool delivered = state == LeaseState::kDelivered;
  if (!delivered && state != LeaseState::kFailed) return;
  SettlementDatabase::Lease& lease = database_.leases.at(changed.lease_id());
  if (std::exchange(lease.decided, true)) return;  // buyer and provider are told
  wire::SettleLease decision;
  decision.mutate_number(++database_.decisions);
  decision.mutate_lease_id(changed.lease_id());
  if (delivered) {
    decision.mutate_verified_weight(lease.gpus * lease.minutes * 10'000);
    decision.mutate_owed(machine_.random().Between(0, lease.notional));
    decision.mutate_consumed(lease.notional - decision.owed());
    decision.mutate_burned(machine_.random().Between(0, lease.surcharge));
    decision.mutate_delivered_minutes(static_cast<int32_t>(lease.minutes));
  }
  database_.outbox[decision.number()] = wire::CommandRecord(decision);
}

// Ledger and engine agree at every sequence.
void Settlement::CheckLedger() const {
  const auto in_ledger = [this](CreditBucket bucket) {
    const auto found = database_.credits.find(static_cast<uint8_t>(bucket));
    return found == database_.credits.end() ? 0 : found->second;
  };
  const engine::CreditTotals& totals = model_.TotalsAt(database_.sequence);
  Require(-in_ledger(CreditBucket::kIssued) == totals.issued.value() &&
              in_ledger(CreditBucket::kFree) == totals.free.value() &&
              in_ledger(CreditBucket::kLocked) == totals.locked.value() &&
              in_ledger(CreditBucket::kEscrow) == totals.escrow.value() &&
              in_ledger(CreditBucket::kOwed) == totals.owed.value() &&
              in_ledger(CreditBucket::kConsumed) == totals.consumed.value() &&
              in_ledger(CreditBucket::kBurned) == totals.burned.value(),
          "settlement's ledger is not the engine's at sequence ", database_.sequence);
}

void Settlement::CheckCursor() const {
  const absl::StatusOr<std::vector<journal::Cursor>> cursors =
      journal::ReadCursors(machine_.disk(), kJournalDirectory);
  Require(cursors.ok(), cursors.status().ToString());
  const uint64_t sequence = cursors->empty() ? 0 : cursors->front().sequence;
  Require(sequence <= database_.sequence, "the cursor is at sequence ", sequence,
          ", but settlement has committed ", database_.sequence);
  Require(sequence >= told_sequence_, "the cursor is at sequence ", sequence, ", but was at ",
          told_sequence_);
  Require(database_.sequence <= model_.durable_sequence(), "settlement is at sequence ",
          database_.sequence, ", but ", model_.durable_sequence(), " is the last durable one");
}

}  // namespace warpbook::simulation
