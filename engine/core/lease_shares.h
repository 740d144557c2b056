// Who pays what when a lease is settled, and to whom. With the verified weight W (the sum over the
// minutes of GPUs delivered x share, a full share being 10,000):
// - the provider has earned floor(provider price x W / 10,000), each trader who resold at a gain
//   floor(gain x W / 10,000): rounded down, as it is paid out. Both are due;
// - a trader who resold at a loss pays ceil(loss x W / 10,000), but no more than is still due;
//   rounded up, so that the last buyer never pays more than its own price x W / 10,000;
// - the last buyer pays the rest, and what is burned of its surcharge;
// - each gets back what is left of its own escrow.
// 1-market, Sides; 2-tokens, Money flow 4. Credits.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/core/state.h"

namespace warpbook::engine {

inline constexpr int64_t kFullShare = 10'000;

// What the provider may earn: its price x GPUs x minutes.
Credits ProviderNotional(const Lease& lease);
// What the buyer and the traders who left a loss have in escrow for it.
Credits WholeEscrow(const Lease& lease);
// The weight of a delivery in full.
int64_t FullWeight(const Lease& lease);
// For 0 <= weight <= FullWeight.
Credits EarnedByProvider(const Lease& lease, int64_t weight);
Credits EarnedByTraders(const Lease& lease, int64_t weight);

// How a lease's escrow is used. consumed + owed is what the provider has earned.
struct EscrowUse {
  int64_t weight = 0;
  Credits consumed, owed;
  Credits burned;  // of the buyer's surcharge
};
// Moves the escrow of all who paid: to the traders with gains (oldest leg first), consumed, owed,
// in this order, from the traders with losses (oldest first) and then from the buyer. Returns who
// owes what.
std::vector<OwedShare> UseEscrow(Context& context, const Lease& lease, const EscrowUse& use);
// Moves credits that are owed for the lease to consumed: at most what is left, in the order of the
// shares. Those that are empty then are gone.
void PayOwed(Context& context, LeaseId lease, OwedLease& owed, Credits amount);

}  // namespace warpbook::engine
