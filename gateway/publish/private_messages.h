// What an account is told of itself: the objects in the `data` of the private channels, written
// from events, and the snapshots that channels begin with (4-gateway-api of the design).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/protocol/json_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/market_state.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// ---- executions ----

std::string ExecutionOf(const wire::OrderAccepted& event, const MarketState& state);
std::string ExecutionOf(const wire::OrderFilled& event, const MarketState& state);
// While the order is still there.
std::string ExecutionOf(const wire::OrderAmended& event, const MarketState& state);
std::string ExecutionOf(const wire::OrderCancelled& event, const MarketState& state);

// ---- balances ----

std::string BalanceOf(const wire::CreditsMoved& event);
// `change` micro-TOK came ("deposit", "reward") or went ("top_up").
std::string TokenBalance(Tokens balance, Tokens change, std::string_view cause);

// ---- leases ----

// A fill reserves a lease.
std::string ReservedLease(const LeaseRow& lease, bool is_provider);
// GPUs of the lease were resold.
std::string ResoldLease(const wire::LeaseResold& event, const LeaseRow& resold);
std::string LeaseChange(const wire::LeaseChanged& event, const MarketState& state);

// ---- Messages ----

struct PrivateHead {
  Channel channel = Channel::kExecutions;
  uint64_t sequence = 0;
  uint64_t previous_sequence = 0;
  int64_t ts_us = 0;
};
// {"channel":..,"type":"update",...,"data":[objects]}
std::string PrivateUpdate(const PrivateHead& head, std::string_view objects);
// The first message of a subscription: what the channel's updates will change.
std::string PrivateSnapshot(Channel channel, const AccountRow& account, const MarketState& state,
                            int64_t ts_us);

// ---- What the account.* methods give: the fields of the balances, and arrays of the others ----

void WriteBalances(JsonWriter& json, const AccountRow& account);
void WriteOrders(JsonWriter& json, const AccountRow& account, const MarketState& state);
void WriteLeases(JsonWriter& json, const AccountRow& account, const MarketState& state);
void WriteNodes(JsonWriter& json, const AccountRow& account, const MarketState& state);

}  // namespace warpbook::gateway
