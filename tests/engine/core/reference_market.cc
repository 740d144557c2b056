#include "tests/engine/core/reference_market.h"

#include <xxhash.h>

#include <algorithm>
#include <string>

namespace warpbook::reference {
namespace {

// What an order takes: a bid's lock with its surcharge (0.5%, 0.1%, none), an ask's exposure.
int128 Taken(const Order& order) {
  const int128 value = int128{order.price} * order.left * order.minutes;
  if (order.side == 1) return value;
  const int per_mille = order.queue == 0 ? 5 : order.queue == 1 ? 1 : 0;
  return value + value * per_mille / 1'000;
}

}  // namespace

int64_t ReferenceMarket::Locked(uint64_t account) const {
  int128 sum = 0;
  for (const Order& order : orders_) {
    if (order.account == account && order.side == 0) sum += Taken(order);
  }
  return static_cast<int64_t>(sum);
}

int64_t ReferenceMarket::Escrow(uint64_t account) const {
  int64_t sum = 0;
  for (const Lease& lease : leases_) {
    if (lease.buyer == account) sum += lease.notional + lease.surcharge + lease.deposit;
    for (const Lease::Step& step : lease.steps) {
      const int64_t loss = std::max<int64_t>(0, step.paid - step.got);
      if (step.trader == account) sum += Value(loss, lease.gpus, lease.minutes);
    }
  }
  return sum;
}

int64_t ReferenceMarket::Free(uint64_t account) const {
  const Account& a = accounts_[account - 1];
  return a.issued + a.gained - a.paid_gains - a.consumed - a.burned - a.owed - Locked(account) -
         Escrow(account);
}

int128 ReferenceMarket::Exposure(uint64_t account) const {
  int128 sum = 0;
  for (const Order& order : orders_) {
    if (order.account == account && order.side == 1 && order.lease == 0) sum += Taken(order);
  }
  for (const Lease& lease : leases_) {
    const bool open = lease.state == LeaseState::kReserved || lease.state == LeaseState::kActive;
    if (lease.provider == account && open) {
      sum += Value(lease.first_price, lease.gpus, lease.minutes);
    }
  }
  return sum;
}

std::vector<Order> ReferenceMarket::Queue(uint32_t instrument, int side) const {
  std::vector<Order> queue;
  for (const Order& order : orders_) {
    if (order.resting && order.instrument == instrument && order.side == side) {
      queue.push_back(order);
    }
  }
  std::sort(queue.begin(), queue.end(), [&](const Order& a, const Order& b) {
    if (a.price != b.price) return side == 0 ? a.price > b.price : a.price < b.price;
    if (a.queue != b.queue) return a.queue < b.queue;
    return a.arrival < b.arrival;
  });
  return queue;
}

void ReferenceMarket::Accept(const wire::CommandHeader& header, wire::RecordType type, uint64_t id,
                             bool duplicate) {
  wire::CommandAccepted event;
  event.mutate_tag(header.tag());
  event.mutate_result_id(id);
  event.mutate_command_type(static_cast<uint16_t>(type));
  event.mutate_duplicate(duplicate);
  Emit(event, header.account_id(), 0);
}

void ReferenceMarket::EmitMoved(uint64_t account, CreditBucket from, CreditBucket to,
                                int64_t amount, uint64_t lease, uint64_t order, int64_t free,
                                int64_t locked) {
  if (amount == 0) return;
  wire::CreditsMoved event;
  event.mutate_amount(amount);
  event.mutate_lease_id(lease);
  event.mutate_order_id(order);
  event.mutate_free_after(free);
  event.mutate_locked_after(locked);
  event.mutate_source(static_cast<uint8_t>(from));
  event.mutate_destination(static_cast<uint8_t>(to));
  EmitPrivate(event, account);
}

ReferenceMarket::FreeCredits ReferenceMarket::FreeOfAll() const {
  FreeCredits free;
  for (const Account& account : accounts_) free[account.id] = Free(account.id);
  return free;
}

void ReferenceMarket::Move(FreeCredits& free, uint64_t account, CreditBucket from, CreditBucket to,
                           int64_t amount, uint64_t lease) {
  if (to == CreditBucket::kFree) free[account] += amount;
  if (from == CreditBucket::kFree) free[account] -= amount;
  EmitMoved(account, from, to, amount, lease, 0, free[account], Locked(account));
}

// All levels are summed up anew and held against those last shown.
void ReferenceMarket::EmitLevels() {
  if (!book_changed_) return;
  book_changed_ = false;
  std::map<LevelKey, LevelTotal> now;
  for (const Order& order : orders_) {
    if (!order.resting) continue;
    const int64_t rank = order.side == 0 ? -order.price : order.price;
    LevelTotal& level = now[{order.instrument, order.side, rank}];
    level.price = order.price;
    level.gpus += order.left;
    ++level.orders;
  }
  const auto best = [](const std::map<LevelKey, LevelTotal>& levels, const LevelKey& key) {
    const auto it = levels.lower_bound({std::get<0>(key), std::get<1>(key), INT64_MIN});
    return it != levels.end() && it->first == key;
  };
  std::map<LevelKey, LevelTotal> all = levels_;
  all.insert(now.begin(), now.end());
  for (const auto& [key, either] : all) {
    const auto before = levels_.find(key);
    const auto after = now.find(key);
    const LevelTotal old = before == levels_.end() ? LevelTotal() : before->second;
    const LevelTotal fresh = after == now.end() ? LevelTotal() : after->second;
    if (old.gpus == fresh.gpus && old.orders == fresh.orders) continue;
    wire::BookLevelChanged event;
    event.mutate_price(either.price);
    event.mutate_instrument_id(std::get<0>(key));
    event.mutate_gpus(fresh.gpus);
    event.mutate_orders(fresh.orders);
    event.mutate_side(static_cast<uint8_t>(std::get<1>(key)));
    event.mutate_top_of_book(best(levels_, key) || best(now, key));
    EmitPublic(event);
  }
  levels_ = std::move(now);
}

void ReferenceMarket::EmitState(const Instrument& instrument) {
  wire::InstrumentStateChanged event;
  event.mutate_instrument_id(instrument.id);
  event.mutate_state(static_cast<uint8_t>(instrument.state));
  EmitPublic(event);
}

void ReferenceMarket::EmitLease(const Lease& lease) {
  for (const bool provider : {true, false}) {
    wire::LeaseChanged event;
    event.mutate_lease_id(lease.id);
    event.mutate_instrument_id(lease.instrument);
    event.mutate_state(static_cast<uint8_t>(lease.state));
    event.mutate_completed(lease.completed);
    event.mutate_is_provider(provider);
    EmitPrivate(event, provider ? lease.provider : lease.buyer);
  }
}

void ReferenceMarket::HashEvent(uint16_t type, const void* event, size_t size) {
  const uint64_t turned = hash_ << 31 | hash_ >> 33;
  hash_ = (turned ^ XXH3_64bits_withSeed(event, size, type)) * 0x9e3779b97f4a7c15;
}

void ReferenceMarket::EmitCheckpoint() {
  wire::Checkpoint event;
  event.mutate_commands(sequence_);
  event.mutate_event_hash(hash_);
  int64_t issued = 0, free = 0, locked = 0, escrow = 0, owed = 0, consumed = 0, burned = 0;
  for (const Account& account : accounts_) {
    issued += account.issued;
    free += Free(account.id);
    locked += Locked(account.id);
    escrow += Escrow(account.id);
    owed += account.owed;
    consumed += account.consumed;
    burned += account.burned;
  }
  event.mutate_issued(issued);
  event.mutate_free(free);
  event.mutate_locked(locked);
  event.mutate_escrow(escrow);
  event.mutate_owed(owed);
  event.mutate_consumed(consumed);
  event.mutate_burned(burned);
  event.mutate_settlement_number(settlement_number_);
  EmitPublic(event);
}

// What is due at or before now, one moment after the other: gates first, then orders by id.
void ReferenceMarket::Expire() {
  while (true) {
    int64_t due = INT64_MAX;
    for (const Instrument& instrument : instruments_) {
      if (instrument.state != InstrumentState::kGateClosed) due = std::min(due, instrument.gate);
    }
    for (const Order& order : orders_) due = std::min(due, order.expires);
    if (due > now_) return;
    for (Instrument& instrument : instruments_) {
      if (instrument.state == InstrumentState::kGateClosed || instrument.gate != due) continue;
      instrument.state = InstrumentState::kGateClosed;
      EmitState(instrument);
    }
    std::vector<uint64_t> expired;
    for (const Order& order : orders_) {
      if (order.expires == due) expired.push_back(order.id);
    }
    for (const uint64_t id : expired) {
      const bool at_gate = FindInstrument(OrderById(id).instrument)->gate == due;
      Cancel(id, at_gate ? CancelReason::kGateClosed : CancelReason::kExpired, 0);
    }
  }
}

// A finished id stays while it is young or among the account's last so many.
void ReferenceMarket::ForgetIds() {
  std::vector<RememberedId> kept;
  for (size_t i = 0; i < remembered_.size(); ++i) {
    const RememberedId& id = remembered_[i];
    size_t later = 0;  // finished by the same account after this one: they stand behind it
    for (size_t j = i + 1; j < remembered_.size(); ++j) {
      if (!remembered_[j].live && remembered_[j].account == id.account) ++later;
    }
    if (id.live || now_ - id.finished <= limits_.remembered_micros ||
        later < limits_.remembered_ids) {
      kept.push_back(id);
    }
  }
  remembered_ = kept;
}

const Account* ReferenceMarket::Find(uint64_t account) const {
  return account == 0 || account > accounts_.size() ? nullptr : &accounts_[account - 1];
}

ReferenceMarket::Answer ReferenceMarket::Sender(const wire::CommandHeader& header,
                                                AccountKind kind) const {
  const Account* account = Find(header.account_id());
  if (account == nullptr) return {RejectReason::kUnknownAccount};
  if (account->kind != kind) return {RejectReason::kNotPermitted};
  return {};
}

Instrument* ReferenceMarket::FindInstrument(uint32_t id) {
  for (Instrument& instrument : instruments_) {
    if (instrument.id == id) return &instrument;
  }
  return nullptr;
}

Lease* ReferenceMarket::FindLease(uint64_t id) {
  for (Lease& lease : leases_) {
    if (lease.id == id) return &lease;
  }
  return nullptr;
}

ReferenceMarket::Answer ReferenceMarket::Dispatch(wire::RecordView command) {
  switch (command.type()) {
#define WARPBOOK_X(name, number)  \
  case wire::RecordType::k##name: \
    return Do(command.as<wire::name>());
    WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
    default:
      return {RejectReason::kMalformedCommand};
  }
}

void ReferenceMarket::Apply(wire::RecordView command, uint32_t command_index,
                            wire::RecordWriter& events) {
  output_ = &events;
  command_index_ = command_index;
  const wire::CommandHeader& header = command.command_header();
  sequence_ = header.sequence();
  now_ = header.time_us();
  ForgetIds();
  Expire();
  ForgetIds();
  EmitLevels();
  const Answer answer = Dispatch(command);
  if (answer.reason != RejectReason::kNone) {
    wire::CommandRejected event;
    event.mutate_tag(header.tag());
    event.mutate_detail(answer.detail);
    event.mutate_reason(static_cast<uint16_t>(answer.reason));
    event.mutate_command_type(static_cast<uint16_t>(command.type()));
    Emit(event, header.account_id(), 0);
  }
  EmitLevels();
  ForgetIds();
  const bool asked = command.type() == wire::RecordType::kTick &&
                     answer.reason == RejectReason::kNone &&
                     command.as<wire::Tick>().checkpoint() != 0;
  if (asked || sequence_ % limits_.commands_per_checkpoint == 0) EmitCheckpoint();
}

}  // namespace warpbook::reference
