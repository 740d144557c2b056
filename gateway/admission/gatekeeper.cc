#include "gateway/admission/gatekeeper.h"

#include <string>

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
      return 5;
    default:
      return 1;
  }
}

}  // namespace

bool IsCommand(Method method) {
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
      return false;
    default:
      return true;
  }
}

bool IsDecidedBySettlement(Method method) {
  return method == Method::kCreditsBuy || method == Method::kTokenDeposit ||
         method == Method::kTokenWithdraw;
}

Refusal Admit(Visitor& visitor, Method method, bool shutting_down, int64_t now_micros) {
  const Refusal refusal = CheckPermission(visitor, InfoOf(method));
  if (refusal.reason != RejectReason::kNone) return refusal;
  if (shutting_down && IsCommand(method)) return {.reason = RejectReason::kShuttingDown};
  int64_t wait = visitor.requests.Take(now_micros, TokensFor(method));
  if (wait == 0 && VerifiesIdentity(method)) wait = visitor.authentications.Take(now_micros);
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
