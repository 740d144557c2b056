// The reference's instruments, capacity and leases.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {
namespace {

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kFarFuture = int64_t{1} << 60;

bool IsOpen(const Lease& lease) {
  return lease.state == LeaseState::kReserved || lease.state == LeaseState::kActive;
}

}  // namespace

ReferenceMarket::Answer ReferenceMarket::Do(const wire::Tick& c) {
  if (c.checkpoint() > 2) return {RejectReason::kMalformedCommand};
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  Accept(c.header(), wire::RecordType::kTick, 0);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RefuseCommand& c) {
  const auto type = static_cast<wire::RecordType>(c.command_type());
  if (!wire::IsCommand(type) || wire::RecordSize(type) == 0 ||
      c.reason() != static_cast<uint16_t>(RejectReason::kStorageLow)) {
    return {RejectReason::kMalformedCommand};
  }
  wire::CommandRejected event;
  event.mutate_tag(c.header().tag());
  event.mutate_reason(c.reason());
  event.mutate_command_type(c.command_type());
  Emit(event, c.header().account_id(), 0);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::OpenInstrument& c) {
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  const int64_t tick = c.tick(), low = c.band_low(), high = c.band_high();
  const bool prices = tick > 0 && tick % 1'000 == 0 && low > 0 && high >= low &&
                      high <= 10'000'000'000 && tick <= 10'000'000'000 && low % tick == 0 &&
                      high % tick == 0;
  const int64_t start = c.window_start_us();
  const bool times = start >= 0 && start <= kFarFuture && start % kMinute == 0 &&
                     c.window_minutes() >= 1 && c.window_minutes() <= 1'440 &&
                     c.notice_seconds() >= 0 && c.notice_seconds() <= 86'400 &&
                     c.gate_minutes() >= 1 && c.gate_minutes() <= c.window_minutes() &&
                     c.gate_minutes() * 60 >= c.notice_seconds() + 60;
  if (c.class_id() == 0 || c.region_id() == 0 || !prices || !times) {
    return {RejectReason::kInvalidInstrument};
  }
  Instrument made;
  made.class_id = c.class_id();
  made.region_id = c.region_id();
  made.start = start;
  made.end = start + c.window_minutes() * kMinute;
  made.gate = made.end - c.gate_minutes() * kMinute;
  made.tick = tick;
  made.low = low;
  made.high = high;
  made.notice = c.notice_seconds() * int64_t{1'000'000};
  if (made.gate <= now_) return {RejectReason::kInvalidInstrument};
  const Instrument* latest = nullptr;  // of those whose window overlaps
  for (const Instrument& other : instruments_) {
    if (other.class_id == made.class_id && other.region_id == made.region_id &&
        other.start < made.end && made.start < other.end &&
        (latest == nullptr || other.start > latest->start)) {
      latest = &other;
    }
  }
  if (latest != nullptr) return {RejectReason::kInstrumentExists, latest->id};
  if (instruments_.size() >= limits_.instruments) {
    return {RejectReason::kEngineFull, static_cast<int64_t>(limits_.instruments)};
  }
  made.id = ++last_instrument_;
  instruments_.push_back(made);
  Accept(c.header(), wire::RecordType::kOpenInstrument, made.id);
  wire::InstrumentOpened event;
  event.mutate_window_start_us(start);
  event.mutate_gate_us(made.gate);
  event.mutate_tick(tick);
  event.mutate_band_low(low);
  event.mutate_band_high(high);
  event.mutate_instrument_id(made.id);
  event.mutate_window_minutes(c.window_minutes());
  event.mutate_notice_seconds(c.notice_seconds());
  event.mutate_class_id(c.class_id());
  event.mutate_region_id(c.region_id());
  EmitPublic(event);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::CloseInstrument& c) {
  if (c.header().account_id() != 0) return {RejectReason::kNotPermitted};
  Instrument* instrument = FindInstrument(c.instrument_id());
  if (instrument == nullptr) {
    const bool known = c.instrument_id() != 0 && c.instrument_id() <= last_instrument_;
    return {known ? RejectReason::kInstrumentClosed : RejectReason::kUnknownInstrument};
  }
  if (now_ < instrument->end) return {RejectReason::kInvalidInstrumentState, instrument->end};
  Accept(c.header(), wire::RecordType::kCloseInstrument, instrument->id);
  for (Lease& lease : leases_) {
    if (lease.instrument != instrument->id) continue;
    lease.state = lease.state == LeaseState::kActive ? LeaseState::kDelivered : LeaseState::kFailed;
    EmitLease(lease);
  }
  instrument->state = InstrumentState::kClosed;
  EmitState(*instrument);
  std::erase_if(instruments_, [&](const Instrument& i) { return i.id == c.instrument_id(); });
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::SetInstrumentHalt& c) {
  if (c.halted() > 1) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  Instrument* instrument = FindInstrument(c.instrument_id());
  if (instrument == nullptr) {
    const bool known = c.instrument_id() != 0 && c.instrument_id() <= last_instrument_;
    return {known ? RejectReason::kInstrumentClosed : RejectReason::kUnknownInstrument};
  }
  const auto from = c.halted() ? InstrumentState::kOpen : InstrumentState::kHalted;
  if (instrument->state != from) return {RejectReason::kInvalidInstrumentState};
  instrument->state = c.halted() ? InstrumentState::kHalted : InstrumentState::kOpen;
  Accept(c.header(), wire::RecordType::kSetInstrumentHalt, instrument->id);
  EmitState(*instrument);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::SetPrices& c) {
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  wire::PricesSet event;
  for (uint16_t i = 0; i < 5; ++i) {
    const wire::PriceFeed feed = *c.feeds()->Get(i);
    if (feed.price() < 1 || feed.price() > 1'000'000'000'000 || feed.time_us() < 0 ||
        feed.time_us() > now_ + 10 * kMinute) {
      return {RejectReason::kInvalidPriceFeed, i};
    }
    event.mutable_feeds()->Mutate(i, feed);
  }
  Accept(c.header(), wire::RecordType::kSetPrices, 0);
  EmitPublic(event);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::SetBondedLimit& c) {
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  const Account* target = Find(c.target_account_id());
  if (target == nullptr) return {RejectReason::kUnknownAccount};
  if (target->kind != AccountKind::kMember) return {RejectReason::kNotPermitted};
  if (c.limit() < 0) return {RejectReason::kInvalidAmount};
  Accept(c.header(), wire::RecordType::kSetBondedLimit, target->id);
  wire::BondedLimitSet event;
  event.mutate_limit(c.limit());
  event.mutate_exposure(static_cast<int64_t>(Exposure(target->id)));
  EmitPrivate(event, target->id);
  accounts_[target->id - 1].bonded_limit = c.limit();
  while (Exposure(target->id) > c.limit()) {
    uint64_t newest = 0;
    for (const Order& order : orders_) {
      if (order.account == target->id && order.node != 0) newest = std::max(newest, order.id);
    }
    if (newest == 0) break;
    Cancel(newest, CancelReason::kLimitReduced, 0);
  }
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::SetCapacity& c) {
  if (c.assurance() > 2) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  if (c.node_id() == 0 || c.node_id() > nodes_.size()) return {RejectReason::kUnknownNode};
  Node& node = nodes_[c.node_id() - 1];
  if (c.gpus() < 0 || c.gpus() > node.registered) {
    return {RejectReason::kInvalidQuantity, node.registered};
  }
  Accept(c.header(), wire::RecordType::kSetCapacity, node.id);
  node.allowed = c.gpus();
  ChangeCapacity(node, c.gpus(), c.assurance());
  return {};
}

