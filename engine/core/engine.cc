#include "engine/core/engine.h"

#include <algorithm>

#include "engine/core/engine_impl.h"
#include "engine/core/expiries.h"
#include "engine/core/handlers.h"
#include "engine/core/invariants.h"
#include "engine/core/prefetch.h"
#include "engine/core/state_writer.h"

namespace warpbook::engine {
namespace {

// One event per level whose totals have changed.
void EmitBookChanges(Context& context) {
  context.state.book_changes.Take([&](const LevelChange& change) {
    const auto event = context.events.Public<wire::BookLevelChanged>();
    event->mutate_price(change.price.value());
    SetTail(*event, Halves(change.instrument.value(), change.gpus.value()),
            HalfAndBytes(change.orders, change.side, change.top_of_book));
  });
}

Refusal Dispatch(Context& context, wire::RecordView command) {
  switch (command.type()) {
#define WARPBOOK_X(name, number)  \
  case wire::RecordType::k##name: \
    return Handle(context, command.as<wire::name>());
    WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
    default:
      return {RejectReason::kMalformedCommand};
  }
}

// 0: no checkpoint is due after this command; 1: one without the state hash; 2: one with it.
int CheckpointDue(State& state, wire::RecordView command, bool refused) {
  const uint64_t sequence = state.last_sequence.value();
  const bool counted = sequence == state.next_checkpoint;
  if (counted) state.next_checkpoint += state.limits.commands_per_checkpoint;
  if (command.type() == wire::RecordType::kTick && !refused) {
    const uint8_t asked = command.as<wire::Tick>().checkpoint();
    if (asked != 0) return asked;
  }
  return counted ? 1 : 0;
}

void EmitCheckpoint(Context& context, bool with_state_hash) {
  const State& state = context.state;
  const auto event = context.events.Public<wire::Checkpoint>();
  event->mutate_commands(state.last_sequence.value());
  event->mutate_event_hash(context.events.hash());
  event->mutate_state_hash(with_state_hash ? HashState(state) : 0);
  event->mutate_issued(state.totals.issued.value());
  event->mutate_free(state.totals.free.value());
  event->mutate_locked(state.totals.locked.value());
  event->mutate_escrow(state.totals.escrow.value());
  event->mutate_owed(state.totals.owed.value());
  event->mutate_consumed(state.totals.consumed.value());
  event->mutate_burned(state.totals.burned.value());
  event->mutate_settlement_number(state.settlement_number);
}

#ifdef WARPBOOK_CHECK_INVARIANTS
// Up to so many live orders a debug build checks after each command; with n times as many after
// each nth, so that a check of everything does not make it quadratic.
constexpr uint64_t kOrdersPerCheck = 256;
#endif

}  // namespace

void Engine::Apply(wire::RecordView command, uint32_t command_index, wire::RecordWriter& events) {
  State& state = impl_->state;
  const wire::CommandHeader& header = command.command_header();
  const Timestamp now = Timestamp(header.time_us());
  WARPBOOK_CHECK(header.sequence() == state.last_sequence.value() + 1);
  WARPBOOK_CHECK(now >= state.last_time && now < kLatestTime);
  state.last_sequence = Sequence(header.sequence());
  state.last_time = now;
  impl_->events.BeginCommand(events, command_index);
  Context context{state, impl_->events, now, state.last_sequence};

  if (AnythingDue(context)) [[unlikely]] {
    RunExpiries(context);
    EmitBookChanges(context);
  }
  const Refusal refusal = Dispatch(context, command);
  if (refusal) context.events.Reject(command, refusal);
  EmitBookChanges(context);
  if (const int due = CheckpointDue(state, command, bool{refusal}); due != 0) {
    EmitCheckpoint(context, due == 2);
  }
#ifdef WARPBOOK_CHECK_INVARIANTS
  if (state.last_sequence.value() % (1 + state.orders.size() / kOrdersPerCheck) == 0) {
    CheckInvariants();
  }
#endif
}

namespace {

// What a command that names an order begins with: its place in the index, the order, then what
// stands around it.
void PrefetchOrder(const State& state, OrderId id, FetchStep step) {
  if (step == FetchStep::kFirst) return state.orders.Prefetch(id);
  const Order* order = state.orders.Guess(id);
  if (step == FetchStep::kSecond || order == nullptr) return Prefetch(order);
  __builtin_prefetch(order->level, 1);
  __builtin_prefetch(order->queue_previous, 1);
  __builtin_prefetch(order->queue_next, 1);
  Prefetch(order->instrument);
  Prefetch(order->account);
}

void PrefetchPlace(State& state, const wire::PlaceOrder& place, FetchStep step) {
  const Instrument* instrument = state.instruments.Find(InstrumentId(place.instrument_id()));
  if (step == FetchStep::kFirst) {
    Prefetch(state.accounts.Find(AccountId(place.header().account_id())));
    Prefetch(state.accounts.FindNode(NodeId(place.node_id())));
    return Prefetch(instrument);
  }
  if (instrument == nullptr || place.side() > 1) return;
  const uint32_t ticks = instrument->grid().Find(Price(place.price()));
  if (ticks == PriceGrid::kNone) return;
  const PriceLadder& ladder = instrument->book.ladder(static_cast<Side>(place.side()));
  if (step == FetchStep::kSecond) return ladder.Prefetch(ticks);
  Prefetch(ladder.Guess(ticks));
}

}  // namespace

void Engine::Prefetch(wire::RecordView command, FetchStep step) const {
  State& state = impl_->state;
  switch (command.type()) {
    case wire::RecordType::kPlaceOrder:
      return PrefetchPlace(state, command.as<wire::PlaceOrder>(), step);
    case wire::RecordType::kAmendOrder:
      return PrefetchOrder(state, OrderId(command.as<wire::AmendOrder>().order_id()), step);
    case wire::RecordType::kCancelOrder:
      return PrefetchOrder(state, OrderId(command.as<wire::CancelOrder>().order_id()), step);
    default:
      return;
  }
}

Engine::Engine(const EngineLimits& limits, uint64_t index_secret)
    : impl_(std::make_unique<Impl>(limits, index_secret)) {
  WARPBOOK_CHECK(limits.resales_per_lease_max <= kResaleLegsMax);
}
Engine::~Engine() = default;

Sequence Engine::last_sequence() const { return impl_->state.last_sequence; }
Timestamp Engine::last_time() const { return impl_->state.last_time; }
EventSequence Engine::last_event_sequence() const { return impl_->events.last_sequence(); }
uint64_t Engine::event_hash() const { return impl_->events.hash(); }
uint64_t Engine::StateHash() const { return HashState(impl_->state); }
CreditTotals Engine::Totals() const { return impl_->state.totals; }
uint64_t Engine::settlement_number() const { return impl_->state.settlement_number; }
void Engine::CheckInvariants() const { CheckStateInvariants(impl_->state); }

}  // namespace warpbook::engine
