#include <algorithm>
#include <memory>
#include <utility>

#include "engine/core/handlers.h"
#include "engine/core/lease_shares.h"

namespace warpbook::engine {
namespace {

// How far a price feed's clock may run ahead of the market's.
constexpr int64_t kFeedLeadMaxMicros = 10 * kMicrosPerMinute;
constexpr TokenPrice kTokenPriceMax = TokenPrice(1'000'000 * kMicroUsdPerUsd);

bool IsConsistent(const wire::OpenInstrument& command, Timestamp now) {
  const Timestamp start = Timestamp(command.window_start_us());
  const int32_t minutes = command.window_minutes();
  const int32_t gate = command.gate_minutes();
  return PricesAreConsistent(Price(command.tick()), Price(command.band_low()),
                             Price(command.band_high())) &&
         TimesAreConsistent(start, minutes, command.notice_seconds(), gate) &&
         start.PlusMinutes(minutes - gate) > now;
}

void EmitOpened(Context& context, const Instrument& instrument) {
  const auto event = context.events.Public<wire::InstrumentOpened>();
  event->mutate_window_start_us(instrument.window_start.micros());
  event->mutate_gate_us(instrument.gate.micros());
  event->mutate_tick(instrument.grid().tick().value());
  event->mutate_band_low(instrument.grid().low().value());
  event->mutate_band_high(instrument.grid().high().value());
  event->mutate_instrument_id(instrument.id.value());
  event->mutate_window_minutes(instrument.window_minutes.value());
  event->mutate_notice_seconds(instrument.notice_seconds);
  event->mutate_class_id(instrument.class_id.value());
  event->mutate_region_id(instrument.region_id.value());
}

// An instrument named by a command: null with the reason where there is none.
struct Named {
  Instrument* instrument = nullptr;
  Refusal refusal;
};
Named FindNamed(State& state, uint32_t id) {
  const InstrumentId instrument_id = InstrumentId(id);
  Instrument* instrument = state.instruments.Find(instrument_id);
  if (instrument != nullptr) return {instrument, kNoRefusal};
  return {nullptr,
          {state.instruments.IsKnown(instrument_id) ? RejectReason::kInstrumentClosed
                                                    : RejectReason::kUnknownInstrument}};
}

// Its window is over: reserved leases failed, active ones are delivered.
void EndLease(Context& context, Lease& lease) {
  lease.state = lease.state == LeaseState::kActive ? LeaseState::kDelivered : LeaseState::kFailed;
  lease.provider->exposure -= ProviderNotional(lease);
  lease.node->windows.Erase(lease.instrument);
  EmitLeaseChanged(context, lease);
}

}  // namespace

void EmitInstrumentState(Context& context, InstrumentId id, InstrumentState state) {
  const auto event = context.events.Public<wire::InstrumentStateChanged>();
  event->mutate_instrument_id(id.value());
  event->mutate_state(static_cast<uint8_t>(state));
}

Refusal Handle(Context& context, const wire::Tick& command) {
  if (command.checkpoint() > 2) return {RejectReason::kMalformedCommand};
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  context.events.Accept(command.header(), wire::RecordType::kTick, 0);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::RefuseCommand& command) {
  const auto type = static_cast<wire::RecordType>(command.command_type());
  const auto reason = static_cast<RejectReason>(command.reason());
  const bool known = wire::IsCommand(type) && wire::RecordSize(type) != 0;
  if (!known || reason != RejectReason::kStorageLow) return {RejectReason::kMalformedCommand};
  context.events.Reject(command.header(), type, {reason});
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::OpenInstrument& command) {
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  State& state = context.state;
  const ClassId class_id = ClassId(command.class_id());
  const RegionId region_id = RegionId(command.region_id());
  if (!class_id || !region_id || !IsConsistent(command, context.now)) {
    return {RejectReason::kInvalidInstrument};
  }
  const Timestamp start = Timestamp(command.window_start_us());
  const Timestamp end = start.PlusMinutes(command.window_minutes());
  if (const Instrument* other = state.instruments.FindOverlap(class_id, region_id, start, end)) {
    return {RejectReason::kInstrumentExists, other->id.value()};
  }
  if (state.instruments.all().size() >= state.limits.instruments_max) {
    return {RejectReason::kEngineFull, state.limits.instruments_max};
  }
  const PriceGrid grid(Price(command.tick()), Price(command.band_low()),
                       Price(command.band_high()));
  auto made = std::make_unique<Instrument>(grid, start, Minutes(command.window_minutes()),
                                           command.notice_seconds(), state.ladder_memory);
  made->class_id = class_id;
  made->region_id = region_id;
  made->gate = end.PlusMinutes(-command.gate_minutes());
  const Instrument& instrument = state.instruments.Add(std::move(made));
  state.next_due = std::min(state.next_due, instrument.gate);
  context.events.Accept(command.header(), wire::RecordType::kOpenInstrument, instrument.id.value());
  EmitOpened(context, instrument);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::CloseInstrument& command) {
  if (const Refusal refusal = RequireExchange(command.header())) return refusal;
  State& state = context.state;
  const Named named = FindNamed(state, command.instrument_id());
  if (named.refusal) return named.refusal;
  Instrument& instrument = *named.instrument;
  if (context.now < instrument.window_end) {
    return {RejectReason::kInvalidInstrumentState, instrument.window_end.micros()};
  }
  context.events.Accept(command.header(), wire::RecordType::kCloseInstrument,
                        instrument.id.value());
  for (const LeaseId id : instrument.leases) EndLease(context, *state.leases.Find(id));
  const InstrumentId id = instrument.id;
  state.instruments.Erase(instrument);
  EmitInstrumentState(context, id, InstrumentState::kClosed);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::SetInstrumentHalt& command) {
  if (command.halted() > 1) return {RejectReason::kMalformedCommand};
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  const Named named = FindNamed(context.state, command.instrument_id());
  if (named.refusal) return named.refusal;
  Instrument& instrument = *named.instrument;
  const bool halt = command.halted() == 1;
  if (instrument.state != (halt ? InstrumentState::kOpen : InstrumentState::kHalted)) {
    return {RejectReason::kInvalidInstrumentState};
  }
  instrument.state = halt ? InstrumentState::kHalted : InstrumentState::kOpen;
  context.events.Accept(command.header(), wire::RecordType::kSetInstrumentHalt,
                        instrument.id.value());
  EmitInstrumentState(context, instrument.id, instrument.state);
  return kNoRefusal;
}

Refusal Handle(Context& context, const wire::SetPrices& command) {
  const Sender sender = FindSender(context, command.header(), AccountKind::kOperator);
  if (sender.refusal) return sender.refusal;
  const Timestamp latest = context.now.PlusMicros(kFeedLeadMaxMicros);
  for (uint16_t i = 0; i < command.feeds()->size(); ++i) {
    const wire::PriceFeed& feed = *command.feeds()->Get(i);
    const bool valid = feed.price() > 0 && feed.price() <= kTokenPriceMax.value() &&
                       feed.time_us() >= 0 && feed.time_us() <= latest.micros();
    if (!valid) return {RejectReason::kInvalidPriceFeed, i};
  }
  context.events.Accept(command.header(), wire::RecordType::kSetPrices, 0);
  const auto event = context.events.Public<wire::PricesSet>();
  for (uint16_t i = 0; i < command.feeds()->size(); ++i) {
    event->mutable_feeds()->Mutate(i, *command.feeds()->Get(i));
  }
  return kNoRefusal;
}

}  // namespace warpbook::engine
