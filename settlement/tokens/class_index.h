// What work of a hardware class is worth (2-tokens, Bonds and slashing): the price of what was
// delivered and verified in the last 24 hours, by its notional. Pure integers.
#pragma once

#include <cstddef>
#include <span>

#include "schema/types/amounts.h"
#include "schema/types/ids.h"

namespace warpbook::settlement {

// Of all notional, for one owner at most: nobody sets the index alone.
inline constexpr int64_t kIndexOwnerPercentMax = 10;
// Fewer owners cannot each have at most a tenth: the catalogue's price stands then.
inline constexpr size_t kIndexOwnersMin = 10;

struct DeliveredWork {
  OwnerId owner;
  Price price;
  Credits notional;  // verified
};

// Of each owner the mean of its prices by notional, and of these the mean by the owners' notional,
// each at most floor(10% of all); both rounded down. `reference`, the catalogue's price, where
// fewer than ten owners have delivered. For work of notional >= 0 and price > 0 (CHECKed), in any
// order.
Price ClassIndex(std::span<const DeliveredWork> work, Price reference);

}  // namespace warpbook::settlement
