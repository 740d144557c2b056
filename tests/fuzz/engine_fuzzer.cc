// Whatever commands come, in whatever order, the engine refuses or applies each, fails no CHECK and
// keeps its invariants; and it does the same again.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <vector>

#include "engine/core/engine.h"
#include "schema/base/check.h"
#include "schema/types/arithmetic.h"
#include "schema/types/enums.h"
#include "schema/wire/record.h"

namespace {

using namespace warpbook;
using namespace warpbook::wire;

constexpr int64_t kStart = 1'800'000'000 * kMicrosPerSecond;  // a whole hour
constexpr int64_t kTick = 20'000;
constexpr uint64_t kOperator = 1, kSettlement = 2, kFirstMember = 3, kMembers = 3;
constexpr size_t kCommandsMax = 400;

// As its trade made it.
struct TradedLease {
  int64_t price = 0, provider_price = 0, escrow = 0;
  int32_t gpus = 0, minutes = 0;
};

// An engine with what every market has, so that bytes reach the interesting states: an operator,
// settlement, members with credits and nodes, two windows.
class Market {
 public:
  void Prepare() {
    for (const AccountKind kind : {AccountKind::kOperator, AccountKind::kSettlement}) {
      RegisterSystemKey key;
      key.mutate_kind(static_cast<uint8_t>(kind));
      key.mutable_public_key()->Mutate(0, static_cast<uint8_t>(kind));
      Apply(key, 0);
    }
    for (int64_t window = 0; window < 2; ++window) {
      OpenInstrument open;
      open.mutate_window_start_us(kStart + window * kMicrosPerHour);
      open.mutate_tick(kTick);
      open.mutate_band_low(kTick);
      open.mutate_band_high(kTick * 500);
      open.mutate_window_minutes(60);
      open.mutate_notice_seconds(120);
      open.mutate_gate_minutes(3);
      open.mutate_class_id(9);
      open.mutate_region_id(1);
      Apply(open, 0);
    }
    for (uint64_t member = kFirstMember; member < kFirstMember + kMembers; ++member) {
      AddMember(member);
    }
  }

  template <typename T>
  void Apply(T command, uint64_t account) {
    ++tag_;
    command.mutable_header().mutate_account_id(account);
    command.mutable_header().mutate_tag(tag_);
    command.mutable_header().mutate_sequence(engine_.last_sequence().value() + 1);
    command.mutable_header().mutate_time_us(time_us_);
    events_.Clear();
    const CommandRecord record(command);
    engine_.Apply(record.view(), 7, events_);
    CheckEvents();
  }

  void Advance(int64_t micros) { time_us_ += micros; }
  // Zeros for a lease that there is not.
  TradedLease Lease(uint64_t id) const {
    const auto at = leases_.find(id);
    return at == leases_.end() ? TradedLease() : at->second;
  }
  uint64_t NextDecision() { return engine_.settlement_number() + 1; }
  const engine::Engine& engine() const { return engine_; }

