#include "settlement/tokens/prices.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "schema/types/arithmetic.h"
#include "settlement/tokens/integer_root.h"

namespace warpbook::settlement {
namespace {

constexpr Timestamp kNow = Timestamp(1'800'000'000'000'000);

std::array<PriceFeed, kPriceFeeds> Feeds(std::array<int64_t, 5> prices, Timestamp time = kNow) {
  std::array<PriceFeed, kPriceFeeds> feeds;
  for (size_t i = 0; i < feeds.size(); ++i) feeds[i] = {TokenPrice(prices[i]), time};
  return feeds;
}

std::optional<TokenPrice> Median(std::array<int64_t, 5> prices) {
  return MedianOfFeeds(Feeds(prices), kNow);
}

PriceState StateAfter(const std::vector<std::array<int64_t, 5>>& settings) {
  PriceState state;
  for (const auto& prices : settings) TakePrices(state, Feeds(prices), kNow);
  return state;
}

TEST_CASE("The square root is rounded up exactly") {
  for (int64_t root = 0; root < 3'000; ++root) {
    CHECK(SqrtUp(root * root) == root);
    if (root > 1) CHECK(SqrtUp(root * root - 1) == root);
    CHECK(SqrtUp(root * root + 1) == root + 1);
  }
  CHECK(SqrtUp((int64_t{1} << 62) - 1) == int64_t{1} << 31);
  std::mt19937_64 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const auto value = static_cast<int64_t>(random() >> 2);
    const int64_t root = SqrtUp(value);
    CHECK(int128{root} * root >= value);
    CHECK((value == 0 || int128{root - 1} * (root - 1) < value));
    // Squares of any size, and their neighbours.
    const auto exact = static_cast<int64_t>(random() >> (33 + random() % 30));
    CHECK(SqrtUp(exact * exact) == exact);
    CHECK(SqrtUp(exact * exact + 1) == exact + 1);
  }
}

TEST_CASE("The median of five near feeds is the middle one") {
  CHECK(Median({2'000'000, 2'010'000, 1'990'000, 2'005'000, 1'995'000}) == TokenPrice(2'000'000));
}

TEST_CASE("A feed more than 150 bps from the median is dropped, one at 150 bps is not") {
  // Dropping 2,030,001 leaves four, whose middle two are 1,999,998 and 2,000,000.
  CHECK(Median({1'999'997, 1'999'998, 2'000'000, 2'000'001, 2'030'001}) == TokenPrice(1'999'999));
  CHECK(Median({1'999'998, 1'999'999, 2'000'000, 2'000'001, 2'030'000}) == TokenPrice(2'000'000));
  CHECK(Median({1'969'999, 1'999'999, 2'000'000, 2'000'001, 2'000'002}) == TokenPrice(2'000'000));
  CHECK(Median({1'969'999, 1'000, 2'000'000, 2'000'003, 2'000'005}) == TokenPrice(2'000'003));
}

TEST_CASE("Of four feeds the mean of the middle two is rounded down") {
  CHECK(Median({2'000'000, 2'000'001, 2'000'002, 2'000'004, 9'000'000}) == TokenPrice(2'000'001));
}

TEST_CASE("Fewer than three feeds left give no price") {
  CHECK_FALSE(Median({2'000'000, 2'000'000, 1'000'000, 3'000'000, 4'000'000}));
  CHECK_FALSE(Median({2'000'000, 2'000'000, 0, 0, 0}));
  CHECK_FALSE(Median({0, 0, 0, 0, 0}));
}

TEST_CASE("A feed above the largest price is dropped") {
  const int64_t most = kMaxTokenPrice.value();
  CHECK(Median({most, most, most, 1, 1}) == kMaxTokenPrice);
  CHECK_FALSE(Median({most + 1, most, most, 1, 1}));
}

TEST_CASE("A feed is stale after ten minutes, not at ten minutes") {
  const auto feeds = Feeds({2'000'000, 2'000'000, 2'000'000, 0, 0});
  CHECK(MedianOfFeeds(feeds, kNow.PlusMinutes(10)));
  CHECK_FALSE(MedianOfFeeds(feeds, kNow.PlusMinutes(10).PlusMicros(1)));
}

TEST_CASE("Prices grow stale while no price.set comes") {
  const PriceState state = StateAfter({{2'000'000, 2'000'000, 2'000'000, 2'000'000, 2'000'000}});
  CHECK(QuotePrices(state, kNow.PlusMinutes(10)));
  CHECK_FALSE(QuotePrices(state, kNow.PlusMinutes(11)));
}

TEST_CASE("A feed from the future grows stale as if it were of now") {
  PriceState state;
  TakePrices(state, Feeds({2'000'000, 2'000'000, 2'000'000, 0, 0}, kNow.PlusMinutes(9)), kNow);
  CHECK(QuotePrices(state, kNow.PlusMinutes(10)));
  CHECK_FALSE(QuotePrices(state, kNow.PlusMinutes(11)));
}

TEST_CASE("There is no quote before the first price.set and without a median") {
  CHECK_FALSE(QuotePrices(PriceState(), kNow));
  CHECK_FALSE(QuotePrices(StateAfter({{1, 100, 10'000, 1'000'000, 90'000'000}}), kNow));
}

TEST_CASE("The first median is the mean, with no variance") {
  const PriceState state = StateAfter({{2'000'000, 2'000'000, 2'000'000, 0, 0}});
  CHECK(state.mean == TokenPrice(2'000'000));
  CHECK(state.variance == 0);
  CHECK(QuotePrices(state, kNow) ==
        PriceQuote{TokenPrice(2'000'000), TokenPrice(2'000'000), TokenPrice(2'000'000)});
}

TEST_CASE("Mean and variance take a 64th of what is new, rounded down") {
  // d = 6,400: the mean moves by 100, the variance by 6,400^2 / 64 = 640,000.
  PriceState state = StateAfter(
      {{2'000'000, 2'000'000, 2'000'000, 0, 0}, {2'006'400, 2'006'400, 2'006'400, 0, 0}});
  CHECK(state.mean == TokenPrice(2'000'100));
  CHECK(state.variance == 640'000);
  // sigma = 800: low = min(2,006,400, 2,000,100 - 1,600).
  CHECK(QuotePrices(state, kNow) ==
        PriceQuote{TokenPrice(2'006'400), TokenPrice(1'998'500), TokenPrice(2'006'400)});
  // d = -101: floor(-101 / 64) = -2; floor((10,201 - 640,000) / 64) = -9,841 (from -9,840.6).
  TakePrices(state, Feeds({1'999'999, 1'999'999, 1'999'999, 0, 0}), kNow);
  CHECK(state.mean == TokenPrice(2'000'098));
  CHECK(state.variance == 640'000 - 9'841);
  // sigma = ceil(sqrt(630,159)) = 794.
  CHECK(QuotePrices(state, kNow) ==
        PriceQuote{TokenPrice(1'999'999), TokenPrice(1'998'510), TokenPrice(2'000'098)});
}

TEST_CASE("A price.set without a median leaves the mean as it was, and no price") {
  PriceState state = StateAfter({{2'000'000, 2'000'000, 2'000'000, 0, 0}, {1, 0, 0, 0, 0}});
  CHECK(state.mean == TokenPrice(2'000'000));
  CHECK_FALSE(QuotePrices(state, kNow));
}

TEST_CASE("Burning is never dearer than paying, whatever the prices were") {
  std::mt19937_64 random(7);
  for (int run = 0; run < 200; ++run) {
    PriceState state;
    int64_t price = 1 + static_cast<int64_t>(random() % 1'000'000'000);
    for (int step = 0; step < 200; ++step) {
      // Jumps of up to a factor of two, and now and then anything.
      price = random() % 20 == 0 ? 1 + static_cast<int64_t>(random() % 1'000'000'000)
                                 : price / 2 + static_cast<int64_t>(random() % (price + 1));
      price = std::clamp<int64_t>(price, 1, kMaxTokenPrice.value());
      TakePrices(state, Feeds({price, price, price, price, price}), kNow);
      CHECK(state.variance >= 0);
      CHECK(state.mean >= TokenPrice(0));
      const auto quote = QuotePrices(state, kNow);
      REQUIRE(quote);
      CHECK(quote->median == TokenPrice(price));
      CHECK(quote->low <= quote->median);
      CHECK(quote->median <= quote->high);
    }
  }
}

}  // namespace
}  // namespace warpbook::settlement
