// From which size on an owner must be verified by an operator before it may top up or sell more
// (2-tokens, Owners): the published thresholds. Pure integers.
#pragma once

#include "schema/types/amounts.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {

// Of work bought and sold in the last 30 days, today included, as it was settled: $1,000,000.
inline constexpr int64_t kOwnerNotionalDays = 30;
inline constexpr Credits kOwnerNotionalMax = Credits(1'000'000 * kCreditsPerUsd);
// Of the circulating supply: 1%.
inline constexpr int64_t kOwnerSupplyBpsMax = 100;

// Whether either is exceeded, for amounts >= 0.
constexpr bool IsLarge(Credits notional, Tokens held, Tokens circulating) {
  return notional > kOwnerNotionalMax ||
         int128{held.value()} * 10'000 > int128{circulating.value()} * kOwnerSupplyBpsMax;
}

}  // namespace warpbook::settlement
