// Integer square root: the deviation of a price from its variance.
#pragma once

#include <cstdint>

namespace warpbook::settlement {

// The smallest r with r x r >= value: the square root, rounded up. For 0 <= value < 2^62 (CHECKed).
int64_t SqrtUp(int64_t value);

}  // namespace warpbook::settlement
