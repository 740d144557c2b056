// What a command that is only to be checked (`validate`) can be held to without the engine: what
// the market is as published, at the market's time. Decoding, admission, names and signatures have
// been checked before, as for any other. An order that is placed or amended is checked by the
// engine itself, in full.
//
// Each is what the engine would say of the same state, but for what only the engine knows: keys of
// other accounts, limits of its room, what waits for settlement, and, where an overload says so,
// times.
#pragma once

#include "gateway/protocol/request.h"
#include "gateway/publish/market_state.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

struct PublishedMarketView {
  const MarketState& state;
  AccountId account;  // who asks; it is known
  Timestamp now;      // the market's
};

// There is nothing more to check.
template <typename R>
Refusal CheckAsPublished(const PublishedMarketView&, const R&) {
  return {};
}
// Whether the account is a member's, and the order is open and its own.
Refusal CheckAsPublished(const PublishedMarketView& market, const OrderCancelRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const OrderCancelAllRequest& request);
// Members only.
Refusal CheckAsPublished(const PublishedMarketView& market, const CancelAfterRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market,
                         const CancelOnDisconnectRequest& request);
// The scopes, and that the key is none of the account's own.
Refusal CheckAsPublished(const PublishedMarketView& market, const KeyAddRequest& request);
// An amount that the account has.
Refusal CheckAsPublished(const PublishedMarketView& market, const CreditsBuyRequest& request);
// The GPUs.
Refusal CheckAsPublished(const PublishedMarketView& market, const CapacityRegisterRequest& request);
// Role and state. Whether it is too late to start, or to prove a minute, is the engine's to say.
Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseStartRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseHeartbeatRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseCompleteRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseDisputeRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const LeaseJudgeRequest& request);
// The account that is named, and the amount.
Refusal CheckAsPublished(const PublishedMarketView& market, const TokenDepositRequest& request);
Refusal CheckAsPublished(const PublishedMarketView& market, const LimitSetRequest& request);
// The node, and its GPUs.
Refusal CheckAsPublished(const PublishedMarketView& market, const CapacitySetRequest& request);
// The prices.
Refusal CheckAsPublished(const PublishedMarketView& market, const PriceSetRequest& request);
// The instrument is there; its state.
Refusal CheckAsPublished(const PublishedMarketView& market, const InstrumentHaltRequest& request);

}  // namespace warpbook::gateway
