// The price of TOK, as burning and paying see it (2-tokens, Prices). An operator's price.set
// carries five feeds; what is stale or far from the others is dropped; fewer than three left give
// no price (one above kMaxTokenPrice is dropped too). A slow mean and its deviation keep a jump
// from being used: tokens are burned at the low price and paid at the high one, so a round trip
// never gains.
//
// Pure integers, in micro-USD per TOK.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "schema/types/amounts.h"
#include "schema/types/timestamp.h"

namespace warpbook::settlement {

inline constexpr size_t kPriceFeeds = 5;
inline constexpr size_t kPriceFeedsNeeded = 3;
inline constexpr int64_t kPriceAgeMaxMicros = 10 * kMicrosPerMinute;
inline constexpr int64_t kPriceSpreadMaxBps = 150;
// One part in 64 of a new price goes into the mean, and of its square into the variance.
inline constexpr int kPriceMeanShift = 6;

struct PriceFeed {
  TokenPrice price;
  Timestamp time;
  friend bool operator==(const PriceFeed&, const PriceFeed&) = default;
};

// What remains between two price.set commands.
struct PriceState {
  std::array<PriceFeed, kPriceFeeds> feeds{};  // of the last price.set; price 0: none yet
  bool has_mean = false;                       // false until the first median
  TokenPrice mean;                             // exponential moving average of the medians
  int64_t variance = 0;                        // of the medians around it, micro-USD squared
  friend bool operator==(const PriceState&, const PriceState&) = default;
};

// The prices of one moment.
struct PriceQuote {
  TokenPrice median;
  TokenPrice low;   // burned at; at or below zero: no top-up
  TokenPrice high;  // paid at
  friend bool operator==(const PriceQuote&, const PriceQuote&) = default;
};

// The median of the feeds that are at most 10 minutes old and within 150 bps of the median of
// those; of an even number, the mean of the middle two, rounded down. nullopt: fewer than three.
std::optional<TokenPrice> MedianOfFeeds(std::span<const PriceFeed> feeds, Timestamp now);

// Takes a price.set of the market's time `now` into the state. A feed from the future counts as of
// now, so that it grows old like the others. Without a median the mean stays as it was.
void TakePrices(PriceState& state, const std::array<PriceFeed, kPriceFeeds>& feeds, Timestamp now);

// The prices at `now`; nullopt where there are none.
std::optional<PriceQuote> QuotePrices(const PriceState& state, Timestamp now);

}  // namespace warpbook::settlement
