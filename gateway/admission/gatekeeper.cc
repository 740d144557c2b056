#include "gateway/admission/gatekeeper.h"

#include <array>
#include <atomic>
#include <string>

#include "schema/base/crypto.h"

namespace warpbook::gateway {
namespace {

Refusal CheckPermission(const Visitor& visitor, const MethodInfo& info) {
  if (info.needs_logon && !visitor.logged_on) return {.reason = RejectReason::kNotLoggedOn};
  if (info.scope != 0 && (visitor.logged_on->scopes & info.scope) == 0) {
    return {.reason = RejectReason::kScopeMissing};
  }
  if (info.admin_only && !visitor.on_admin) return {.reason = RejectReason::kOperatorListenerOnly};
  return {};
}

bool VerifiesIdentity(Method method) {
  return method == Method::kSessionLogon || method == Method::kAccountOpen;
}

// What a request counts for: those whose answer is long, or that verify a signature, cost the
// gateway more than the others.
int64_t TokensFor(Method method) {
  switch (method) {
    case Method::kInstruments:
    case Method::kAccountOrders:
    case Method::kAccountLeases:
    case Method::kAccountNodes:
    case Method::kAccountPositions:
    case Method::kAccountStatement:
    case Method::kSessionResume:
    case Method::kBookResync:
      return 10;
    case Method::kCapacityRegister:
    case Method::kProbeBegin:
      return 5;
    default:
      return 1;
  }
}

}  // namespace

bool IsDecidedBySettlement(Method method) {
  return method == Method::kCreditsBuy || method == Method::kTokenDeposit ||
         method == Method::kTokenWithdraw;
}

bool IsOrderMethod(Method method) {
  switch (method) {
    case Method::kOrderPlace:
    case Method::kOrderAmend:
    case Method::kOrderCancel:
    case Method::kOrderCancelAll:
    case Method::kOrderBatch:
      return true;
    default:
      return false;
  }
}

uint32_t NextSessionMark() {
  static std::atomic<uint32_t> next = [] {
    std::array<uint8_t, 4> bytes{};
    FillRandom(bytes);
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
  }();
  uint32_t mark = 0;
  while (mark == 0) mark = next.fetch_add(1, std::memory_order_relaxed);
  return mark;
}

LimitStates Visitor::LimitsAt(int64_t now_micros) const {
  LimitStates stated;
  const auto add = [&](std::string_view name, const TokenBucket& bucket) {
    const TokenBucket::Level level = bucket.LevelAt(now_micros);
    stated.Add(
        {.name = name, .used = level.used, .limit = level.limit, .reset_us = level.reset_us});
  };
  add("requests", requests);
  if (logged_on && logged_on->orders != nullptr) add("orders", *logged_on->orders);
  return stated;
}

Refusal Admit(Visitor& visitor, Method method, int64_t count, bool shutting_down,
              int64_t now_micros) {
  const Refusal refusal = CheckPermission(visitor, InfoOf(method));
  if (refusal.reason != RejectReason::kNone) return refusal;
  if (shutting_down && IsCommand(method)) return {.reason = RejectReason::kShuttingDown};
  const int64_t tokens = TokensFor(method) * count;
  int64_t wait = visitor.requests.Take(now_micros, tokens);
  if (wait == 0 && visitor.address_requests != nullptr) {
    wait = visitor.address_requests->Take(now_micros, tokens);
  }
  if (wait == 0 && VerifiesIdentity(method)) wait = visitor.authentications.Take(now_micros);
  if (wait == 0 && IsOrderMethod(method) && visitor.logged_on->orders != nullptr) {
    wait = visitor.logged_on->orders->Take(now_micros, count);
  }
  if (wait != 0) return {.reason = RejectReason::kRateLimited, .retry_after_us = wait};
  return {};
}

int64_t TakeForSubscription(Visitor& visitor, Channel channel, int64_t now_micros) {
  switch (channel) {
    case Channel::kOrders:
      return visitor.requests.Take(now_micros, 49);
    case Channel::kCandles:
    case Channel::kInstruments:
      return visitor.requests.Take(now_micros, 9);
    default:
      return 0;
  }
}

}  // namespace warpbook::gateway
