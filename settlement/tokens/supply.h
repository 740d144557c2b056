// The supply of TOK (2-tokens, Supply): what there was at the beginning, what may ever be added,
// and how much of it each day.
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

}  // namespace warpbook::settlement
