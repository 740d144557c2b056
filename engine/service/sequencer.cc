#include "engine/service/sequencer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/service/prefetch.h"
#include "schema/base/log.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"

namespace warpbook::engine {
namespace {

constexpr std::chrono::seconds kTickInterval(1);
constexpr int kTicksPerCheckpoint = 10;
constexpr int kTicksBetweenOpenings = 60;  // after a refusal
constexpr size_t kTakenAtOnce = 64;        // from one port, before the next one's turn
// Tick.checkpoint of schema/wire/commands.fbs.
constexpr uint8_t kNoCheckpoint = 0;
constexpr uint8_t kCheckpoint = 1;
constexpr uint8_t kFullCheckpoint = 2;

wire::CommandRecord MakeSystemKey(const PublicKey& key, AccountKind kind) {
  wire::RegisterSystemKey command;
  std::memcpy(command.mutable_public_key()->Data(), key.data(), key.size());
  command.mutate_kind(static_cast<uint8_t>(kind));
  return wire::CommandRecord(command);
}

// Whether a command asks for something new: not for an end, a settlement, or what is the
// exchange's.
bool AsksForMore(wire::RecordType type) {
  switch (type) {
    case wire::RecordType::kPlaceOrder:
    case wire::RecordType::kAmendOrder:
    case wire::RecordType::kOpenAccount:
    case wire::RecordType::kAddKey:
    case wire::RecordType::kRegisterNode:
    case wire::RecordType::kRequestTopUp:
    case wire::RecordType::kRequestDeposit:
    case wire::RecordType::kRequestWithdrawal:
      return true;
    default:
      return false;
  }
}

// What stands in the journal for a command that was not taken.
wire::CommandRecord MakeRefusal(wire::RecordView refused, RejectReason reason) {
  wire::RefuseCommand command;
  command.mutable_header() = refused.command_header();
  command.mutate_command_type(static_cast<uint16_t>(refused.type()));
  command.mutate_reason(static_cast<uint16_t>(reason));
  return wire::CommandRecord(command);
}

}  // namespace

absl::Status Sequencer::SubmitSystemKeys() {
  const auto submit = [this](const std::optional<PublicKey>& key, AccountKind kind) {
    const RejectReason reason = key ? ApplyOwn(MakeSystemKey(*key, kind)) : RejectReason::kNone;
    if (reason == RejectReason::kNone) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "the engine refuses the ", std::string(Name(kind)), " key (",
        std::string(RejectReasonCode(reason)),
        reason == RejectReason::kKeyInUse ? "): an account of another kind has it" : ")"));
  };
  absl::Status status = submit(parts_.options.operator_key, AccountKind::kOperator);
  status.Update(submit(parts_.options.settlement_key, AccountKind::kSettlement));
  return status;
}

void Sequencer::SubmitWindows() {
  if (ticks_until_opening_ > 0) --ticks_until_opening_;
  const Timestamp now = Timestamp(parts_.market_clock.NowMicros());
  int refused = 0;
  for (const wire::CommandRecord& command :
       ScheduleWindows(parts_.options.catalogue, parts_.windows, now)) {
    const bool opens = command.view().type() == wire::RecordType::kOpenInstrument;
    if (opens && ticks_until_opening_ > 0) continue;
    if (ApplyOwn(command) != RejectReason::kNone) ++refused;
  }
  if (refused == 0) return;
  ticks_until_opening_ = kTicksBetweenOpenings;
  // The journal says why.
  Log(LogLevel::kWarning, "windows_refused",
      JsonObject().Integer("count", refused).Integer("retry_s", kTicksBetweenOpenings));
}

void Sequencer::RunTickIfDue(SteadyTime now) {
  if (now < next_tick_) return;
  // A late tick moves the ones after it: they make time pass, they do not count it.
  next_tick_ = now + kTickInterval;
  SubmitWindows();
  const bool checkpoint_due = ticks_until_checkpoint_ == 0;
  ticks_until_checkpoint_ = checkpoint_due ? kTicksPerCheckpoint - 1 : ticks_until_checkpoint_ - 1;
  SubmitTick(checkpoint_due ? kCheckpoint : kNoCheckpoint);
}

