// Decimal strings: how people and the JSON API see prices, TOK and dollars. Parsing is exact and
// strict (digits, at most one point with digits on both sides, no sign, exponent, space or leading
// zero before another digit); printing gives the shortest string with at least `kPriceDecimals`
// digits for prices, and what was printed parses to the same value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/types/amounts.h"

namespace warpbook {

// A non-negative decimal string in units of 10^-decimals: ParseDecimal("2.50", 6) = 2'500'000.
// nullopt where it is malformed, has more than `decimals` digits behind the point (even zeros) or
// does not fit 63 bits.
std::optional<int64_t> ParseDecimal(std::string_view text, int decimals);

// The reverse, with at least `min_decimals` and at most `decimals` digits behind the point;
// trailing zeros beyond min_decimals are left out; a negative value begins with '-'.
std::string FormatDecimal(int64_t value, int decimals, int min_decimals);

// "2.50" USD per GPU-hour.
std::optional<Price> ParsePrice(std::string_view text);
std::string FormatPrice(Price price);

// "12.5" TOK.
std::optional<Tokens> ParseTokens(std::string_view text);
std::string FormatTokens(Tokens tokens);

// "2.00" USD per TOK.
std::optional<TokenPrice> ParseTokenPrice(std::string_view text);
std::string FormatTokenPrice(TokenPrice price);

// Credits as USD with 6 decimals, rounded down (towards minus infinity).
std::string FormatUsd(Credits credits);

// "20.00" USD as credits, at most 6 decimals.
std::optional<Credits> ParseUsd(std::string_view text);

}  // namespace warpbook
