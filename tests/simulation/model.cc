#include "tests/simulation/model.h"

#include <cstring>

#include "schema/journal/format.h"
#include "schema/types/enums.h"
#include "tests/simulation/violation.h"

namespace warpbook::simulation {
namespace {

using engine::DurableBatch;
using wire::RecordType;

constexpr PublicKey kNoClientOrderId = {};

bool Same(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

uint64_t LastSequence(const DurableBatch& batch) {
  return batch.first_sequence + batch.command_count - 1;
}

}  // namespace

uint64_t ReplyTag(wire::RecordView event) {
  switch (event.type()) {
#define WARPBOOK_REPLY(name) \
  case RecordType::k##name:  \
    return event.as<wire::name>().tag();
    WARPBOOK_REPLY(CommandRejected)
    WARPBOOK_REPLY(CommandAccepted)
    WARPBOOK_REPLY(RequestDecided)
    WARPBOOK_REPLY(AccountOpened)
    WARPBOOK_REPLY(KeyAdded)
    WARPBOOK_REPLY(OrderAccepted)
    WARPBOOK_REPLY(OrderAmended)
    WARPBOOK_REPLY(OrderCancelled)
    WARPBOOK_REPLY(NodeRegistered)
    WARPBOOK_REPLY(ProbeBegun)
    WARPBOOK_REPLY(ProbeDecided)
#undef WARPBOOK_REPLY
    default:
      return 0;
  }
}

void Model::HandOver(const DurableBatch& batch) {
  Require(!in_flight_, "a batch is handed over while another one is not durable");
  Require(batch.first_sequence == durable_sequence_ + 1, "a batch begins at sequence ",
          batch.first_sequence, ", but ", durable_sequence_, " is the last durable one");
  Require(batch.command_count > 0, "a batch is handed over without a command");
  in_flight_ = batch;
}

void Model::CheckReplayed(const journal::BatchView& batch) const {
  if (batch.first_sequence <= durable_sequence_) {
    CheckShown(batch.first_sequence, batch.command_count, batch.records);
    return;
  }
  Require(in_flight_ && batch.first_sequence == in_flight_->first_sequence &&
              Same(batch.records, in_flight_->records),
          "recovery reads a batch at sequence ", batch.first_sequence, " that nobody wrote");
}

void Model::CheckRecovered(const engine::Engine& engine, const SumFollower& follower) {
  const uint64_t recovered = engine.last_sequence().value();
  Require(recovered >= durable_sequence_, "recovery ends at sequence ", recovered, ", but ",
          durable_sequence_, " was durable");
  CheckDurable(recovered);
  in_flight_.reset();
  Require(engine.StateHash() == engine_.StateHash() && engine.event_hash() == engine_.event_hash(),
          "the recovered engine is not the one that the commands up to sequence ", recovered,
          " make");
  Require(follower == follower_, "the recovered follower is not that of sequence ", recovered);
  engine.CheckInvariants();
}

void Model::CheckDurable(uint64_t sequence) {
  // After a loss of power it may be behind: it is not synced.
  if (sequence <= durable_sequence_) return;
  Require(in_flight_ && sequence == LastSequence(*in_flight_), "sequence ", sequence,
          " is said to be durable, but nobody wrote it");
  CheckOnDisk(*in_flight_);
  durable_sequence_ = sequence;
  Append(*std::exchange(in_flight_, std::nullopt));
}

void Model::CheckOnDisk(const DurableBatch& batch) const {
  const absl::StatusOr<std::vector<std::string>> names = machine_.disk().List(kJournalDirectory);
  Require(names.ok(), names.status().ToString());
  std::string last_path;
  for (const std::string& name : *names) {
    if (!journal::ParseSegmentName(name)) continue;
    last_path = absl::StrCat(kJournalDirectory, "/", name);
    Require(machine_.disk().IsSynced(last_path), "sequence ", batch.first_sequence,
            " is said to be durable, but ", last_path, " is not synced");
  }
  Require(!last_path.empty(), "a batch is said to be durable, but there is no segment");
  const std::vector<std::byte>& segment = machine_.disk().content(last_path);
  const size_t size = sizeof(journal::BatchHeader) + batch.records.size();
  for (size_t at = journal::kPageSize; at + size <= segment.size(); at += journal::kPageSize) {
    const std::span<const std::byte> stored = std::span(segment).subspan(at, size);
    if (Same(stored.subspan(sizeof(journal::BatchHeader)), batch.records)) return;
  }
  Require(false, "sequence ", batch.first_sequence, " is said to be durable, but is not in ",
          last_path);
}

void Model::CheckShown(uint64_t first_sequence, uint32_t command_count,
                       std::span<const std::byte> records) const {
  Require(first_sequence + command_count - 1 <= durable_sequence_, "a batch at sequence ",
          first_sequence, " is shown, but ", durable_sequence_, " is the last durable one");
  const auto found = batches_.find(first_sequence);
  Require(found != batches_.end() && found->second.command_count == command_count &&
              Same(found->second.records, records),
          "a batch is shown at sequence ", first_sequence, " that is not the journal's");
}

void Model::CheckOrderReply(uint64_t account, const PublicKey& client_order_id, uint64_t sequence,
                            wire::RecordView reply) const {
  const auto found = client_orders_.find({account, client_order_id});
  if (found == client_orders_.end() || found->second.sequence >= sequence) return;
  Require(reply.type() == RecordType::kCommandAccepted &&
              reply.as<wire::CommandAccepted>().duplicate() == 1 &&
              reply.as<wire::CommandAccepted>().result_id() == found->second.order,
          "the repeat at sequence ", sequence, " of the order of sequence ", found->second.sequence,
          " is not answered as one");
}

const engine::CreditTotals& Model::TotalsAt(uint64_t last_sequence) const {
  const auto found = totals_.find(last_sequence);
  Require(found != totals_.end(), "no durable batch ends at sequence ", last_sequence);
  return found->second;
}

int64_t Model::TimeAt(uint64_t last_sequence) const {
  const auto found = times_us_.find(last_sequence);
  Require(found != times_us_.end(), "no durable batch ends at sequence ", last_sequence);
  return found->second;
}

void Model::Append(DurableBatch batch) {
  records_.Clear();
  uint32_t index = 0;
  RecordType command = RecordType::kNone;
  for (const wire::RecordView record : wire::Records(batch.records)) {
    if (!wire::IsCommand(record.type())) {
      Require(
          record.type() != RecordType::kCommandRejected ||
              (command != RecordType::kOpenInstrument && command != RecordType::kCloseInstrument),
          "the window is refused that is opened or closed at sequence ", last_sequence_);
      ObserveEvent(record);
      market_.Observe(record);
      continue;
    }
    command = record.type();
    ObserveCommand(record.command_header());
    records_.Append(record, index);
    engine_.Apply(record, index, records_);
    ++index;
  }
  Require(index == batch.command_count && last_sequence_ == durable_sequence_,
          "the batch at sequence ", batch.first_sequence, " has not the commands that it tells");
  Require(Same(records_.bytes(), batch.records), "the events of the batch at sequence ",
          batch.first_sequence, " are not those of its commands");
  CheckCredits();
  const absl::Status followed = follower_.Apply(batch);
  Require(followed.ok(), followed.ToString());
  totals_[durable_sequence_] = engine_.Totals();
  times_us_[durable_sequence_] = last_time_us_;
  batches_[batch.first_sequence] = std::move(batch);
}

void Model::ObserveCommand(const wire::CommandHeader& header) {
  Require(header.sequence() == last_sequence_ + 1, "sequence ", header.sequence(), " follows ",
          last_sequence_);
  Require(header.time_us() >= last_time_us_, "time falls at sequence ", header.sequence());
  last_sequence_ = header.sequence();
  last_time_us_ = header.time_us();
}

void Model::ObserveEvent(wire::RecordView event) {
  const wire::EventHeader& header = event.event_header();
  Require(header.event_sequence() == last_event_sequence_ + 1, "event ", header.event_sequence(),
          " follows ", last_event_sequence_);
  last_event_sequence_ = header.event_sequence();
  if (header.account_sequence() != 0) {
    Require(header.account_sequence() == ++account_sequences_[header.account_id()], "event ",
            header.event_sequence(), " leaves a gap for account ", header.account_id());
  }
  const uint64_t tag = ReplyTag(event);
  Require(tag == 0 || answered_tags_.insert(tag).second, "the command with tag ", tag,
          " is answered twice");
  if (event.type() == RecordType::kOrderAccepted) {
    const auto& order = event.as<wire::OrderAccepted>();
    const PublicKey id = ToKey(order.client_order_id());
    const AcceptedOrder accepted{last_sequence_, order.order_id()};
    Require(id == kNoClientOrderId ||
                client_orders_.insert({{header.account_id(), id}, accepted}).second,
            "the client order id of order ", order.order_id(), " is accepted twice");
  } else if (event.type() == RecordType::kRequestDecided) {
    const auto& decided = event.as<wire::RequestDecided>();
    Require(decided_requests_.insert(decided.request_sequence()).second, "request ",
            decided.request_sequence(), " is decided twice");
    issued_ += decided.credits();
  } else if (event.type() == RecordType::kLeaseSettled) {
    const auto& settled = event.as<wire::LeaseSettled>();
    Require(settled_leases_.insert(settled.lease_id()).second, "lease ", settled.lease_id(),
            " is settled twice");
  } else if (event.type() == RecordType::kCommandAccepted) {
    repeats_ += event.as<wire::CommandAccepted>().duplicate();
  }
}

void Model::CheckCredits() const {
  const engine::CreditTotals totals = engine_.Totals();
  Require(totals.issued.value() == issued_, "credits issued at sequence ", durable_sequence_, ": ",
          totals.issued.value(), ", decided: ", issued_);
  Require(totals.issued.value() == totals.free.value() + totals.locked.value() +
                                       totals.escrow.value() + totals.owed.value() +
                                       totals.consumed.value() + totals.burned.value(),
          "credits are not conserved at sequence ", durable_sequence_);
}

}  // namespace warpbook::simulation
