// How much of something a few have: published of the work that was delivered (2-tokens,
// Disclosure). Pure integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "schema/types/amounts.h"

namespace warpbook::settlement {

// What the so many largest have of all, in basis points, rounded down; 0 where there is nothing.
// For shares >= 0 whose sum fits 63 bits (CHECKed), in any order.
int64_t LargestShareBps(std::span<const Credits> shares, size_t largest);

// The Herfindahl index in basis points: the sum of the squares of all shares, floor(10,000 x
// sum of x^2 / (sum of x)^2). 10,000: one has all; 0 where there is nothing. For shares as above.
int64_t HerfindahlBps(std::span<const Credits> shares);

}  // namespace warpbook::settlement