void Sequencer::SubmitTick(uint8_t checkpoint) {
  wire::Tick tick;
  tick.mutate_checkpoint(checkpoint);
  ApplyOwn(wire::CommandRecord(tick));
}

void Sequencer::ClosePorts() {
  for (const std::shared_ptr<PortState>& port : parts_.ports) port->Close();
}

void Sequencer::SubmitLastTick() { SubmitTick(kFullCheckpoint); }

bool Sequencer::Gather() {
  std::array<wire::CommandRecord, kTakenAtOnce> taken;
  const uint32_t commands_before = command_count_;
  for (size_t i = 0; i < parts_.ports.size() && !batch_is_full(); ++i) {
    PortState& port = *parts_.ports[(first_port_ + i) % parts_.ports.size()];
    const size_t room = parts_.options.service_limits.batch_commands_max - command_count_;
    const size_t count = port.Take(std::span(taken).first(std::min(room, taken.size())));
    if (count > 0) ApplyAll(std::span(taken).first(count));
  }
  if (!parts_.ports.empty()) first_port_ = (first_port_ + 1) % parts_.ports.size();
  return command_count_ > commands_before;
}

void Sequencer::ApplyAll(std::span<wire::CommandRecord> commands) {
  const bool timed = parts_.metrics != nullptr;
  const SteadyTime begin = timed ? std::chrono::steady_clock::now() : SteadyTime();
  for (size_t i = 0; i < commands.size(); ++i) {
    PrefetchAhead(parts_.engine, i, commands.size(),
                  [&](size_t ahead) { return commands[ahead].view(); });
    const wire::RecordView command = commands[i].view();
    if (storage_low_ && AsksForMore(command.type())) [[unlikely]] {
      commands[i] = MakeRefusal(command, RejectReason::kStorageLow);
    }
    Apply(commands[i]);
    // A reading of the clock takes as long as a small command: of many the first one is timed.
    if (timed && i == 0) {
      const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - begin;
      match_duration_.Observe(took.count());
    }
  }
}

void Sequencer::Report() {
  if (parts_.metrics == nullptr) return;
  size_t queued = 0;
  for (const std::shared_ptr<PortState>& port : parts_.ports) {
    queued = std::max(queued, port->queued());
  }
  parts_.metrics->OnTick(parts_.engine, queued, match_duration_);
}

void Sequencer::Apply(wire::CommandRecord& command) {
  Engine& engine = parts_.engine;
  wire::CommandHeader& header = command.mutable_header();
  const uint64_t sequence = engine.last_sequence().value() + 1;
  header.mutate_sequence(sequence);
  header.mutate_time_us(std::max(engine.last_time().micros(), parts_.market_clock.NowMicros()));
  if (command_count_ == 0) first_sequence_ = sequence;
  records_.Append(command.view(), command_count_);
  engine.Apply(command.view(), command_count_, records_);
  ++command_count_;
}

RejectReason Sequencer::ApplyOwn(wire::CommandRecord command) {
  const size_t before = records_.size();
  Apply(command);
  RejectReason refused = RejectReason::kNone;
  for (const wire::RecordView record : wire::Records(records_.bytes().subspan(before))) {
    if (record.type() == wire::RecordType::kCommandRejected) {
      refused = static_cast<RejectReason>(record.as<wire::CommandRejected>().reason());
    }
    parts_.windows.Observe(record);
  }
  return refused;
}

bool Sequencer::batch_is_full() const {
  const ServiceLimits& limits = parts_.options.service_limits;
  return command_count_ >= limits.batch_commands_max || records_.size() >= limits.batch_bytes_max;
}

DurableBatch Sequencer::TakeBatch() {
  return {first_sequence_, std::exchange(command_count_, 0), records_.Take()};
}

}  // namespace warpbook::engine