void ReferenceMarket::ChangeCapacity(Node& node, int32_t gpus, int assurance) {
  const bool worse = assurance > node.assurance;
  node.gpus = gpus;
  node.assurance = assurance;
  node.approved = true;
  wire::CapacitySet event;
  event.mutate_node_id(node.id);
  event.mutate_gpus(gpus);
  event.mutate_assurance(static_cast<uint8_t>(assurance));
  EmitPrivate(event, node.account);
  if (worse) {
    std::vector<uint64_t> asks;
    for (const Order& order : orders_) {
      if (order.node == node.id) asks.insert(asks.begin(), order.id);
    }
    for (const uint64_t id : asks) Cancel(id, CancelReason::kDowngraded, 0);
  }
  for (const Instrument& instrument : instruments_) {
    while (NodeLeft(node.id, instrument.id) < 0) {
      uint64_t newest = 0;
      for (const Order& order : orders_) {
        if (order.node == node.id && order.instrument == instrument.id) {
          newest = std::max(newest, order.id);
        }
      }
      if (newest == 0) break;
      Cancel(newest, CancelReason::kCapacityReduced, 0);
    }
  }
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::RegisterNode& c) {
  if (c.class_id() == 0 || c.region_id() == 0) return {RejectReason::kMalformedCommand};
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  if (c.gpus() < 1 || c.gpus() > 100'000) return {RejectReason::kInvalidQuantity, 100'000};
  const Bytes32 key = ToBytes(c.device_key());
  size_t mine = 0;
  for (const Node& node : nodes_) {
    if (node.device_key == key) return {RejectReason::kKeyInUse};
    if (node.account == c.header().account_id()) ++mine;
  }
  if (mine >= limits_.nodes_per_account) {
    return {RejectReason::kTooManyNodes, static_cast<int64_t>(limits_.nodes_per_account)};
  }
  if (nodes_.size() >= limits_.nodes) {
    return {RejectReason::kEngineFull, static_cast<int64_t>(limits_.nodes)};
  }
  Node node;
  node.id = nodes_.size() + 1;
  node.account = c.header().account_id();
  node.class_id = c.class_id();
  node.region_id = c.region_id();
  node.device_key = key;
  node.registered = node.allowed = c.gpus();
  nodes_.push_back(node);
  wire::NodeRegistered event;
  event.mutate_tag(c.header().tag());
  event.mutate_node_id(node.id);
  PutBytes(event.mutable_device_key(), key);
  event.mutate_gpus(c.gpus());
  event.mutate_class_id(c.class_id());
  event.mutate_region_id(c.region_id());
  EmitPrivate(event, node.account);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::StartLease& c) {
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  Lease* lease = FindLease(c.lease_id());
  if (lease == nullptr || lease->provider != c.header().account_id()) {
    return {RejectReason::kUnknownLease};
  }
  if (lease->state != LeaseState::kReserved) return {RejectReason::kLeaseWrongState};
  if (now_ < lease->start) return {RejectReason::kLeaseNotStartable, lease->start};
  if (now_ > lease->start + 5 * kMinute || now_ >= lease->end) {
    return {RejectReason::kLeaseStartTooLate, std::min(lease->start + 5 * kMinute, lease->end)};
  }
  lease->state = LeaseState::kActive;
  Accept(c.header(), wire::RecordType::kStartLease, lease->id);
  EmitLease(*lease);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::HeartbeatLease& c) {
  const Answer sender = Sender(c.header(), AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  const Lease* lease = FindLease(c.lease_id());
  if (lease == nullptr || lease->provider != c.header().account_id()) {
    return {RejectReason::kUnknownLease};
  }
  if (lease->state != LeaseState::kActive && lease->state != LeaseState::kDelivered &&
      lease->state != LeaseState::kDisputed) {
    return {RejectReason::kLeaseWrongState};
  }
  const int64_t minute = c.minute_us();
  if (minute % kMinute != 0 || minute < lease->start || minute >= lease->end) {
    return {RejectReason::kMinuteOutsideLease};
  }
  if (minute > now_) return {RejectReason::kMinuteInFuture};
  if (now_ > minute + 6 * kMinute) return {RejectReason::kHeartbeatTooLate};
  Accept(c.header(), wire::RecordType::kHeartbeatLease, lease->id);
  wire::LeaseHeartbeat event;
  event.mutate_lease_id(lease->id);
  event.mutate_minute_us(minute);
  EmitPublic(event);
  return {};
}

// Whether it comes from the buyer of a lease that was delivered, and that he has said nothing of
// yet.
ReferenceMarket::Answer ReferenceMarket::BuyerOfDelivered(const wire::CommandHeader& header,
                                                          uint64_t lease_id) {
  const Answer sender = Sender(header, AccountKind::kMember);
  if (sender.reason != RejectReason::kNone) return sender;
  const Lease* lease = FindLease(lease_id);
  if (lease == nullptr || lease->buyer != header.account_id()) return {RejectReason::kUnknownLease};
  if (IsOpen(*lease)) return {RejectReason::kLeaseNotDelivered};
  if (lease->completed || lease->state != LeaseState::kDelivered) {
    return {RejectReason::kLeaseWrongState};
  }
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::CompleteLease& c) {
  const Answer buyer = BuyerOfDelivered(c.header(), c.lease_id());
  if (buyer.reason != RejectReason::kNone) return buyer;
  Lease* lease = FindLease(c.lease_id());
  lease->completed = true;
  Accept(c.header(), wire::RecordType::kCompleteLease, lease->id);
  EmitLease(*lease);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::DisputeLease& c) {
  const Answer buyer = BuyerOfDelivered(c.header(), c.lease_id());
  if (buyer.reason != RejectReason::kNone) return buyer;
  Lease* lease = FindLease(c.lease_id());
  if (now_ >= lease->end + 10 * kMinute) {
    return {RejectReason::kDisputeTimeOver, lease->end + 10 * kMinute};
  }
  const auto deposit = static_cast<int64_t>((int128{lease->notional} * 5 + 99) / 100);
  FreeCredits free = FreeOfAll();
  if (deposit > free[lease->buyer]) {
    return {RejectReason::kInsufficientCredits, free[lease->buyer]};
  }
  lease->state = LeaseState::kDisputed;
  lease->disputed = now_;
  Accept(c.header(), wire::RecordType::kDisputeLease, lease->id);
  Move(free, lease->buyer, CreditBucket::kFree, CreditBucket::kEscrow, deposit, lease->id);
  lease->deposit = deposit;
  for (const bool is_provider : {true, false}) {
    wire::LeaseDisputed event;
    event.mutate_lease_id(lease->id);
    event.mutate_deposit(deposit);
    event.mutate_instrument_id(lease->instrument);
    event.mutate_is_provider(is_provider ? 1 : 0);
    EmitPrivate(event, is_provider ? lease->provider : lease->buyer);
  }
  EmitLease(*lease);
  return {};
}

ReferenceMarket::Answer ReferenceMarket::Do(const wire::JudgeLease& c) {
  const std::string reason(reinterpret_cast<const char*>(c.reason()->Data()), 64);
  const std::string text = reason.substr(0, reason.find('\0'));
  const bool printable =
      std::ranges::all_of(text, [](char byte) { return byte >= ' ' && byte <= '~'; });
  const bool padded = reason.find_first_not_of('\0', text.size()) == std::string::npos;
  const bool verdict = c.verdict() == 1 || (c.verdict() == 2 && c.share() == 10'000);
  if (!verdict || c.share() < 0 || c.share() > 10'000 || text.empty() || !printable || !padded ||
      text.front() == ' ' || text.back() == ' ') {
    return {RejectReason::kMalformedCommand};
  }
  const Answer sender = Sender(c.header(), AccountKind::kOperator);
  if (sender.reason != RejectReason::kNone) return sender;
  Lease* lease = FindLease(c.lease_id());
  if (lease == nullptr) return {RejectReason::kUnknownLease};
  if (lease->state != LeaseState::kDisputed || lease->verdict != DisputeVerdict::kNone) {
    return {RejectReason::kLeaseWrongState};
  }
  if (now_ >= lease->disputed + 60 * kMinute) {
    return {RejectReason::kJudgingTimeOver, lease->disputed + 60 * kMinute};
  }
  lease->verdict = static_cast<DisputeVerdict>(c.verdict());
  lease->share = c.share();
  Accept(c.header(), wire::RecordType::kJudgeLease, lease->id);
  for (const bool is_provider : {true, false}) {
    wire::LeaseJudged event;
    event.mutate_lease_id(lease->id);
    event.mutate_instrument_id(lease->instrument);
    event.mutate_share(c.share());
    event.mutate_verdict(c.verdict());
    event.mutate_is_provider(is_provider ? 1 : 0);
    std::copy_n(c.reason()->Data(), 64, event.mutable_reason()->Data());
    EmitPrivate(event, is_provider ? lease->provider : lease->buyer);
  }
  return {};
}

}  // namespace warpbook::reference
