#include "tests/settlement/support/test_market.h"

#include <algorithm>
#include <cstring>

#include "schema/base/check.h"

namespace warpbook::test {
namespace {

PublicKey KeyOfNumber(uint64_t number) {
  PublicKey key{};
  std::memcpy(key.data(), &number, sizeof number);
  return key;
}

constexpr uint64_t kOperatorKey = 0xffff'0001;
constexpr uint64_t kSettlementKey = 0xffff'0002;

template <typename Command>
void SetKey(Command& command, const PublicKey& key) {
  for (uint16_t i = 0; i < key.size(); ++i) command.mutable_public_key()->Mutate(i, key[i]);
}

template <typename Command>
void FillPayment(const settlement::Decision& decision, Command& command) {
  const settlement::Settlement& figures = decision.settlement;
  command.mutate_number(decision.number);
  command.mutate_lease_id(decision.lease.value());
  command.mutate_consumed(figures.consumed.value());
  command.mutate_gross_utok(figures.gross.value());
  command.mutate_provider_utok(figures.provider.value());
  command.mutate_fee_utok(figures.fee.value());
  command.mutate_retire_utok(figures.retire.value());
  command.mutate_emitted_utok(figures.emitted.value());
}

wire::CommandRecord RecordOf(const settlement::Decision& decision) {
  using settlement::DecisionKind;
  switch (decision.kind) {
    case DecisionKind::kPostDeposit: {
      wire::PostDeposit command;
      command.mutate_number(decision.number);
      command.mutate_request_sequence(decision.request.value());
      return wire::CommandRecord(command);
    }
    case DecisionKind::kPostWithdrawal: {
      wire::PostWithdrawal command;
      command.mutate_number(decision.number);
      command.mutate_request_sequence(decision.request.value());
      return wire::CommandRecord(command);
    }
    case DecisionKind::kPostTopUp: {
      wire::PostTopUp command;
      command.mutate_number(decision.number);
      command.mutate_request_sequence(decision.request.value());
      command.mutate_credits(decision.credits.value());
      return wire::CommandRecord(command);
    }
    case DecisionKind::kRefuseRequest: {
      wire::RefuseRequest command;
      command.mutate_number(decision.number);
      command.mutate_request_sequence(decision.request.value());
      command.mutate_reason(static_cast<uint16_t>(decision.reason));
      return wire::CommandRecord(command);
    }
    case DecisionKind::kSettleLease: {
      wire::SettleLease command;
      FillPayment(decision, command);
      command.mutate_verified_weight(decision.weight);
      command.mutate_burned(decision.settlement.burned.value());
      command.mutate_owed(decision.settlement.owed.value());
      command.mutate_delivered_minutes(decision.delivered.value());
      command.mutate_verdict(static_cast<uint8_t>(decision.verdict));
      return wire::CommandRecord(command);
    }
    case DecisionKind::kPayDeferred: {
      wire::PayDeferred command;
      FillPayment(decision, command);
      return wire::CommandRecord(command);
    }
    case DecisionKind::kCloseEpoch: {
      wire::CloseEpoch command;
      command.mutate_number(decision.number);
      command.mutate_day(decision.epoch.day);
      command.mutate_budget_utok(decision.epoch.budget.value());
      command.mutate_emitted_utok(decision.epoch.emitted.value());
      command.mutate_bonus_utok(decision.epoch.bonus.value());
      command.mutate_gross_utok(decision.epoch.gross.value());
      command.mutate_retire_utok(decision.epoch.retire.value());
      return wire::CommandRecord(command);
    }
    case DecisionKind::kPayBonus: {
      wire::PayBonus command;
      command.mutate_number(decision.number);
      command.mutate_day(decision.epoch.day);
      command.mutate_account_id(decision.account.value());
      command.mutate_gross_utok(decision.epoch.gross.value());
      command.mutate_bonus_utok(decision.epoch.bonus.value());
      return wire::CommandRecord(command);
    }
    case DecisionKind::kMarkOwner: {
      wire::MarkOwner command;
      command.mutate_number(decision.number);
      command.mutate_owner_id(decision.owner.value());
      command.mutate_large(decision.large ? 1 : 0);
      return wire::CommandRecord(command);
    }
  }
  WARPBOOK_CHECK(false);
}

}  // namespace

PublicKey SettlementKey() { return KeyOfNumber(kSettlementKey); }

TestMarket::TestMarket(uint64_t seed) : random_(seed) {
  const auto open = [this](uint64_t key, AccountKind kind) {
    wire::RegisterSystemKey command;
    SetKey(command, KeyOfNumber(key));
    command.mutate_kind(static_cast<uint8_t>(kind));
    WARPBOOK_CHECK(Submit(command, AccountId()) == RejectReason::kNone);
    return AccountId(made_id_);
  };
  operator_ = open(kOperatorKey, AccountKind::kOperator);
  settlement_ = open(kSettlementKey, AccountKind::kSettlement);
  Seal();
}

RejectReason TestMarket::Apply(wire::CommandRecord command) {
  command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
  command.mutable_header().mutate_time_us(now_.micros());
  command.mutable_header().mutate_tag(1);
  if (batch_.command_count == 0) batch_.first_sequence = command.view().command_header().sequence();
  wire::RecordWriter record;
  record.Append(command.view(), batch_.command_count);
  batch_.records.insert(batch_.records.end(), record.bytes().begin(), record.bytes().end());
  events_.Clear();
  engine_.Apply(command.view(), batch_.command_count, events_);
  batch_.records.insert(batch_.records.end(), events_.bytes().begin(), events_.bytes().end());
  ++batch_.command_count;

  made_id_ = 0;
  for (const wire::RecordView event : wire::Records(events_.bytes())) {
    switch (event.type()) {
      case wire::RecordType::kCommandRejected:
        return static_cast<RejectReason>(event.as<wire::CommandRejected>().reason());
      case wire::RecordType::kCommandAccepted:
        made_id_ = event.as<wire::CommandAccepted>().result_id();
        break;
      case wire::RecordType::kAccountOpened:
        made_id_ = event.event_header().account_id();
        owners_[AccountId(made_id_)] = OwnerId(event.as<wire::AccountOpened>().owner_id());
        break;
      case wire::RecordType::kNodeRegistered:
        made_id_ = event.as<wire::NodeRegistered>().node_id();
        break;
      case wire::RecordType::kTradeExecuted: {
        const auto& trade = event.as<wire::TradeExecuted>();
        new_leases_.push_back({LeaseId(trade.lease_id()), InstrumentId(trade.instrument_id()),
                               AccountId(trade.buyer_account_id()),
                               AccountId(trade.provider_account_id()),
                               Timestamp(trade.delivery_start_us()),
                               Timestamp(trade.delivery_end_us()), Quantity(trade.gpus())});
        break;
      }
      default:
        break;
    }
  }
  return RejectReason::kNone;
}

RejectReason TestMarket::Submit(const settlement::Decision& decision) {
  wire::CommandRecord record = RecordOf(decision);
  record.mutable_header().mutate_account_id(settlement_.value());
  return Apply(record);
}

void TestMarket::Seal() {
  if (batch_.command_count == 0) return;
  journal_.Append(std::exchange(batch_, MemoryBatch()));
}

AccountId TestMarket::OpenUnverifiedMember() {
  wire::OpenAccount command;
  SetKey(command, KeyOfNumber(++keys_));
  WARPBOOK_CHECK(Submit(command, AccountId()) == RejectReason::kNone);
  return AccountId(made_id_);
}

AccountId TestMarket::OpenMember() {
  const AccountId account = OpenUnverifiedMember();
  VerifyOwner(account);
  return account;
}

void TestMarket::VerifyOwner(AccountId member) {
  wire::VerifyOwner command;
  command.mutate_owner_id(owners_.at(member).value());
  command.mutate_verified(1);
  WARPBOOK_CHECK(Submit(command, operator_) == RejectReason::kNone);
}

template <typename Command>
Sequence TestMarket::RequestTokens(AccountId member, Tokens amount, std::string reference) {
  if (reference.empty()) reference = "reference-" + std::to_string(++references_);
  Command command;
  command.mutate_target_account_id(member.value());
  command.mutate_amount_utok(amount.value());
  for (uint16_t i = 0; i < reference.size(); ++i) {
    command.mutable_reference()->Mutate(i, static_cast<uint8_t>(reference[i]));
  }
  WARPBOOK_CHECK(Submit(command, operator_) == RejectReason::kNone);
  return engine_.last_sequence();
}

Sequence TestMarket::RequestDeposit(AccountId member, Tokens amount, std::string reference) {
  return RequestTokens<wire::RequestDeposit>(member, amount, std::move(reference));
}

Sequence TestMarket::RequestWithdrawal(AccountId member, Tokens amount, std::string reference) {
  return RequestTokens<wire::RequestWithdrawal>(member, amount, std::move(reference));
}

Sequence TestMarket::RequestTopUp(AccountId member, Tokens burn) {
  wire::RequestTopUp command;
  command.mutate_burn_utok(burn.value());
  WARPBOOK_CHECK(Submit(command, member) == RejectReason::kNone);
  return engine_.last_sequence();
}

void TestMarket::SetPrice(TokenPrice price) {
  const int64_t p = price.value();
  SetFeeds({p, p, p, p, p});
}

void TestMarket::SetFeeds(const std::array<int64_t, 5>& prices) {
  wire::SetPrices command;
  for (uint16_t i = 0; i < prices.size(); ++i) {
    command.mutable_feeds()->Mutate(i, wire::PriceFeed(prices[i], now_.micros()));
  }
  WARPBOOK_CHECK(Submit(command, operator_) == RejectReason::kNone);
}

NodeId TestMarket::GiveNode(AccountId member, ClassId hardware_class) {
  wire::RegisterNode command;
  const PublicKey device = KeyOfNumber(0xdddd'0000 + ++keys_);
  for (uint16_t i = 0; i < device.size(); ++i) {
    command.mutable_device_key()->Mutate(i, device[i]);
  }
  command.mutate_gpus(100);
  command.mutate_class_id(hardware_class.value());
  command.mutate_region_id(1);
  WARPBOOK_CHECK(Submit(command, member) == RejectReason::kNone);
  const NodeId node(made_id_);
  wire::SetCapacity capacity;
  capacity.mutate_node_id(node.value());
  capacity.mutate_gpus(100);
  capacity.mutate_assurance(static_cast<uint8_t>(Assurance::kVerified));
  WARPBOOK_CHECK(Submit(capacity, operator_) == RejectReason::kNone);
  wire::SetBondedLimit limit;
  limit.mutate_target_account_id(member.value());
  limit.mutate_limit(1'000'000'000'000'000);
  WARPBOOK_CHECK(Submit(limit, operator_) == RejectReason::kNone);
  return node;
}

InstrumentId TestMarket::OpenWindow(Timestamp start, ClassId hardware_class) {
  wire::OpenInstrument command;
  command.mutate_window_start_us(start.micros());
  command.mutate_tick(10'000);
  command.mutate_band_low(10'000);
  command.mutate_band_high(10'000'000);
  command.mutate_window_minutes(60);
  command.mutate_notice_seconds(120);
  command.mutate_gate_minutes(3);
  command.mutate_class_id(hardware_class.value());
  command.mutate_region_id(1);
  WARPBOOK_CHECK(Submit(command, AccountId()) == RejectReason::kNone);
  return InstrumentId(static_cast<uint32_t>(made_id_));
}

void TestMarket::CloseWindow(InstrumentId instrument) {
  wire::CloseInstrument command;
  command.mutate_instrument_id(instrument.value());
  WARPBOOK_CHECK(Submit(command, AccountId()) == RejectReason::kNone);
}

LeaseId TestMarket::Trade(InstrumentId instrument, AccountId buyer, AccountId provider, NodeId node,
                          Price price, Quantity gpus, Tier tier) {
  wire::PlaceOrder ask;
  ask.mutate_price(price.value());
  ask.mutate_node_id(node.value());
  ask.mutate_instrument_id(instrument.value());
  ask.mutate_gpus(gpus.value());
  return TradeWith(ask, provider, buyer, tier);
}

LeaseId TestMarket::Resell(InstrumentId instrument, AccountId buyer, AccountId trader,
                           LeaseId lease, Price price, Quantity gpus, Tier tier) {
  wire::PlaceOrder ask;
  ask.mutate_price(price.value());
  ask.mutate_lease_id(lease.value());
  ask.mutate_instrument_id(instrument.value());
  ask.mutate_gpus(gpus.value());
  return TradeWith(ask, trader, buyer, tier);
}

LeaseId TestMarket::TradeWith(const wire::PlaceOrder& terms, AccountId seller, AccountId buyer,
                              Tier tier) {
  wire::PlaceOrder ask = terms;
  ask.mutate_side(static_cast<uint8_t>(Side::kSell));
  ask.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  WARPBOOK_CHECK(Submit(ask, seller) == RejectReason::kNone);
  wire::PlaceOrder bid;
  bid.mutate_price(ask.price());
  bid.mutate_instrument_id(ask.instrument_id());
  bid.mutate_gpus(ask.gpus());
  bid.mutate_side(static_cast<uint8_t>(Side::kBuy));
  bid.mutate_tier(static_cast<uint8_t>(tier));
  bid.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  new_leases_.clear();
  WARPBOOK_CHECK(Submit(bid, buyer) == RejectReason::kNone);
  WARPBOOK_CHECK(new_leases_.size() == 1);
  return new_leases_.front().id;
}

void TestMarket::Tick(uint8_t checkpoint) {
  wire::Tick command;
  command.mutate_checkpoint(checkpoint);
  WARPBOOK_CHECK(Submit(command, AccountId()) == RejectReason::kNone);
}

int64_t TestMarket::Random(int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random_() % static_cast<uint64_t>(high - low + 1));
}

void TestMarket::TradeAtRandom(InstrumentId instrument) {
  const Member& member = members_[static_cast<size_t>(Random(0, std::ssize(members_) - 1))];
  wire::PlaceOrder order;
  const bool sell = Random(0, 1) == 0;
  order.mutate_price(Random(150, 300) * 10'000);
  order.mutate_instrument_id(instrument.value());
  order.mutate_gpus(static_cast<int32_t>(Random(1, 24)));
  order.mutate_side(static_cast<uint8_t>(sell ? Side::kSell : Side::kBuy));
  order.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  if (sell) {
    order.mutate_node_id(member.node.value());
  } else {
    order.mutate_tier(static_cast<uint8_t>(Random(0, 2)));
  }
  Submit(order, member.account);  // refused where money or capacity are short
  TakeNewLeases();
}

void TestMarket::ResellAtRandom(InstrumentId instrument) {
  std::vector<OpenLease> resalable;
  for (const OpenLease& lease : leases_) {
    if (lease.instrument == instrument) resalable.push_back(lease);
  }
  if (resalable.empty()) return;
  const OpenLease& lease = resalable[static_cast<size_t>(Random(0, std::ssize(resalable) - 1))];
  wire::PlaceOrder ask;
  ask.mutate_price(Random(140, 310) * 10'000);
  ask.mutate_instrument_id(instrument.value());
  ask.mutate_gpus(static_cast<int32_t>(Random(1, lease.gpus.value())));
  ask.mutate_side(static_cast<uint8_t>(Side::kSell));
  ask.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  ask.mutate_lease_id(lease.id.value());
  Submit(ask, lease.buyer);  // refused where it was resold or is offered already
  wire::PlaceOrder bid;
  bid.mutate_price(ask.price());
  bid.mutate_instrument_id(instrument.value());
  bid.mutate_gpus(ask.gpus());
  bid.mutate_tier(static_cast<uint8_t>(Random(0, 2)));
  bid.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  Submit(bid, members_[static_cast<size_t>(Random(0, std::ssize(members_) - 1))].account);
  TakeNewLeases();
}

void TestMarket::TakeNewLeases() {
  for (OpenLease& lease : new_leases_) {
    // Most deliver well, some badly, some never.
    const int64_t kind = Random(0, 9);
    lease.reliability = kind == 0 ? 0 : kind <= 3 ? static_cast<int>(Random(1, 99)) : 100;
    leases_.push_back(lease);
  }
  new_leases_.clear();
}

void TestMarket::DeliverMinute() {
  for (OpenLease& lease : leases_) {
    if (lease.reliability == 0 || now_ < lease.start || now_ >= lease.end) continue;
    if (!lease.started) {
      if (Random(0, 99) >= lease.reliability) continue;  // late
      wire::StartLease start;
      start.mutate_lease_id(lease.id.value());
      lease.started = Submit(start, lease.provider) == RejectReason::kNone;
      if (!lease.started) lease.reliability = 0;  // too late: a no-show
    }
    if (lease.started && Random(0, 99) < lease.reliability) {
      wire::HeartbeatLease heartbeat;
      heartbeat.mutate_lease_id(lease.id.value());
      heartbeat.mutate_minute_us(now_.micros());
      WARPBOOK_CHECK(Submit(heartbeat, lease.provider) == RejectReason::kNone);
    }
  }
}

void TestMarket::RunHour() {
  for (int64_t i = Random(0, 3); i >= 0 && members_.size() < 40; --i) {
    const AccountId account = OpenMember();
    members_.push_back({account, GiveNode(account)});
    RequestDeposit(account, Tokens(Random(1, 5'000'000'000)));
  }
  // Now and then the price falls so far that what was burned cannot pay for what was bought.
  if (Random(0, 7) == 0) price_ /= 4;
  // Each window opens an hour and a quarter ahead: there is time to settle between two.
  AdvanceTo(next_start_);
  const InstrumentId window = next_window_ ? next_window_ : OpenWindow(now_);
  next_start_ = now_.PlusMinutes(75);
  next_window_ = OpenWindow(next_start_);
  for (int minute = 0; minute < 60; ++minute) {
    if (minute % 5 == 0) {
      price_ += price_ / 1'000 * trend_per_mille_ + Random(-20'000, 20'000);
      price_ = std::clamp<int64_t>(price_, 50'000, 8'000'000);
      // Now and then too few feeds agree.
      if (Random(0, 15) == 0) {
        SetFeeds({price_, price_ * 2, price_ * 3, price_ * 4, price_ * 5});
      } else {
        SetFeeds({price_, price_ + Random(-9'000, 9'000), price_ + Random(-9'000, 9'000),
                  price_ * Random(1, 2), price_});
      }
    }
    if (Random(0, 2) == 0) {
      const Member& member = members_[static_cast<size_t>(Random(0, std::ssize(members_) - 1))];
      RequestTopUp(member.account, Tokens(Random(1, 15'000'000)));
    }
    if (minute % 20 == 7) {
      const Member& member = members_[static_cast<size_t>(minute / 20) % members_.size()];
      RequestWithdrawal(member.account, Tokens(3'000'000));
    }
    if (minute < 50) {
      for (int64_t i = Random(0, 9); i > 0; --i) {
        TradeAtRandom(Random(0, 2) == 0 ? next_window_ : window);
      }
      if (Random(0, 3) == 0) ResellAtRandom(next_window_);
    }
    DeliverMinute();
    if (minute % 10 == 9) Tick(1);
    if (Random(0, 1) == 0) Seal();
    Advance(60);
  }
  CloseWindow(window);
  for (const OpenLease& lease : leases_) {
    if (lease.instrument != window || !lease.started || Random(0, 2) > 0) continue;
    wire::CompleteLease complete;
    complete.mutate_lease_id(lease.id.value());
    Submit(complete, lease.buyer);
  }
  std::erase_if(leases_, [&](const OpenLease& lease) { return lease.instrument == window; });
  Seal();
}

void TestMarket::EndLastWindow() {
  AdvanceTo(next_start_.PlusMinutes(60));
  CloseWindow(std::exchange(next_window_, InstrumentId()));
  leases_.clear();
  Seal();
}

}  // namespace warpbook::test
