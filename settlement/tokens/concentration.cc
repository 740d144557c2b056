#include "settlement/tokens/concentration.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

constexpr int64_t kWholeBps = 10'000;
// Sums up to here can be squared, and that multiplied by ten, in 127 bits.
constexpr int64_t kSquarableMax = int64_t{1} << 61;

int64_t Sum(std::span<const Credits> shares) {
  Credits sum;
  for (const Credits share : shares) {
    WARPBOOK_CHECK(share >= Credits(0));
    const auto added = CheckedAdd(sum, share);
    WARPBOOK_CHECK(added.has_value());
    sum = *added;
  }
  return sum.value();
}

}  // namespace

int64_t LargestShareBps(std::span<const Credits> shares, size_t largest) {
  const int64_t all = Sum(shares);
  if (all == 0) return 0;
  std::vector<Credits> sorted(shares.begin(), shares.end());
  std::ranges::sort(sorted, std::greater());
  return *MulDivDown(Sum(std::span(sorted).first(std::min(largest, sorted.size()))), kWholeBps,
                     all);
}

int64_t HerfindahlBps(std::span<const Credits> shares) {
  const int64_t sum = Sum(shares);
  if (sum == 0) return 0;
  const int shift = sum > kSquarableMax ? 2 : 0;  // what is lost is less than a part in 2^59
  int128 all = 0, squares = 0;
  for (const Credits share : shares) {
    const int128 part = share.value() >> shift;
    all += part;
    squares += part * part;
  }
  int128 rest = squares;
  int64_t bps = rest == all * all ? 1 : 0;
  if (bps == 1) rest = 0;
  // Long division: ten thousand times the squares would not fit.
  for (int64_t scale = kWholeBps; scale > 1; scale /= 10) {
    rest *= 10;
    bps = bps * 10 + static_cast<int64_t>(rest / (all * all));
    rest %= all * all;
  }
  return bps;
}

}  // namespace warpbook::settlement
