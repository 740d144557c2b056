// Credits between buckets: every move is one ledger transfer and one CreditsMoved event, and the
// totals over all accounts follow. 2-tokens, Money flow.
#pragma once

#include "engine/core/state.h"
#include "schema/types/arithmetic.h"

namespace warpbook::engine {

// Moves `amount` between two buckets of the account; nothing where it is 0. The source must hold
// it, and what is issued must stay within 63 bits (the handlers' duty).
void MoveCredits(Context& context, Account& account, CreditBucket source, CreditBucket destination,
                 Credits amount, LeaseId lease, OrderId order);

// From free to locked, for an order; the account must have it.
void LockCredits(Context& context, Account& account, Credits amount, OrderId order);
// From locked to free.
void ReleaseCredits(Context& context, Account& account, Credits amount, OrderId order);

// price x GPUs x minutes, for values within the bounds of an accepted order, which fit 63 bits
// (schema/types/amounts.h).
inline Credits OrderValue(Price price, Quantity gpus, Minutes minutes) {
  int64_t value = 0;
  const int64_t gpu_minutes = int64_t{gpus.value()} * minutes.value();
  WARPBOOK_CHECK(!__builtin_mul_overflow(price.value(), gpu_minutes, &value));
  return Credits(value);
}

// What a bid locks: limit x remaining x lock minutes, and its tier's surcharge.
inline Credits BidLock(Price price, Quantity remaining, Minutes minutes, Tier tier) {
  const Credits value = OrderValue(price, remaining, minutes);
  return value + Surcharge(value, tier);
}
inline Credits BidLock(const Order& bid) {
  return BidLock(bid.price, bid.remaining, bid.lock_minutes, bid.tier);
}

// What an open ask counts as exposure: limit x remaining x the minutes of its acceptance. One that
// resells a lease is backed by that, and counts nothing.
inline Credits AskExposure(const Order& ask) {
  if (ask.is_resale) return Credits(0);
  return OrderValue(ask.price, ask.remaining, ask.lock_minutes);
}

}  // namespace warpbook::engine
