// What happens to orders once every check has passed: accept, trade, cancel, rest. Each keeps
// locks, exposure and capacity exact and emits its events. 1-market, Sides and Orders.
#pragma once

#include <cstdint>

#include "engine/core/state.h"

namespace warpbook::engine {

// A new order becomes live: known by its ids and counted; `claim` is what its acceptance takes
// (ClaimOf). It does not rest yet. Emits OrderAccepted with `tag`, and the lock.
void AcceptOrder(Context& context, Order& order, Credits claim, uint64_t tag);

// Carries out the planned walk of a live order that does not rest, then lets what is left rest, or
// cancels it. The order may be finished afterwards.
void ExecutePlan(Context& context, Order& order, const MatchPlan& plan);

// Cancels what is left of a live order, resting or not, and finishes it.
void CancelOrder(Context& context, Order& order, CancelReason reason, uint64_t tag);

// What an order takes of its account: a bid's lock; an ask's exposure, and its GPUs of the node or
// the lease.
struct Claim {
  Credits credits;
  Quantity gpus;  // asks
};
Claim ClaimOf(const Order& order);
// Brings lock (with its CreditsMoved), exposure and capacity from what the order took before to
// what it takes now.
void UpdateClaim(Context& context, Order& order, Claim before);

// The order joins or leaves its book, whose levels are then looked at when the command ends.
void EnterBook(Context& context, Order& order);
void LeaveBook(Context& context, Order& order);
// Takes GPUs off what remains of an order, and off its level where it rests; the claim is the
// caller's to update.
void TakeGpus(Context& context, Order& order, Quantity gpus);

void EmitOrderAmended(Context& context, const Order& order, uint64_t tag, bool kept_priority);

}  // namespace warpbook::engine
