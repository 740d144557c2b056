#include "settlement/tokens/integer_root.h"

#include "schema/base/check.h"

namespace warpbook::settlement {

int64_t SqrtUp(int64_t value) {
  constexpr int64_t kValueMax = int64_t{1} << 62;
  WARPBOOK_CHECK(value >= 0 && value < kValueMax);
  // One binary digit of the root, rounded down, at a time, the highest first: exact.
  int64_t rest = value;
  int64_t root = 0;
  for (int64_t bit = int64_t{1} << 60; bit != 0; bit >>= 2) {
    if (rest >= root + bit) {
      rest -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return rest == 0 ? root : root + 1;
}

}  // namespace warpbook::settlement
