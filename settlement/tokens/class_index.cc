#include "settlement/tokens/class_index.h"

#include <algorithm>
#include <map>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {

Price ClassIndex(std::span<const DeliveredWork> work, Price reference) {
  struct Owner {
    int128 notional = 0;
    int128 priced = 0;  // sum of price x notional
  };
  std::map<OwnerId, Owner> owners;
  int128 all = 0;
  for (const DeliveredWork& delivered : work) {
    WARPBOOK_CHECK(delivered.price > Price(0) && delivered.notional >= Credits(0));
    if (delivered.notional == Credits(0)) continue;
    Owner& owner = owners[delivered.owner];
    owner.notional += delivered.notional.value();
    owner.priced += int128{delivered.price.value()} * delivered.notional.value();
    all += delivered.notional.value();
  }
  if (owners.size() < kIndexOwnersMin) return reference;
  // Rounded down; ten owners have at least ten credits, so nobody's weight is zero.
  const int128 weight_max = all * kIndexOwnerPercentMax / 100;
  int128 weights = 0, sum = 0;
  for (const auto& [id, owner] : owners) {
    const int128 weight = std::min(owner.notional, weight_max);
    weights += weight;
    sum += weight * (owner.priced / owner.notional);  // rounded down
  }
  return Price(static_cast<int64_t>(sum / weights));  // rounded down; at most the highest price
}

}  // namespace warpbook::settlement
