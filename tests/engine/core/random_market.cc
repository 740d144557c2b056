#include "tests/engine/core/random_market.h"

#include <algorithm>

#include "tests/engine/core/record_text.h"

namespace warpbook::engine {
namespace {

using reference::ReferenceMarket;
using wire::CommandRecord;

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kTick = 1'000;
constexpr int64_t kHugePrice = 10'000'000'000;

reference::Bytes32 Key(uint64_t number) {
  reference::Bytes32 key = {};
  std::memcpy(key.data(), &number, sizeof number);
  return key;
}

}  // namespace

RandomMarket::RandomMarket(uint64_t seed) : random_(seed), time_(kScenarioStart) {
  members_ = static_cast<int>(Between(3, 8));
  garble_per_mille_ = Chance(50) ? 20 : 2;
  price_levels_ = Between(2, 12);
  gpus_max_ = Chance(70) ? Between(4, 30) : Between(1, 4);
  bond_ = Between(5, 500) * 1'000'000;
  huge_ = Chance(8);
  limits_.commands_per_checkpoint = static_cast<uint64_t>(Between(50, 500));
  limits_.remembered_client_order_ids = static_cast<uint32_t>(Between(0, 6));
  limits_.remembered_client_order_micros = Between(0, 90) * 1'000'000;
  limits_.orders_per_account_max = static_cast<uint32_t>(Between(4, 25));
  limits_.orders_per_account_and_book_max = static_cast<uint32_t>(Between(3, 15));
  limits_.resting_orders_max = static_cast<uint32_t>(Between(20, 100));
  limits_.leases_max = static_cast<uint32_t>(Between(20, 150));
  limits_.pending_requests_max = static_cast<uint32_t>(Between(2, 6));
  limits_.pending_top_ups_per_account_max = static_cast<uint32_t>(Between(1, 6));
  limits_.nodes_max = static_cast<uint32_t>(Between(members_, 8 * members_));
  limits_.instruments_max = static_cast<uint32_t>(Between(3, 8));
  limits_.client_order_ids_max = static_cast<uint32_t>(Between(5, 60));
  limits_.accounts_max = static_cast<uint32_t>(members_ + Between(0, 2));
  limits_.keys_per_account_max = static_cast<uint32_t>(Between(1, 3));
  limits_.keys_ever_per_account_max = static_cast<uint32_t>(Between(1, 5));
  limits_.nodes_per_account_max = static_cast<uint32_t>(Between(2, 5));
  limits_.resales_per_lease_max = static_cast<uint32_t>(Between(1, 4));
}

wire::CommandHeader RandomMarket::From(uint64_t account) {
  return wire::CommandHeader(0, time_, account, ++tags_);
}

uint64_t RandomMarket::AccountOf(const ReferenceMarket& market, AccountKind kind) {
  if (Chance(1)) return Below(market.accounts().size() + 2);
  std::vector<uint64_t> ids;
  for (const reference::Account& account : market.accounts()) {
    if (account.kind == kind) ids.push_back(account.id);
  }
  return ids.empty() ? 0 : ids[Below(ids.size())];
}

uint64_t RandomMarket::Member(const ReferenceMarket& market) {
  return AccountOf(market, AccountKind::kMember);
}

reference::Bytes32 RandomMarket::ClientId() {
  reference::Bytes32 id = {};
  if (Chance(60)) return id;
  id[0] = static_cast<uint8_t>('a' + Below(12));
  id[1] = static_cast<uint8_t>('a' + Below(3));
  return id;
}

CommandRecord RandomMarket::Next(const ReferenceMarket& market) {
  if (Chance(40)) time_ += Between(0, 3'000'000);
  if (Chance(2)) time_ += Between(0, 4) * kMinute / 2;
  CommandRecord command = Choose(market);
  if (Below(1'000) < static_cast<uint64_t>(garble_per_mille_)) Garble(command);
  // A full checkpoint holds the state hash, which the reference does not know.
  if (MatchesLine(command.view(), "Tick checkpoint=2")) command = ParseCommand("Tick");
  command.mutable_header().mutate_time_us(time_);
  return command;
}

void RandomMarket::Garble(CommandRecord& command) {
  // The account and everything behind the header may become anything.
  auto* body = reinterpret_cast<std::byte*>(&command.mutable_header());
  const size_t size = command.view().header().size;
  const size_t first = 16;
  const size_t at = first + Below(size - first);
  const size_t count = std::min<size_t>(size - at, 1 + Below(8));
  const uint64_t shape = Below(3);
  for (size_t i = 0; i < count; ++i) {
    body[at + i] = static_cast<std::byte>(shape == 0 ? 0xff : shape == 1 ? 0x80 : Below(256));
  }
}

CommandRecord RandomMarket::Choose(const ReferenceMarket& market) {
  const auto accounts = market.accounts().size();
  if (accounts < 2) {
    wire::RegisterSystemKey command;
    command.mutable_header() = From(0);
    reference::PutBytes(command.mutable_public_key(), Key(1'000'000 + accounts));
    command.mutate_kind(static_cast<uint8_t>(accounts + 1));
    return CommandRecord(command);
  }
  if (accounts < 2 + static_cast<size_t>(members_) || Chance(1)) return OpenAccountOrNode(market);
  if (market.nodes().size() < 2 * static_cast<size_t>(members_)) return OpenAccountOrNode(market);

  size_t trading = 0;
  for (const reference::Instrument& instrument : market.instruments()) {
    if (instrument.end <= time_ && Chance(30)) {
      wire::CloseInstrument command;
      command.mutable_header() = From(0);
      command.mutate_instrument_id(instrument.id);
      return CommandRecord(command);
    }
    if (instrument.gate > time_) ++trading;
  }
  for (const reference::Instrument& instrument : market.instruments()) {
    if (instrument.state != InstrumentState::kHalted || !Chance(8)) continue;
    wire::SetInstrumentHalt command;
    command.mutable_header() = From(AccountOf(market, AccountKind::kOperator));
    command.mutate_instrument_id(instrument.id);
    return CommandRecord(command);
  }
  if (trading < 3 && Chance(30)) return OpenInstrument(market);
  if (!market.requests().empty() && Chance(30)) return Decide(market);
  for (const reference::Lease& lease : market.leases()) {
    const bool ended = lease.state != LeaseState::kReserved && lease.state != LeaseState::kActive;
    // Some have to wait, so that time runs out.
    const bool slow = lease.id % 4 == 0 && !Chance(2);
    if (ended && Chance(2) && !slow) return Settle(market, lease);
    if (lease.state == LeaseState::kDisputed && Chance(8) && !slow) {
      if (Chance(2)) time_ += 60 * kMinute;  // the operator sleeps
      return Judge(market, lease);
    }
  }
  if (!market.debts().empty() && Chance(2)) return PayDeferred(market);
  if (Chance(3)) return Probe(market);

  if (Chance(1)) {
    wire::RefuseCommand command;
    command.mutable_header() = From(Member(market));
    command.mutate_command_type(static_cast<uint16_t>(wire::RecordType::kPlaceOrder));
    command.mutate_reason(static_cast<uint16_t>(RejectReason::kStorageLow));
    return CommandRecord(command);
  }
  const uint64_t dice = Below(100);
  if (dice < 52) return Place(market);
  if (dice < 68) return Amend(market);
  if (dice < 76) return Cancel(market);
  if (dice < 83) return Operate(market);
  if (dice < 90) return LeaseMessage(market);
  if (dice < 95) return Request(market);
  if (dice < 96) return OpenInstrument(market);
  if (dice < 97) return Decide(market);
  if (dice < 98) return Close(market);
  wire::Tick tick;
  tick.mutable_header() = From(Chance(2) ? 1 : 0);
  tick.mutate_checkpoint(Chance(10) ? (Chance(10) ? 3 : 1) : 0);
  return CommandRecord(tick);
}

const reference::Instrument* RandomMarket::PickInstrument(const ReferenceMarket& market) {
  std::vector<reference::Instrument> open;
  for (const reference::Instrument& instrument : market.instruments()) {
    if (instrument.state == InstrumentState::kOpen && instrument.gate > time_) {
      open.push_back(instrument);
    }
  }
  if (open.empty() || Chance(3)) return Pick(market.instruments());
  const uint32_t id = open[Below(open.size())].id;
  for (const reference::Instrument& instrument : market.instruments()) {
    if (instrument.id == id) return &instrument;
  }
  return nullptr;
}

// A node of the account, of the instrument's class if there is one.
uint64_t RandomMarket::PickNode(const ReferenceMarket& market, uint64_t account,
                                uint16_t class_id) {
  std::vector<uint64_t> mine, fitting;
  for (const reference::Node& node : market.nodes()) {
    if (node.account != account) continue;
    mine.push_back(node.id);
    if (node.class_id == class_id && node.approved) fitting.push_back(node.id);
  }
  if (Chance(1)) return Below(market.nodes().size() + 2);
  if (!fitting.empty() && !Chance(2)) return fitting[Below(fitting.size())];
  return mine.empty() ? 0 : mine[Below(mine.size())];
}

CommandRecord RandomMarket::Place(const ReferenceMarket& market) {
  wire::PlaceOrder c;
  c.mutable_header() = From(Member(market));
  const reference::Instrument* instrument = PickInstrument(market);
  c.mutate_instrument_id(instrument == nullptr || Chance(1) ? static_cast<uint32_t>(Below(20))
                                                            : instrument->id);
  const bool ask = Chance(50);
  const int64_t tick = instrument == nullptr ? kTick : instrument->tick;
  int64_t price = (20 + Between(0, price_levels_ - 1) + (ask ? 1 : 0)) * tick;
  if (huge_ && Chance(20)) price = kHugePrice - Between(0, 2) * kTick;
  if (Chance(1)) price = Between(-2, 60) * kTick;
  if (Chance(1)) ++price;
  c.mutate_price(price);
  c.mutate_gpus(static_cast<int32_t>(Between(1, ask ? (gpus_max_ + 1) / 2 : gpus_max_)));
  if (huge_ && Chance(20)) c.mutate_gpus(static_cast<int32_t>(Between(1, 100'000)));
  if (Chance(30)) c.mutate_min_fill(static_cast<int32_t>(Between(0, c.gpus())));
  c.mutate_side(ask ? 1 : 0);
  const uint64_t dice = Below(100);
  c.mutate_time_in_force(dice < 60 ? 0 : dice < 72 ? 1 : dice < 87 ? 2 : 3);
  if (c.time_in_force() == 1 || Below(200) == 0) {
    c.mutate_expires_us(
        time_ + (Chance(90) ? Between(1, 60) * 1'000'000 : Between(-5, 900) * kMinute / 10));
  }
  if (Chance(c.time_in_force() >= 2 ? 25 : 1)) {
    c.mutate_type(1);
    if (Chance(60)) c.mutate_price(0);
  }
  c.mutate_tier(ask ? 0 : static_cast<uint8_t>(Below(3)));
  c.mutate_min_assurance(ask || Chance(60) ? 2 : static_cast<uint8_t>(Below(3)));
  c.mutate_self_trade_prevention(static_cast<uint8_t>(Below(4)));
  c.mutate_post_only(Chance(10));
  c.mutate_validate_only(Chance(4));
  if (Chance(5)) c.mutate_deadline_us(time_ + Between(-1, 5) * 1'000'000);
  if (ask && !Chance(1)) {
    const uint16_t class_id = instrument == nullptr ? uint16_t{1} : instrument->class_id;
    c.mutate_node_id(PickNode(market, c.header().account_id(), class_id));
  }
  if (Chance(1)) c.mutate_lease_id(1);
  if (ask && Chance(15)) Resell(market, c);
  reference::PutBytes(c.mutable_client_order_id(), ClientId());
  if (const auto* id = Pick(market.remembered()); id != nullptr && Chance(3)) {
    // The same order once more, or almost the same.
    std::memcpy(&c, id->content.data(), sizeof c);
    c.mutable_header() = From(id->account);
    reference::PutBytes(c.mutable_client_order_id(), id->client_id);
    c.mutate_validate_only(Chance(20));
    if (Chance(30)) c.mutate_min_fill(c.min_fill() == 0 ? 1 : 0);
    if (Chance(10)) c.mutate_self_trade_prevention(static_cast<uint8_t>(Below(4)));
    if (Chance(10)) c.mutate_deadline_us(time_ + 1'000'000);
  }
  return CommandRecord(c);
}

// Makes the ask one that resells a lease, mostly one that can be resold, by its buyer.
void RandomMarket::Resell(const ReferenceMarket& market, wire::PlaceOrder& c) {
  std::vector<reference::Lease> resalable;
  for (const reference::Lease& lease : market.leases()) {
    for (const reference::Instrument& instrument : market.instruments()) {
      if (lease.instrument == instrument.id && time_ < instrument.start - instrument.notice &&
          instrument.state == InstrumentState::kOpen) {
        resalable.push_back(lease);
      }
    }
  }
  const reference::Lease* lease = Chance(4) ? Pick(market.leases()) : Pick(resalable);
  if (lease == nullptr) return;
  c.mutate_node_id(0);
  c.mutate_lease_id(lease->id);
  if (!Chance(3)) c.mutable_header().mutate_account_id(lease->buyer);
  if (!Chance(3)) c.mutate_instrument_id(lease->instrument);
  if (Chance(90)) c.mutate_gpus(static_cast<int32_t>(Between(1, lease->gpus)));
  if (Chance(70)) c.mutate_min_fill(0);
  // Often at what somebody bids.
  const auto bids = market.Queue(lease->instrument, 0);
  if (!bids.empty() && Chance(50)) c.mutate_price(bids.front().price);
}

CommandRecord RandomMarket::Amend(const ReferenceMarket& market) {
  wire::AmendOrder c;
  const reference::Order* order = Pick(market.orders());
  if (order == nullptr) return Place(market);
  c.mutable_header() = From(Chance(97) ? order->account : Member(market));
  c.mutate_order_id(order->id);
  if (order->client_id[0] != 0 && Chance(50)) {
    c.mutate_order_id(0);
    reference::PutBytes(c.mutable_client_order_id(), order->client_id);
  }
  if (Chance(60)) c.mutate_price(order->price + Between(-2, 2) * kTick);
  if (Chance(70)) {
    c.mutate_gpus(static_cast<int32_t>(std::max<int64_t>(0, order->total + Between(-6, 6))));
  }
  if (Chance(2)) c.mutate_gpus(static_cast<int32_t>(Between(-1, 100'001)));
  if (Chance(3)) c.mutate_deadline_us(time_ + Between(-1, 5) * 1'000'000);
  if (Chance(4)) c.mutate_validate_only(Chance(95) ? 1 : 2);
  return CommandRecord(c);
}

CommandRecord RandomMarket::Cancel(const ReferenceMarket& market) {
  if (Chance(15)) return CancelAll(market);
  if (Chance(5)) return Withdraw(market);
  if (Chance(3)) return SetGuard(market);
  wire::CancelOrder c;
  const reference::Order* order = Pick(market.orders());
  c.mutable_header() = From(order == nullptr || Chance(4) ? Member(market) : order->account);
  c.mutate_order_id(order == nullptr || Chance(3) ? Below(500) : order->id);
  if (order != nullptr && order->client_id[0] != 0 && Chance(50)) {
    c.mutate_order_id(0);
    reference::PutBytes(c.mutable_client_order_id(), order->client_id);
  }
  if (Chance(3)) c.mutate_deadline_us(time_ + Between(-1, 5) * 1'000'000);
  return CommandRecord(c);
}

// Most of them narrow, so that books do not stay empty.
CommandRecord RandomMarket::CancelAll(const ReferenceMarket& market) {
  wire::CancelAllOrders c;
  const reference::Order* order = Pick(market.orders());
  const uint64_t whose = order == nullptr || Chance(5) ? Member(market) : order->account;
  c.mutable_header() = From(whose);
  c.mutate_target_account_id(Chance(60) ? 0 : whose);
  const uint64_t sender = Below(100);
  if (sender < 30) {
    c.mutable_header() = From(0);
    c.mutate_reason(static_cast<uint8_t>(Between(10, 11)));
  } else if (sender < 50) {
    c.mutable_header() = From(AccountOf(market, AccountKind::kOperator));
  } else if (sender < 53) {
    c.mutable_header() = From(AccountOf(market, AccountKind::kSettlement));
  }
  if (sender < 53 && !Chance(5)) c.mutate_target_account_id(whose);
  if (Chance(4)) c.mutate_target_account_id(Below(market.accounts().size() + 2));
  if (Chance(4)) c.mutate_reason(static_cast<uint8_t>(Below(13)));
  if (order != nullptr && Chance(70)) c.mutate_instrument_id(order->instrument);
  if (Chance(4)) c.mutate_instrument_id(static_cast<uint32_t>(Below(20)));
  if (Chance(30)) c.mutate_class_id(static_cast<uint16_t>(Below(4)));
  c.mutate_side(Chance(30) ? 2 : static_cast<uint8_t>(Below(2)));
  if (Chance(2)) c.mutate_side(3);
  if (Chance(3)) c.mutate_deadline_us(time_ + Between(-1, 5) * 1'000'000);
  return CommandRecord(c);
}

CommandRecord RandomMarket::Withdraw(const ReferenceMarket& market) {
  wire::WithdrawOrder c;
  const reference::Order* order = Pick(market.orders());
  c.mutable_header() = From(Chance(95) ? 0 : Member(market));
  c.mutate_target_account_id(order == nullptr || Chance(5) ? Member(market) : order->account);
  c.mutate_order_id(order == nullptr || Chance(5) ? Below(500) : order->id);
  c.mutate_reason(static_cast<uint8_t>(Chance(95) ? Between(10, 11) : Between(9, 12)));
  return CommandRecord(c);
}

CommandRecord RandomMarket::SetGuard(const ReferenceMarket& market) {
  wire::SetOrderGuard c;
  c.mutable_header() = From(Chance(90) ? Member(market) : Below(market.accounts().size() + 2));
  c.mutate_mode(static_cast<uint8_t>(Below(5)));
  if (Chance(60)) c.mutate_session(static_cast<uint32_t>(Below(3)));
  if (Chance(40)) c.mutate_deadline_us(Between(-1, 9));
  return CommandRecord(c);
}

CommandRecord RandomMarket::OpenInstrument(const ReferenceMarket& market) {
  wire::OpenInstrument c;
  c.mutable_header() = From(Chance(98) ? 0 : 1);
  c.mutate_class_id(static_cast<uint16_t>(Between(1, 2)));
  c.mutate_region_id(1);
  int64_t start = time_ / kMinute * kMinute + Between(-2, 6) * kMinute;
  for (const reference::Instrument& instrument : market.instruments()) {
    if (instrument.class_id == c.class_id() && Chance(90)) start = std::max(start, instrument.end);
  }
  if (Chance(2)) start += 1;
  c.mutate_window_start_us(start);
  c.mutate_window_minutes(static_cast<int32_t>(Between(2, 20)));
  c.mutate_notice_seconds(static_cast<int32_t>(Between(0, 3) * 30));
  c.mutate_gate_minutes(static_cast<int32_t>(Between(1, 4)));
  c.mutate_tick(kTick * Between(1, 2));
  c.mutate_band_low(c.tick() * Between(1, 10));
  c.mutate_band_high(huge_ ? kHugePrice : c.tick() * Between(24, 50));
  return CommandRecord(c);
}

CommandRecord RandomMarket::OpenAccountOrNode(const ReferenceMarket& market) {
  const uint64_t key = ++keys_ - (Chance(5) ? 1 : 0);
  if (market.accounts().size() < 2 + static_cast<size_t>(members_) || Chance(15)) {
    wire::OpenAccount c;
    c.mutable_header() = From(Chance(98) ? 0 : 3);
    reference::PutBytes(c.mutable_public_key(), Key(key));
    return CommandRecord(c);
  }
  if (Chance(20)) return RevokeKey(market);
  if (Chance(20)) {
    wire::AddKey c;
    c.mutable_header() = From(Member(market));
    reference::PutBytes(c.mutable_public_key(), Key(key));
    c.mutate_scopes(static_cast<uint32_t>(Below(9)));
    return CommandRecord(c);
  }
  wire::RegisterNode c;
  c.mutable_header() = From(Member(market));
  reference::PutBytes(c.mutable_device_key(), Key(key));
  c.mutate_gpus(static_cast<int32_t>(huge_ ? 100'000 : Between(1, 3 * gpus_max_)));
  // Most accounts get a node of each class.
  uint16_t class_id = static_cast<uint16_t>(Between(1, 2));
  for (const reference::Node& node : market.nodes()) {
    if (node.account == c.header().account_id()) class_id = node.class_id == 1 ? 2 : 1;
  }
  c.mutate_class_id(class_id);
  c.mutate_region_id(1);
  return CommandRecord(c);
}

// Most of the time a key that there is, of the account that holds it.
CommandRecord RandomMarket::RevokeKey(const ReferenceMarket& market) {
  wire::RevokeKey c;
  const uint64_t whose = Member(market);
  c.mutable_header() = From(whose);
  if (Chance(40)) c.mutable_header() = From(AccountOf(market, AccountKind::kOperator));
  if (c.header().account_id() != whose || Chance(20)) c.mutate_target_account_id(whose);
  if (Chance(4)) c.mutate_target_account_id(Below(market.accounts().size() + 2));
  reference::PutBytes(c.mutable_public_key(), Key(Below(keys_ + 2)));
  if (whose == 0 || whose > market.accounts().size() || Chance(10)) return CommandRecord(c);
  const auto& keys = market.accounts()[whose - 1].keys;
  reference::PutBytes(c.mutable_public_key(), Pick(keys)->bytes);
  return CommandRecord(c);
}

CommandRecord RandomMarket::Operate(const ReferenceMarket& market) {
  const uint64_t account = AccountOf(market, AccountKind::kOperator);
  const uint64_t dice = Below(100);
  const reference::Node* node = Pick(market.nodes());
  for (const reference::Node& other : market.nodes()) {
    if (!other.approved && Chance(50)) node = &other;
  }
  if (dice < 45 && node != nullptr) {
    wire::SetCapacity c;
    c.mutable_header() = From(account);
    c.mutate_node_id(Chance(98) ? node->id : Below(30));
    const bool whole = !node->approved || Chance(75);
    c.mutate_gpus(whole ? node->registered
                        : static_cast<int32_t>(Between(-1, node->registered + 1)));
    const bool stays = node->approved && Chance(70);
    c.mutate_assurance(static_cast<uint8_t>(stays ? node->assurance : Between(0, 2)));
    return CommandRecord(c);
  }
  if (dice < 75) {
    wire::SetBondedLimit c;
    c.mutable_header() = From(account);
    c.mutate_target_account_id(Member(market));
    c.mutate_limit(Chance(60) ? bond_ : Between(-1, bond_));
    if (huge_ && Chance(70)) c.mutate_limit(INT64_MAX);
    return CommandRecord(c);
  }
  if (dice < 80) {
    wire::VerifyOwner c;
    c.mutable_header() = From(account);
    c.mutate_owner_id(Below(static_cast<uint64_t>(members_) + 3));
    c.mutate_verified(Chance(97) ? static_cast<uint8_t>(Below(2)) : 2);
    return CommandRecord(c);
  }
  if (dice < 92) {
    wire::SetInstrumentHalt c;
    c.mutable_header() = From(account);
    const reference::Instrument* instrument = Pick(market.instruments());
    c.mutate_instrument_id(instrument == nullptr || Chance(5) ? static_cast<uint32_t>(Below(20))
                                                              : instrument->id);
    const bool halted = instrument != nullptr && instrument->state == InstrumentState::kHalted;
    c.mutate_halted(halted || Chance(30) ? 0 : 1);
    return CommandRecord(c);
  }
  wire::SetPrices c;
  c.mutable_header() = From(account);
  for (uint16_t i = 0; i < 5; ++i) {
    c.mutable_feeds()->Mutate(i,
                              wire::PriceFeed(Between(0, 300) * 10'000, time_ - Between(-20, 20)));
  }
  return CommandRecord(c);
}

CommandRecord RandomMarket::LeaseMessage(const ReferenceMarket& market) {
  const reference::Lease* lease = Pick(market.leases());
  for (const reference::Lease& other : market.leases()) {
    const bool useful = other.state == LeaseState::kActive
                            ? Chance(5)
                            : other.state == LeaseState::kReserved && other.start <= time_;
    if (useful && Chance(40)) lease = &other;
  }
  const uint64_t id = lease == nullptr || Chance(2) ? Below(400) : lease->id;
  const uint64_t provider = lease == nullptr || Chance(4) ? Member(market) : lease->provider;
  const uint64_t buyer = lease == nullptr || Chance(4) ? Member(market) : lease->buyer;
  const uint64_t dice = Below(100);
  if (dice < 45) {
    wire::StartLease c;
    c.mutable_header() = From(provider);
    c.mutate_lease_id(id);
    return CommandRecord(c);
  }
  if (dice < 80) {
    wire::HeartbeatLease c;
    c.mutable_header() = From(provider);
    c.mutate_lease_id(id);
    c.mutate_minute_us((time_ / kMinute - Between(0, 2)) * kMinute);
    if (Chance(15))
      c.mutate_minute_us((time_ / kMinute + Between(-8, 1)) * kMinute + Between(0, 1));
    return CommandRecord(c);
  }
  if (dice < 90) {
    wire::DisputeLease c;
    c.mutable_header() = From(buyer);
    c.mutate_lease_id(id);
    return CommandRecord(c);
  }
  wire::CompleteLease c;
  c.mutable_header() = From(buyer);
  c.mutate_lease_id(id);
  return CommandRecord(c);
}

template <typename Command>
CommandRecord RandomMarket::RequestTokens(const ReferenceMarket& market) {
  Command c;
  c.mutable_header() = From(AccountOf(market, AccountKind::kOperator));
  c.mutate_target_account_id(Member(market));
  c.mutate_amount_utok(Chance(95) ? Between(1, 1'000'000) : Between(-1, 0));
  reference::PutBytes(c.mutable_reference(), ClientId());
  return CommandRecord(c);
}

CommandRecord RandomMarket::Request(const ReferenceMarket& market) {
  if (Chance(15)) return RequestTokens<wire::RequestDeposit>(market);
  if (Chance(15)) return RequestTokens<wire::RequestWithdrawal>(market);
  wire::RequestTopUp c;
  c.mutable_header() = From(Member(market));
  c.mutate_burn_utok(Chance(97) ? Between(1, 1'000'000) : Between(-1, 0));
  return CommandRecord(c);
}

}  // namespace warpbook::engine
