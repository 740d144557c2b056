#include "gateway/net/published_checks.h"

#include "gateway/protocol/reply_writer.h"

namespace warpbook::gateway {
namespace {

// With the field that it is about.
Refusal Refused(RejectReason reason) { return EngineRefusal(reason, 0); }

Refusal CheckMember(const MarketState& state, AccountId account) {
  const AccountRow* row = state.FindAccount(account);
  if (row == nullptr) return Refused(RejectReason::kUnknownAccount);
  if (row->kind != AccountKind::kMember) return Refused(RejectReason::kNotPermitted);
  return {};
}

// Who asks is a member, and is in time.
Refusal CheckSender(const PublishedMarketView& market, Timestamp deadline = Timestamp()) {
  if (deadline != Timestamp() && market.now > deadline) {
    return Refused(RejectReason::kDeadlinePassed);
  }
  return CheckMember(market.state, market.account);
}

bool IsRefused(const Refusal& refusal) { return refusal.reason != RejectReason::kNone; }

// A lease in which the account has that role.
struct Named {
  const LeaseRow* lease = nullptr;
  Refusal refusal;
};
Named FindLease(const PublishedMarketView& market, LeaseId id, AccountId LeaseRow::*role) {
  const Refusal sender = CheckSender(market);
  if (IsRefused(sender)) return {nullptr, sender};
  const LeaseRow* lease = market.state.FindLease(id);
  if (lease == nullptr || lease->*role != market.account) {
    return {nullptr, Refused(RejectReason::kUnknownLease)};
  }
  return {lease, {}};
}

}  // namespace

Refusal CheckAsPublished(const PublishedMarketView& market, const OrderCancelRequest& request) {
  const Refusal sender = CheckSender(market, request.deadline);
  if (IsRefused(sender)) return sender;
  const OrderId id = request.order_id
                         ? request.order_id
                         : market.state.FindOrder(market.account, request.client_order_id);
  const OrderRow* order = market.state.FindOrder(id);
  const bool is_own = order != nullptr && order->account == market.account;
  return is_own ? Refusal() : Refused(RejectReason::kUnknownOrder);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const OrderCancelAllRequest& request) {
  return CheckSender(market, request.deadline);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const CancelAfterRequest&) {
  return CheckSender(market);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const CancelOnDisconnectRequest&) {
  return CheckSender(market);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const KeyAddRequest& request) {
  const Refusal sender = CheckSender(market);
  if (IsRefused(sender)) return sender;
  if (market.state.FindAccount(market.account)->ScopesOf(request.public_key) != 0) {
    return Refused(RejectReason::kKeyInUse);
  }
  return request.scopes == 0 ? Refused(RejectReason::kInvalidScopes) : Refusal();
}

Refusal CheckAsPublished(const PublishedMarketView& market, const CreditsBuyRequest& request) {
  const Refusal sender = CheckSender(market);
  if (IsRefused(sender)) return sender;
  if (request.burn <= Tokens(0)) return Refused(RejectReason::kInvalidAmount);
  const bool has_them = request.burn <= market.state.FindAccount(market.account)->tokens;
  return has_them ? Refusal() : Refused(RejectReason::kInsufficientTokens);
}

Refusal CheckAsPublished(const PublishedMarketView& market,
                         const CapacityRegisterRequest& request) {
  const Refusal sender = CheckSender(market);
  if (IsRefused(sender)) return sender;
  const bool fits = request.gpus >= Quantity(1) && request.gpus <= kMaxQuantity;
  return fits ? Refusal() : Refused(RejectReason::kInvalidQuantity);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseStartRequest& request) {
  const Named named = FindLease(market, request.lease, &LeaseRow::provider);
  if (named.lease == nullptr) return named.refusal;
  if (named.lease->state != LeaseState::kReserved) return Refused(RejectReason::kLeaseWrongState);
  const bool is_early = market.now < named.lease->delivery_start;
  return is_early ? Refused(RejectReason::kLeaseNotStartable) : Refusal();
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseHeartbeatRequest& request) {
  const Named named = FindLease(market, request.lease, &LeaseRow::provider);
  if (named.lease == nullptr) return named.refusal;
  const LeaseRow& lease = *named.lease;
  if (lease.state == LeaseState::kReserved || lease.state == LeaseState::kFailed) {
    return Refused(RejectReason::kLeaseWrongState);
  }
  const Timestamp minute = request.minute;
  if (minute < lease.delivery_start || minute >= lease.delivery_end ||
      minute.CeilToMinute() != minute) {
    return Refused(RejectReason::kMinuteOutsideLease);
  }
  return minute > market.now ? Refused(RejectReason::kMinuteInFuture) : Refusal();
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseCompleteRequest& request) {
  const Named named = FindLease(market, request.lease, &LeaseRow::buyer);
  if (named.lease == nullptr) return named.refusal;
  const bool is_delivered = named.lease->state == LeaseState::kDelivered && !named.lease->completed;
  return is_delivered ? Refusal() : Refused(RejectReason::kLeaseNotDelivered);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseDisputeRequest& request) {
  return CheckAsPublished(market, LeaseCompleteRequest{.lease = request.lease});
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseJudgeRequest& request) {
  const LeaseRow* lease = market.state.FindLease(request.lease);
  if (lease == nullptr) return Refused(RejectReason::kUnknownLease);
  const bool is_disputed = lease->state == LeaseState::kDisputed;
  return is_disputed ? Refusal() : Refused(RejectReason::kLeaseWrongState);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const TokenDepositRequest& request) {
  const Refusal target = CheckMember(market.state, request.account);
  if (IsRefused(target)) return target;
  return request.amount > Tokens(0) ? Refusal() : Refused(RejectReason::kInvalidAmount);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const LimitSetRequest& request) {
  return CheckMember(market.state, request.account);
}

Refusal CheckAsPublished(const PublishedMarketView& market, const CapacitySetRequest& request) {
  const NodeRow* node = market.state.FindNode(request.node);
  if (node == nullptr) return Refused(RejectReason::kUnknownNode);
  const bool fits = request.gpus >= Quantity(0) && request.gpus <= node->registered;
  return fits ? Refusal() : Refused(RejectReason::kInvalidQuantity);
}

Refusal CheckAsPublished(const PublishedMarketView&, const PriceSetRequest& request) {
  for (const PriceFeedField& feed : request.feeds) {
    if (feed.price <= TokenPrice(0)) return Refused(RejectReason::kInvalidPriceFeed);
  }
  return {};
}

Refusal CheckAsPublished(const PublishedMarketView& market, const InstrumentHaltRequest& request) {
  const InstrumentRow* instrument = market.state.FindInstrument(request.symbol);
  if (instrument == nullptr) return Refused(RejectReason::kUnknownInstrument);
  const bool fits =
      instrument->state == (request.halt ? InstrumentState::kOpen : InstrumentState::kHalted);
  return fits ? Refusal() : Refused(RejectReason::kInvalidInstrumentState);
}

}  // namespace warpbook::gateway
