// The methods of the API (4-gateway-api of the design): their names, and who may use them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/types/enums.h"

namespace warpbook::gateway {

enum class Method : uint8_t {
  kPing,
  kSessionChallenge,
  kSessionLogon,
  kSessionStatus,
  kSessionLogout,
  kSessionResume,
  kAccountOpen,
  kKeyAdd,
  kKeyRevoke,
  kAccountBalances,
  kAccountOrders,
  kAccountLeases,
  kAccountNodes,
  kAccountPositions,
  kAccountStatement,
  kCreditsBuy,
  kOrderPlace,
  kOrderAmend,
  kOrderCancel,
  kOrderCancelAll,
  kOrderBatch,
  kOrderStatus,
  kCancelAfter,
  kCancelOnDisconnect,
  kCapacityRegister,
  kLeaseStart,
  kLeaseHeartbeat,
  kLeaseComplete,
  kInstruments,
  kSubscribe,
  kUnsubscribe,
  kBookResync,
  kTokenDeposit,
  kTokenWithdraw,
  kOwnerVerify,
  kLimitSet,
  kCapacitySet,
  kPriceSet,
  kInstrumentHalt,
  kInstrumentResume,
  kDrain,
  kSettlementSubmit,
  kLeaseDispute,
  kLeaseJudge,
  kProbeBegin,
  kProbeAnswer,
};

struct MethodInfo {
  Method method;
  std::string_view name;
  bool needs_logon;
  uint32_t scope;  // the Scope bit that the key needs; 0: none
  bool admin_only;
};

namespace internal {
constexpr uint32_t Bit(Scope scope) { return static_cast<uint32_t>(scope); }
}  // namespace internal

// In the order of Method.
inline constexpr std::array<MethodInfo, 46> kMethods = {{
    {Method::kPing, "ping", false, 0, false},
    {Method::kSessionChallenge, "session.challenge", false, 0, false},
    {Method::kSessionLogon, "session.logon", false, 0, false},
    {Method::kSessionStatus, "session.status", false, 0, false},
    {Method::kSessionLogout, "session.logout", true, 0, false},
    {Method::kSessionResume, "session.resume", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountOpen, "account.open", false, 0, false},
    // Its own rule: a key gives no scope that it does not have.
    {Method::kKeyAdd, "key.add", true, 0, false},
    {Method::kKeyRevoke, "key.revoke", true, 0, false},
    {Method::kAccountBalances, "account.balances", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountOrders, "account.orders", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountLeases, "account.leases", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountNodes, "account.nodes", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountPositions, "account.positions", true, internal::Bit(Scope::kRead), false},
    {Method::kAccountStatement, "account.statement", true, internal::Bit(Scope::kRead), false},
    {Method::kCreditsBuy, "credits.buy", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderPlace, "order.place", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderAmend, "order.amend", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderCancel, "order.cancel", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderCancelAll, "order.cancel_all", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderBatch, "order.batch", true, internal::Bit(Scope::kTrade), false},
    {Method::kOrderStatus, "order.status", true, internal::Bit(Scope::kRead), false},
    {Method::kCancelAfter, "cancel_after", true, internal::Bit(Scope::kTrade), false},
    {Method::kCancelOnDisconnect, "cancel_on_disconnect", true, internal::Bit(Scope::kTrade),
     false},
    {Method::kCapacityRegister, "capacity.register", true, internal::Bit(Scope::kProvide), false},
    {Method::kLeaseStart, "lease.start", true, internal::Bit(Scope::kProvide), false},
    {Method::kLeaseHeartbeat, "lease.heartbeat", true, internal::Bit(Scope::kProvide), false},
    {Method::kLeaseComplete, "lease.complete", true, internal::Bit(Scope::kTrade), false},
    {Method::kInstruments, "instruments", false, 0, false},
    // The private channels need the scope read.
    {Method::kSubscribe, "subscribe", false, 0, false},
    {Method::kUnsubscribe, "unsubscribe", false, 0, false},
    {Method::kBookResync, "book.resync", false, 0, false},
    {Method::kTokenDeposit, "token.deposit", true, internal::Bit(Scope::kOperate), true},
    {Method::kTokenWithdraw, "token.withdraw", true, internal::Bit(Scope::kOperate), true},
    {Method::kOwnerVerify, "owner.verify", true, internal::Bit(Scope::kOperate), true},
    {Method::kLimitSet, "limit.set", true, internal::Bit(Scope::kOperate), true},
    {Method::kCapacitySet, "capacity.set", true, internal::Bit(Scope::kOperate), true},
    {Method::kPriceSet, "price.set", true, internal::Bit(Scope::kOperate), true},
    {Method::kInstrumentHalt, "instrument.halt", true, internal::Bit(Scope::kOperate), true},
    {Method::kInstrumentResume, "instrument.resume", true, internal::Bit(Scope::kOperate), true},
    {Method::kDrain, "drain", true, internal::Bit(Scope::kOperate), true},
    {Method::kSettlementSubmit, "settlement.submit", true, internal::Bit(Scope::kSettle), true},
    {Method::kLeaseDispute, "lease.dispute", true, internal::Bit(Scope::kTrade), false},
    {Method::kLeaseJudge, "lease.judge", true, internal::Bit(Scope::kOperate), true},
    {Method::kProbeBegin, "probe.begin", true, internal::Bit(Scope::kProvide), false},
    {Method::kProbeAnswer, "probe.answer", true, internal::Bit(Scope::kProvide), false},
}};

constexpr const MethodInfo& InfoOf(Method method) { return kMethods[static_cast<size_t>(method)]; }

constexpr const MethodInfo* FindMethod(std::string_view name) {
  for (const MethodInfo& info : kMethods) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

// Whether the method changes anything, and so is a command that goes into the journal.
constexpr bool IsCommand(Method method) {
  switch (method) {
    case Method::kPing:
    case Method::kSessionChallenge:
    case Method::kSessionLogon:
    case Method::kSessionStatus:
    case Method::kSessionLogout:
    case Method::kSessionResume:
    case Method::kAccountBalances:
    case Method::kAccountOrders:
    case Method::kAccountLeases:
    case Method::kAccountNodes:
    case Method::kAccountPositions:
    case Method::kAccountStatement:
    case Method::kOrderStatus:
    case Method::kInstruments:
    case Method::kSubscribe:
    case Method::kUnsubscribe:
    case Method::kBookResync:
    case Method::kDrain:
    case Method::kProbeAnswer:  // the exchange's own command comes of the last one
      return false;
    default:
      return true;
  }
}

// What can be subscribed to: market data of an instrument, what concerns everybody, and what is the
// account's own.
enum class Channel : uint8_t {
  kBook,
  kOrders,
  kTrades,
  kTicker,
  kCandles,
  kInstruments,
  kStatus,
  kHeartbeat,
  kExecutions,
  kBalances,
  kLeases,
};
inline constexpr std::array<std::string_view, 11> kChannelNames = {
    "book",   "orders",    "trades",     "ticker",   "candles", "instruments",
    "status", "heartbeat", "executions", "balances", "leases"};
constexpr bool HasSymbol(Channel channel) { return channel <= Channel::kCandles; }
constexpr bool IsPrivate(Channel channel) { return channel >= Channel::kExecutions; }
constexpr std::string_view ChannelName(Channel channel) {
  return kChannelNames[static_cast<size_t>(channel)];
}

}  // namespace warpbook::gateway
