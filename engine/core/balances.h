// Credits between buckets: every move is one ledger transfer and one CreditsMoved event, and the
// totals over all accounts follow. 2-tokens, Money flow.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

// Moves `amount` between two buckets of the account; nothing where it is 0. The source must hold
// it, and what is issued must stay within 63 bits (the handlers' duty).
void MoveCredits(Context& context, Account& account, CreditBucket source, CreditBucket destination,
                 Credits amount, LeaseId lease, OrderId order);

// price x GPUs x minutes, for values within the bounds of an accepted order.
Credits OrderValue(Price price, Quantity gpus, Minutes minutes);

// What a bid locks: limit x remaining x lock minutes, and its tier's surcharge.
Credits BidLock(Price price, Quantity remaining, Minutes minutes, Tier tier);
Credits BidLock(const Order& bid);

// What an open ask counts as exposure: limit x remaining x the minutes of its acceptance.
Credits AskExposure(const Order& ask);

}  // namespace warpbook::engine
