// Resale of what was bought: an ask that names a lease trades GPUs of that lease, and the fill's
// lease takes their place. Provider, node, delivery and what the provider is paid stay as they
// are, so its capacity and exposure know nothing of it. 1-market, Sides.
#pragma once

#include "engine/core/state.h"

namespace warpbook::engine {

// The lease of a fill of a resale ask, whose lease still has these GPUs too until TakeFromResold.
Lease& MakeResoldLease(Context& context, const Order& bid, const Order& ask, Price price,
                       Quantity gpus);

// The new lease's GPUs leave the resold one, and the trader's money with them: it gets back the
// smaller of the two prices, its surcharge on these GPUs is burned, and of a loss the difference
// stays in escrow, for the new lease now; so do the losses of those who resold it earlier. A lease
// without GPUs ends as resold and is forgotten.
void TakeFromResold(Context& context, Lease& resold, const Lease& made);

}  // namespace warpbook::engine