 private:
  void AddMember(uint64_t member) {
    OpenAccount open;
    open.mutable_public_key()->Mutate(0, static_cast<uint8_t>(100 + member));
    Apply(open, 0);
    RequestTopUp request;
    request.mutate_burn_utok(1'000'000);
    Apply(request, member);
    PostTopUp post;
    post.mutate_number(NextDecision());
    post.mutate_request_sequence(engine_.last_sequence().value());
    post.mutate_credits(100'000'000'000);
    Apply(post, kSettlement);
    RegisterNode node;
    node.mutable_device_key()->Mutate(0, static_cast<uint8_t>(200 + member));
    node.mutate_gpus(8);
    node.mutate_class_id(9);
    node.mutate_region_id(1);
    Apply(node, member);
    SetCapacity capacity;
    capacity.mutate_node_id(member - kFirstMember + 1);
    capacity.mutate_gpus(8);
    Apply(capacity, kOperator);
    SetBondedLimit limit;
    limit.mutate_target_account_id(member);
    limit.mutate_limit(50'000'000'000);
    Apply(limit, kOperator);
  }

  // The events are whole records of the command, and none of them is a command.
  void CheckEvents() {
    RecordFault fault{};
    WARPBOOK_CHECK(ValidateRecords(events_.bytes(), &fault));
    for (const RecordView record : Records(events_.bytes())) {
      WARPBOOK_CHECK(!IsCommand(record.type()) && record.command_index() == 7);
      if (record.type() != RecordType::kTradeExecuted) continue;
      const auto& trade = record.as<TradeExecuted>();
      leases_[trade.lease_id()] = {trade.price(), trade.provider_price(),
                                   trade.notional() + trade.surcharge(), trade.gpus(),
                                   trade.minutes()};
    }
  }

  engine::Engine engine_;
  RecordWriter events_;
  std::map<uint64_t, TradedLease> leases_;
  int64_t time_us_ = kStart;
  uint64_t tag_ = 0;
};

// An order such as members send, its edges included.
PlaceOrder Order(FuzzedDataProvider& bytes) {
  PlaceOrder order;
  order.mutate_instrument_id(bytes.ConsumeIntegralInRange<uint32_t>(0, 3));
  order.mutate_side(bytes.ConsumeIntegralInRange<uint8_t>(0, 1));
  order.mutate_price(bytes.ConsumeIntegralInRange<int64_t>(0, 12) * kTick);
  order.mutate_gpus(bytes.ConsumeIntegralInRange<int32_t>(0, 10));
  order.mutate_min_fill(bytes.ConsumeIntegralInRange<int32_t>(0, 4));
  order.mutate_type(bytes.ConsumeIntegralInRange<uint8_t>(0, 1));
  order.mutate_time_in_force(bytes.ConsumeIntegralInRange<uint8_t>(0, 4));
  order.mutate_self_trade_prevention(bytes.ConsumeIntegralInRange<uint8_t>(0, 4));
  order.mutate_post_only(bytes.ConsumeIntegralInRange<uint8_t>(0, 1));
  if (order.side() == static_cast<uint8_t>(Side::kSell)) {
    if (bytes.ConsumeBool()) {
      order.mutate_node_id(bytes.ConsumeIntegralInRange<uint64_t>(0, kMembers));
    } else {
      order.mutate_lease_id(bytes.ConsumeIntegralInRange<uint64_t>(0, 8));
    }
    order.mutate_min_assurance(static_cast<uint8_t>(Assurance::kListed));
  } else {
    order.mutate_tier(bytes.ConsumeIntegralInRange<uint8_t>(0, 3));
    order.mutate_min_assurance(bytes.ConsumeIntegralInRange<uint8_t>(0, 2));
  }
  if (bytes.ConsumeBool()) {
    order.mutable_client_order_id()->Mutate(0, bytes.ConsumeIntegralInRange<uint8_t>('a', 'd'));
  }
  return order;
}

// Any bytes at all in place of everything behind the header.
template <typename T>
T Arbitrary(FuzzedDataProvider& bytes) {
  T command;
  std::vector<uint8_t> body = bytes.ConsumeBytes<uint8_t>(sizeof(T) - sizeof(CommandHeader));
  if (!body.empty()) {
    std::memcpy(reinterpret_cast<uint8_t*>(&command) + sizeof(CommandHeader), body.data(),
                body.size());
  }
  return command;
}

void ApplyArbitrary(FuzzedDataProvider& bytes, uint64_t account, Market& market) {
  const auto type = bytes.ConsumeIntegralInRange<uint16_t>(0, 127);
#define WARPBOOK_X(name, number) \
  if (type == number) return market.Apply(Arbitrary<name>(bytes), account);
  WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
}

void ApplyPlausible(FuzzedDataProvider& bytes, uint64_t account, Market& market) {
  const auto id = bytes.ConsumeIntegralInRange<uint64_t>(0, 20);
  switch (bytes.ConsumeIntegralInRange<int>(0, 14)) {
    case 0: {
      AmendOrder amend;
      amend.mutate_order_id(id);
      amend.mutate_price(bytes.ConsumeIntegralInRange<int64_t>(0, 12) * kTick);
      amend.mutate_gpus(bytes.ConsumeIntegralInRange<int32_t>(0, 10));
      return market.Apply(amend, account);
    }
    case 1: {
      CancelOrder cancel;
      cancel.mutate_order_id(id);
      return market.Apply(cancel, account);
    }
    case 2: {
      StartLease start;
      start.mutate_lease_id(id);
      return market.Apply(start, account);
    }
    case 3: {
      CompleteLease complete;
      complete.mutate_lease_id(id);
      return market.Apply(complete, account);
    }
    case 4: {
      SetCapacity capacity;
      capacity.mutate_node_id(id);
      capacity.mutate_gpus(bytes.ConsumeIntegralInRange<int32_t>(0, 9));
      capacity.mutate_assurance(bytes.ConsumeIntegralInRange<uint8_t>(0, 3));
      return market.Apply(capacity, kOperator);
    }
    case 5: {
      const TradedLease lease = market.Lease(id);
      const int64_t full_weight = int64_t{lease.gpus} * lease.minutes * 10'000;
      const auto weight = bytes.ConsumeIntegralInRange<int64_t>(0, full_weight);
      const int64_t consumed = *MulDivDown(lease.provider_price, weight, 10'000);
      SettleLease settle;
      settle.mutate_number(market.NextDecision());
      settle.mutate_lease_id(id);
      settle.mutate_verified_weight(weight);
      const auto owed = bytes.ConsumeIntegralInRange<int64_t>(0, consumed);
      settle.mutate_consumed(consumed - owed);
      settle.mutate_owed(owed);
      settle.mutate_verdict(bytes.ConsumeIntegralInRange<uint8_t>(0, 2));
      return market.Apply(settle, kSettlement);
    }
    case 6: {
      CloseInstrument close;
      close.mutate_instrument_id(static_cast<uint32_t>(id % 4));
      return market.Apply(close, 0);
    }
    case 7: {
      HeartbeatLease heartbeat;
      heartbeat.mutate_lease_id(id);
      heartbeat.mutate_minute_us(kStart +
                                 bytes.ConsumeIntegralInRange<int64_t>(0, 120) * kMicrosPerMinute);
      return market.Apply(heartbeat, account);
    }
    case 8: {
      CancelAllOrders cancel;
      cancel.mutate_target_account_id(bytes.ConsumeIntegralInRange<uint64_t>(0, 7));
      cancel.mutate_instrument_id(bytes.ConsumeIntegralInRange<uint32_t>(0, 3));
      cancel.mutate_class_id(bytes.ConsumeBool() ? 9 : 0);
      cancel.mutate_side(bytes.ConsumeIntegralInRange<uint8_t>(0, 3));
      cancel.mutate_reason(bytes.ConsumeBool() ? bytes.ConsumeIntegralInRange<uint8_t>(10, 12) : 0);
      return market.Apply(cancel, account);
    }
    case 9: {
      // One of the members' keys.
      RevokeKey revoke;
      revoke.mutate_target_account_id(bytes.ConsumeIntegralInRange<uint64_t>(0, 6));
      revoke.mutable_public_key()->Mutate(0, bytes.ConsumeIntegralInRange<uint8_t>(103, 106));
      return market.Apply(revoke, account);
    }
    case 10: {
      WithdrawOrder withdraw;
      withdraw.mutate_target_account_id(bytes.ConsumeIntegralInRange<uint64_t>(0, 7));
      withdraw.mutate_order_id(id);
      withdraw.mutate_reason(bytes.ConsumeIntegralInRange<uint8_t>(9, 12));
      return market.Apply(withdraw, bytes.ConsumeBool() ? 0 : account);
    }
    case 11: {
      SetOrderGuard guard;
      guard.mutate_mode(bytes.ConsumeIntegralInRange<uint8_t>(0, 4));
      guard.mutate_session(bytes.ConsumeIntegralInRange<uint32_t>(0, 1));
      guard.mutate_deadline_us(bytes.ConsumeIntegralInRange<int64_t>(-1, 1));
      return market.Apply(guard, account);
    }
    default:
      return market.Apply(Order(bytes), account);
  }
}

uint64_t Run(const uint8_t* data, size_t size) {
  FuzzedDataProvider bytes(data, size);
  Market market;
  market.Prepare();
  for (size_t i = 0; i < kCommandsMax && bytes.remaining_bytes() > 0; ++i) {
    const auto account = bytes.ConsumeIntegralInRange<uint64_t>(0, kFirstMember + kMembers);
    constexpr int64_t kSteps[] = {0, 0, 0, 1, kMicrosPerMinute, 20 * kMicrosPerMinute};
    market.Advance(kSteps[bytes.ConsumeIntegralInRange<size_t>(0, std::size(kSteps) - 1)]);
    if (bytes.ConsumeIntegralInRange<int>(0, 4) == 0) {
      ApplyArbitrary(bytes, account, market);
    } else {
      ApplyPlausible(bytes, account, market);
    }
  }
  market.engine().CheckInvariants();
  return market.engine().StateHash() ^ market.engine().event_hash();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  WARPBOOK_CHECK(Run(data, size) == Run(data, size));
  return 0;
}
