// The work bonus of an epoch (2-tokens, Money flow 7): what is left of the day's emission, for
// those whose work was delivered and verified in it. Pure integers.
#pragma once

#include <span>
#include <vector>

#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {

// Of the epoch's bonus, for one owner at most.
inline constexpr int64_t kBonusSharePercentMax = 10;
// Of an owner's own gross. Less than the 5% + 2% that settling its work costs: whoever trades with
// oneself for the bonus loses.
inline constexpr int64_t kBonusGrossPercentMax = 4;

struct OwnerWork {
  OwnerId owner;
  Tokens gross;  // PaidGross of all its accounts in the epoch
};

// What a settlement counts for: floor(gross x consumed / verified), so that the part that waits as
// owed counts once, when it is paid. Zero where nothing was verified.
Tokens PaidGross(const Settlement& settled);

// The bonus of each, in the order of `work`: floor(budget x gross / all gross), at most
// floor(10% of budget) and floor(4% of gross). What is left over is nobody's: it is not minted.
// For budget >= 0 and gross >= 0 (CHECKed); each owner once.
std::vector<Tokens> WorkBonus(Tokens budget, std::span<const OwnerWork> work);

}  // namespace warpbook::settlement
