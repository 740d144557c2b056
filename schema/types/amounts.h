// The quantities of the market, each with its unit. No floating point here or in anything above.
#pragma once

#include <cstdint>

#include "schema/types/strong_int.h"

namespace warpbook {

// Micro-USD per GPU-hour. On an instrument it is a positive multiple of the tick.
using Price = StrongInt<struct PriceTag, int64_t>;
// Whole GPUs.
using Quantity = StrongInt<struct QuantityTag, int32_t>;
// Whole minutes of delivery.
using Minutes = StrongInt<struct MinutesTag, int32_t>;
// The money inside the exchange: 1/60 micro-USD, so that price x GPUs x minutes is exact.
using Credits = StrongInt<struct CreditsTag, int64_t>;
// Micro-TOK.
using Tokens = StrongInt<struct TokensTag, int64_t>;
// Micro-USD per TOK.
using TokenPrice = StrongInt<struct TokenPriceTag, int64_t>;

inline constexpr int64_t kCreditsPerUsd = 60'000'000;
inline constexpr int64_t kMicroUsdPerUsd = 1'000'000;
inline constexpr int64_t kMicroTokPerTok = 1'000'000;

// Bounds on what one order may name. With them price x GPUs x minutes fits 63 bits:
// 10^10 x 10^5 x 1,440 = 1.44 x 10^18.
inline constexpr Price kMaxPrice = Price(10'000 * kMicroUsdPerUsd);
inline constexpr Quantity kMaxQuantity = Quantity(100'000);
inline constexpr Minutes kMaxWindowMinutes = Minutes(1'440);
// All TOK that can ever exist (2-tokens: the cap), and the most credits that one top-up can make.
inline constexpr Tokens kMaxTokens = Tokens(1'000'000'000 * kMicroTokPerTok);
// $1,000 per TOK, a trillion dollars for all of it. The square of a difference of two prices, and
// so their variance, fits 63 bits.
inline constexpr TokenPrice kMaxTokenPrice = TokenPrice(1'000 * kMicroUsdPerUsd);

}  // namespace warpbook
