#include "settlement/tokens/prices.h"

#include <algorithm>
#include <vector>

#include "schema/base/check.h"
#include "settlement/tokens/integer_root.h"

namespace warpbook::settlement {
namespace {

// Of at least one price. Rounds down between the middle two.
int64_t Median(std::vector<int64_t>& prices) {
  WARPBOOK_CHECK(!prices.empty());
  std::sort(prices.begin(), prices.end());
  const size_t middle = prices.size() / 2;
  if (prices.size() % 2 == 1) return prices[middle];
  return (prices[middle - 1] + prices[middle]) / 2;
}

// Rounds towards minus infinity.
int64_t FloorOf64th(int64_t value) { return value >> kPriceMeanShift; }

}  // namespace

std::optional<TokenPrice> MedianOfFeeds(std::span<const PriceFeed> feeds, Timestamp now) {
  std::vector<int64_t> fresh;
  for (const PriceFeed& feed : feeds) {
    const bool usable = feed.price > TokenPrice(0) && feed.price <= kMaxTokenPrice;
    const bool recent = feed.time.PlusMicros(kPriceAgeMaxMicros) >= now;
    if (usable && recent) fresh.push_back(feed.price.value());
  }
  if (fresh.size() < kPriceFeedsNeeded) return std::nullopt;
  const int64_t centre = Median(fresh);
  std::erase_if(fresh, [centre](int64_t price) {
    const int64_t distance = price > centre ? price - centre : centre - price;
    return distance * 10'000 > centre * kPriceSpreadMaxBps;
  });
  if (fresh.size() < kPriceFeedsNeeded) return std::nullopt;
  return TokenPrice(Median(fresh));
}

void TakePrices(PriceState& state, const std::array<PriceFeed, kPriceFeeds>& feeds, Timestamp now) {
  state.feeds = feeds;
  for (PriceFeed& feed : state.feeds) feed.time = std::min(feed.time, now);
  const auto median = MedianOfFeeds(state.feeds, now);
  if (!median) return;
  if (!state.has_mean) {
    state.has_mean = true;
    state.mean = *median;
    state.variance = 0;
    return;
  }
  // Both rounded down, towards minus infinity. Median and mean are in [0, kMaxTokenPrice], so the
  // square is at most 10^18, and the variance stays in [0, 10^18] too.
  const int64_t deviation = median->value() - state.mean.value();
  state.mean += TokenPrice(FloorOf64th(deviation));
  state.variance += FloorOf64th(deviation * deviation - state.variance);
}

std::optional<PriceQuote> QuotePrices(const PriceState& state, Timestamp now) {
  const auto median = MedianOfFeeds(state.feeds, now);
  if (!median || !state.has_mean) return std::nullopt;
  const TokenPrice deviation(SqrtUp(state.variance));
  PriceQuote quote;
  quote.median = *median;
  quote.low = std::min(*median, state.mean - deviation - deviation);
  quote.high = std::max(*median, state.mean);
  return quote;
}

}  // namespace warpbook::settlement
