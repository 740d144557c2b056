// What operators and settlement decide at random: on requests, leases, days and owners.
#include "tests/engine/core/random_market.h"

namespace warpbook::engine {

using reference::ReferenceMarket;
using wire::CommandRecord;

CommandRecord RandomMarket::Judge(const ReferenceMarket& market, const reference::Lease& lease) {
  wire::JudgeLease c;
  c.mutable_header() = From(AccountOf(market, AccountKind::kOperator));
  c.mutate_lease_id(Chance(98) ? lease.id : Below(400));
  c.mutate_verdict(static_cast<uint8_t>(Chance(95) ? Between(1, 2) : Between(0, 3)));
  const bool full = c.verdict() == 2 && !Chance(5);
  c.mutate_share(static_cast<int32_t>(full ? 10'000 : Between(-1, 10'001)));
  const int64_t length = Chance(95) ? Between(1, 64) : 0;
  for (int64_t i = 0; i < length; ++i) {
    const bool odd = Chance(1);
    c.mutable_reason()->Mutate(static_cast<uint16_t>(i),
                               static_cast<uint8_t>(odd ? Between(0x1e, 0x7f) : 'a' + i % 26));
  }
  return CommandRecord(c);
}

CommandRecord RandomMarket::Probe(const ReferenceMarket& market) {
  const reference::Node& node = *Pick(market.nodes());
  const uint64_t exchange = Chance(97) ? 0 : Member(market);
  if (Chance(15)) {
    wire::CallProbe c;
    c.mutable_header() = From(exchange);
    c.mutate_node_id(Chance(95) ? node.id : Below(30));
    c.mutate_due_us(time_ + Between(-1, 600) * 1'000'000);
    return CommandRecord(c);
  }
  if (node.probe == 0 ? Chance(80) : Chance(10)) {
    wire::BeginProbe c;
    c.mutable_header() = From(Chance(95) ? node.account : Member(market));
    c.mutate_node_id(Chance(97) ? node.id : Below(30));
    if (Chance(97)) c.mutable_nonce()->Mutate(0, 7);
    c.mutate_expires_us(time_ + Between(-1, 60) * 1'000'000);
    return CommandRecord(c);
  }
  wire::DecideProbe c;
  c.mutable_header() = From(exchange);
  c.mutate_node_id(Chance(97) ? node.id : Below(30));
  const bool of_time = Chance(25);
  c.mutate_probe_id(of_time ? 0 : Chance(95) ? node.probe : Below(5'000));
  if (of_time) {
    c.mutate_reason(Chance(50) ? 20 : Chance(90) ? 1 : static_cast<uint8_t>(Below(27)));
  } else if (Chance(30)) {
    c.mutate_reason(static_cast<uint8_t>(Below(27)));
  }
  if (c.reason() == 0 || Chance(3)) {
    c.mutate_gpus(Chance(80) ? node.registered
                             : static_cast<int32_t>(Between(0, node.registered + 1)));
    c.mutate_share(static_cast<int32_t>(Chance(95) ? 10'000 : Between(-1, 10'001)));
    c.mutate_valid_until_us(time_ + Between(Chance(5) ? -1 : 1, 600) * 1'000'000);
    c.mutate_answers_call(static_cast<uint8_t>(Chance(97) ? Below(2) : 2));
  }
  if (Chance(10)) c.mutate_flags(static_cast<uint32_t>(Below(40)));
  c.mutate_int8_ops_per_s(Between(Chance(2) ? -1 : 0, 1'000));
  c.mutate_memory_bytes(Between(0, 1'000));
  return CommandRecord(c);
}

CommandRecord RandomMarket::PayDeferred(const ReferenceMarket& market) {
  wire::PayDeferred c;
  const reference::Debt& debt = *Pick(market.debts());
  c.mutable_header() = From(AccountOf(market, AccountKind::kSettlement));
  c.mutate_number(market.settlement_number() + (Chance(4) ? Below(3) : 1));
  c.mutate_lease_id(Chance(98) ? debt.lease : Below(400));
  c.mutate_consumed(Chance(40) ? debt.left : Between(0, debt.left + 1));
  c.mutate_gross_utok(Between(0, 1'000'000));
  c.mutate_provider_utok(Between(0, 1'000'000));
  c.mutate_emitted_utok(Chance(90) ? Between(0, c.provider_utok()) : Between(-1, 1'000'000));
  return CommandRecord(c);
}

// Decisions on days and owners.
CommandRecord RandomMarket::Close(const ReferenceMarket& market) {
  const wire::CommandHeader header = From(AccountOf(market, AccountKind::kSettlement));
  const uint64_t number = market.settlement_number() + (Chance(4) ? Below(3) : 1);
  const auto day = static_cast<int32_t>(Chance(95) ? Between(0, 40'000) : -1);
  if (Chance(40)) {
    wire::CloseEpoch c;
    c.mutable_header() = header;
    c.mutate_number(number);
    c.mutate_day(day);
    c.mutate_budget_utok(Between(0, 1'000));
    c.mutate_emitted_utok(Between(0, 500));
    c.mutate_bonus_utok(Between(-1, 500));
    c.mutate_gross_utok(Between(0, 500));
    c.mutate_retire_utok(Between(0, 500));
    return CommandRecord(c);
  }
  if (Chance(50)) {
    wire::PayBonus c;
    c.mutable_header() = header;
    c.mutate_number(number);
    c.mutate_day(day);
    c.mutate_account_id(Chance(90) ? Member(market) : Below(market.accounts().size() + 2));
    c.mutate_gross_utok(Between(0, 1'000));
    c.mutate_bonus_utok(Between(-1, 1'000));
    return CommandRecord(c);
  }
  wire::MarkOwner c;
  c.mutable_header() = header;
  c.mutate_number(number);
  c.mutate_owner_id(Below(market.accounts().size() + 1));
  c.mutate_large(static_cast<uint8_t>(Chance(97) ? (Chance(25) ? 1 : 0) : 2));
  return CommandRecord(c);
}

CommandRecord RandomMarket::Decide(const ReferenceMarket& market) {
  const uint64_t account = AccountOf(market, AccountKind::kSettlement);
  const reference::Request* request = Pick(market.requests());
  const uint64_t sequence =
      request == nullptr || Chance(3) ? Below(market.sequence() + 2) : request->sequence;
  const uint64_t number = market.settlement_number() + (Chance(4) ? Below(3) : 1);
  const bool top_up = request != nullptr && request->kind == RequestKind::kTopUp;
  if (Chance(10)) {
    wire::RefuseRequest c;
    c.mutable_header() = From(account);
    c.mutate_number(number);
    c.mutate_request_sequence(sequence);
    c.mutate_reason(static_cast<uint16_t>(Between(3101, 3105)));
    return CommandRecord(c);
  }
  if (top_up != Chance(4)) {
    wire::PostTopUp c;
    c.mutable_header() = From(account);
    c.mutate_number(number);
    c.mutate_request_sequence(sequence);
    c.mutate_credits(Between(0, 60) * 1'000'000);
    if (huge_ && Chance(50)) c.mutate_credits(INT64_MAX / Between(1, 8));
    return CommandRecord(c);
  }
  const auto post = [&](auto c) {
    c.mutable_header() = From(account);
    c.mutate_number(number);
    c.mutate_request_sequence(sequence);
    return CommandRecord(c);
  };
  const bool withdrawal = request != nullptr && request->kind == RequestKind::kWithdrawal;
  return withdrawal != Chance(4) ? post(wire::PostWithdrawal()) : post(wire::PostDeposit());
}

CommandRecord RandomMarket::Settle(const ReferenceMarket& market, const reference::Lease& lease) {
  wire::SettleLease c;
  c.mutable_header() = From(AccountOf(market, AccountKind::kSettlement));
  c.mutate_number(market.settlement_number() + (Chance(4) ? Below(3) : 1));
  c.mutate_lease_id(Chance(98) ? lease.id : Below(400));
  const bool failed = lease.state == LeaseState::kFailed;
  const int64_t full = int64_t{lease.gpus} * lease.minutes * 10'000;
  const int64_t judged = full / 10'000 * lease.share;
  const int64_t weight = failed ? 0 : Chance(50) ? judged : Between(0, Chance(95) ? judged : full);
  const int64_t earned = reference::Earned(lease.first_price, weight);
  const int64_t owed = Chance(20) ? Between(0, earned) : 0;
  const int64_t burned = failed ? 0 : Between(0, lease.surcharge);
  c.mutate_verified_weight(weight);
  c.mutate_owed(owed);
  c.mutate_consumed(earned - owed);
  c.mutate_burned(burned);
  c.mutate_delivered_minutes(failed ? 0 : static_cast<int32_t>(Between(0, lease.minutes)));
  c.mutate_gross_utok(Between(0, 1'000'000));
  c.mutate_provider_utok(Between(0, 1'000'000));
  c.mutate_emitted_utok(Chance(95) ? Between(0, c.provider_utok()) : Between(-1, 1'000'000));
  if (lease.state == LeaseState::kDisputed) {
    const auto verdict = static_cast<int64_t>(lease.verdict);
    c.mutate_verdict(static_cast<uint8_t>(verdict != 0 ? verdict : Between(1, 2)));
  }
  if (Chance(4)) c.mutate_verdict(static_cast<uint8_t>(Below(4)));
  if (Chance(4)) c.mutate_burned(c.burned() + Between(-2, 2));
  if (Chance(2)) c.mutate_consumed(c.consumed() + 1);
  return CommandRecord(c);
}

}  // namespace warpbook::engine
