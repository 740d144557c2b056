// What an account is told of itself: the objects in the `data` of the private channels, written
// from events, and the snapshots that channels begin with (4-gateway-api of the design).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/protocol/message_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/publish/market_state.h"
#include "schema/wire/record.h"

namespace warpbook::gateway {

// ---- executions ----

void WriteExecution(MessageWriter& out, const wire::OrderAccepted& event, const MarketState& state);
void WriteExecution(MessageWriter& out, const wire::OrderFilled& event, const MarketState& state);
// While the order is still there.
void WriteExecution(MessageWriter& out, const wire::OrderAmended& event, const MarketState& state);
void WriteExecution(MessageWriter& out, const wire::OrderCancelled& event,
                    const MarketState& state);

// ---- balances ----

void WriteBalanceChange(MessageWriter& out, const wire::CreditsMoved& event);
// `change` micro-TOK came ("deposit", "reward") or went ("top_up").
void WriteTokenBalance(MessageWriter& out, Tokens balance, Tokens change, std::string_view cause);

// ---- leases ----

// A fill reserves a lease.
void WriteReservedLease(MessageWriter& out, const LeaseRow& lease, bool is_provider);
// GPUs of the lease were resold.
void WriteResoldLease(MessageWriter& out, const wire::LeaseResold& event, const LeaseRow& resold);
void WriteLeaseChange(MessageWriter& out, const wire::LeaseChanged& event,
                      const MarketState& state);

// ---- Messages ----

struct PrivateHead {
  Channel channel = Channel::kExecutions;
  uint64_t sequence = 0;
  uint64_t previous_sequence = 0;
  int64_t ts_us = 0;
};
// {"channel":..,"type":"update",...,"data":[objects]}: the objects are written between the two.
void BeginPrivateUpdate(MessageWriter& out, const PrivateHead& head);
void EndPrivateUpdate(MessageWriter& out);
// The first message of a subscription: what the channel's updates will change.
void WritePrivateSnapshot(MessageWriter& out, Channel channel, const AccountRow& account,
                          const MarketState& state, int64_t ts_us);

// ---- What the account.* methods give: the fields of the balances, and arrays of the others ----

void WriteBalances(MessageWriter& out, const AccountRow& account);
void WriteOrders(MessageWriter& out, const AccountRow& account, const MarketState& state);
void WriteLeases(MessageWriter& out, const AccountRow& account, const MarketState& state);
// What order.status gives: "status" and the order.
void WriteOrderStatus(MessageWriter& out, const OrderRow& order, const MarketState& state);
void WriteOrderStatus(MessageWriter& out, const FinishedOrder& order, const MarketState& state);
void WriteNodes(MessageWriter& out, const AccountRow& account, const MarketState& state);

}  // namespace warpbook::gateway
