// Whether the vault could pay for what the credits stand for (2-tokens, Money flow 6 and 7). Pure
// integers.
#pragma once

#include <cstdint>

#include "schema/types/amounts.h"
#include "settlement/tokens/prices.h"

namespace warpbook::settlement {

inline constexpr int64_t kCoverageWholeBps = 10'000;
inline constexpr int64_t kCoverageWarnBps = 9'500;
inline constexpr int64_t kCoverageStressBps = 9'000;
// Where stress ends: above where it begins, so that it does not come and go with each price.
inline constexpr int64_t kCoverageRecoveryBps = 9'300;
inline constexpr int64_t kCoverageSurplusBps = 15'000;

// floor(vault x median x 60 x 10^4 / (10^6 x debt)) basis points of the debt: all credits that are
// free, locked, in escrow or owed. 10,000 where there is none. Beyond 63 bits: the largest value.
// For vault >= 0, median > 0 and debt >= 0 (CHECKed).
int64_t CoverageBps(Tokens vault, TokenPrice median, Credits debt);

enum class CoverageState : uint8_t {
  kSound,
  kWarning,
  // No bonus, and emission pays before the vault does.
  kStressed,
};

// The state that a coverage leads to from the one before.
CoverageState NextCoverageState(CoverageState before, int64_t coverage_bps);

// What is retired of the vault at an epoch's close: half, rounded down, of what it holds beyond a
// coverage of 15,000. Nothing where there is no debt, which is covered by 10,000 then.
Tokens SurplusToRetire(Tokens vault, TokenPrice median, Credits debt);

}  // namespace warpbook::settlement
