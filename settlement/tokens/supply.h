// The supply of TOK (2-tokens, Supply and Disclosure): what there was at the beginning, what may
// ever be added, how much of it each day, and by any date.
#pragma once

#include "schema/base/check.h"
#include "schema/types/amounts.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {

inline constexpr Tokens kGenesisTokens = Tokens(400'000'000 * kMicroTokPerTok);
inline constexpr Tokens kEmissionPool = Tokens(600'000'000 * kMicroTokPerTok);
inline constexpr Tokens kSupplyCap = kMaxTokens;
static_assert(kGenesisTokens + kEmissionPool == kSupplyCap);

// The most that may be emitted on a day that begins with `pool_left` in the pool:
// floor(pool_left x 155 / 1,000,000).
constexpr Tokens DailyEmission(Tokens pool_left) {
  WARPBOOK_CHECK(pool_left >= Tokens(0) && pool_left <= kEmissionPool);
  return Tokens(*MulDivDown(pool_left.value(), 155, 1'000'000));
}

// The most that so many days of emission can add, the one under way included: all of each day's is
// used. Where a day uses less the pool is larger ever after, and never smaller than here. What was
// promised before and is not minted yet comes on top, and is in `pool_left` no more.
constexpr Tokens EmissionBound(Tokens pool_left, int64_t days) {
  WARPBOOK_CHECK(days >= 0);
  Tokens left = pool_left;
  for (; days > 0; --days) {
    const Tokens emitted = DailyEmission(left);
    if (emitted == Tokens(0)) break;  // the rest is too little for ever
    left -= emitted;
  }
  return pool_left - left;
}

}  // namespace warpbook::settlement
