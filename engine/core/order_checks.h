// Every check that an order's command must pass, in the declared order: the first that fails gives
// the reason. All are made before the first effect. kMalformedCommand comes before them all. The
// arrays below are the declaration; the engine's rows of checks are held to them when it is
// compiled.
//
// A repeat of an accepted order (same client order id, same content) is no refusal: it is
// recognised before these checks, so that a client learns the first outcome whatever happened
// since.
#pragma once

#include <array>
#include <cstdint>

#include "engine/core/state.h"

namespace warpbook::engine {

// The declared order. kLessThanOneMinute is not in it: an instrument's gate closes at least its
// notice and one minute before the window's end (OpenInstrument), so before it every order gets
// one.
inline constexpr std::array kPlaceOrderPrecedence = {
    RejectReason::kDeadlinePassed,      RejectReason::kUnknownAccount,
    RejectReason::kNotPermitted,        RejectReason::kOwnerNotVerified,
    RejectReason::kUnknownInstrument,   RejectReason::kClientOrderIdReused,
    RejectReason::kInstrumentHalted,    RejectReason::kInstrumentGateClosed,
    RejectReason::kInstrumentClosed,    RejectReason::kInvalidQuantity,
    RejectReason::kInvalidMinFill,      RejectReason::kPriceNotPositive,
    RejectReason::kPriceOffTick,        RejectReason::kPriceOutsideBand,
    RejectReason::kMarketNeedsIocOrFok, RejectReason::kPostOnlyNeedsResting,
    RejectReason::kExpiryInPast,        RejectReason::kFieldNotForSide,
    RejectReason::kAskNeedsNodeOrLease, RejectReason::kTooManyOrders,
    RejectReason::kTooManyOrdersInBook, RejectReason::kPostOnlyWouldTrade,
    RejectReason::kFokNotFillable,      RejectReason::kFokMeetsOwnOrder,
    RejectReason::kUnknownLease,        RejectReason::kLeaseNotResalable,
    RejectReason::kResaleChainTooLong,  RejectReason::kInsufficientLeaseGpus,
    RejectReason::kUnknownNode,         RejectReason::kNodeNotApproved,
    RejectReason::kNodeWrongInstrument, RejectReason::kInsufficientCapacity,
    RejectReason::kBondedLimitExceeded, RejectReason::kInsufficientCredits,
    RejectReason::kAmountOverflow,      RejectReason::kEngineFull,
};
inline constexpr std::array kAmendOrderPrecedence = {
    RejectReason::kDeadlinePassed,       RejectReason::kUnknownAccount,
    RejectReason::kNotPermitted,         RejectReason::kUnknownOrder,
    RejectReason::kInstrumentHalted,     RejectReason::kInvalidQuantity,
    RejectReason::kInvalidMinFill,       RejectReason::kPriceNotPositive,
    RejectReason::kPriceOffTick,         RejectReason::kPriceOutsideBand,
    RejectReason::kPostOnlyWouldTrade,   RejectReason::kInsufficientLeaseGpus,
    RejectReason::kInsufficientCapacity, RejectReason::kBondedLimitExceeded,
    RejectReason::kInsufficientCredits,  RejectReason::kAmountOverflow,
    RejectReason::kEngineFull,
};

// Whether the command came after its deadline; 0 is none.
inline bool DeadlinePassed(const Context& context, Timestamp deadline) {
  return deadline != Timestamp() && context.now > deadline;
}

// The live order that a command names, by its id or, where that is 0, by its client order id; null
// where the account has no such order.
Order* FindOrder(State& state, const Account& account, OrderId id,
                 const ClientOrderId& client_order_id);

}  // namespace warpbook::engine
