#include "schema/types/decimal.h"

#include <algorithm>
#include <cstddef>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook {
namespace {

constexpr int kMicroDecimals = 6;
constexpr int kPriceDecimals = 2;
constexpr int64_t kCreditsPerMicroUsd = 60;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<int64_t> ParseDecimal(std::string_view text, int decimals) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || (point != std::string_view::npos && fraction.empty())) return std::nullopt;
  if (whole.size() > 1 && whole[0] == '0') return std::nullopt;
  if (fraction.size() > static_cast<size_t>(decimals)) return std::nullopt;
  if (!std::ranges::all_of(whole, IsDigit) || !std::ranges::all_of(fraction, IsDigit)) {
    return std::nullopt;
  }
  int64_t value = 0;
  const auto append = [&value](int digit) {
    return !__builtin_mul_overflow(value, 10, &value) &&
           !__builtin_add_overflow(value, digit, &value);
  };
  for (const char c : whole) {
    if (!append(c - '0')) return std::nullopt;
  }
  for (size_t i = 0; i < static_cast<size_t>(decimals); ++i) {
    if (!append(i < fraction.size() ? fraction[i] - '0' : 0)) return std::nullopt;
  }
  return value;
}

std::string FormatDecimal(int64_t value, int decimals, int min_decimals) {
  WARPBOOK_CHECK(decimals >= 0 && min_decimals <= decimals);
  // The magnitude as unsigned: the most negative value has no positive counterpart.
  const uint64_t magnitude =
      value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  std::string text = std::to_string(magnitude);
  const size_t width = static_cast<size_t>(decimals);
  if (text.size() <= width) text.insert(0, width + 1 - text.size(), '0');
  if (width > 0) {
    text.insert(text.size() - width, 1, '.');
    const size_t shortest = text.size() - width + static_cast<size_t>(min_decimals);
    while (text.size() > shortest && text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
  }
  if (value < 0) text.insert(0, 1, '-');
  return text;
}

std::optional<Price> ParsePrice(std::string_view text) {
  const auto value = ParseDecimal(text, kMicroDecimals);
  if (!value) return std::nullopt;
  return Price(*value);
}

std::string FormatPrice(Price price) {
  return FormatDecimal(price.value(), kMicroDecimals, kPriceDecimals);
}

std::optional<Tokens> ParseTokens(std::string_view text) {
  const auto value = ParseDecimal(text, kMicroDecimals);
  if (!value) return std::nullopt;
  return Tokens(*value);
}

std::string FormatTokens(Tokens tokens) { return FormatDecimal(tokens.value(), kMicroDecimals, 0); }

std::optional<TokenPrice> ParseTokenPrice(std::string_view text) {
  const auto value = ParseDecimal(text, kMicroDecimals);
  if (!value) return std::nullopt;
  return TokenPrice(*value);
}

std::string FormatTokenPrice(TokenPrice price) {
  return FormatDecimal(price.value(), kMicroDecimals, kPriceDecimals);
}

std::string FormatUsd(Credits credits) {
  // Rounded down, towards minus infinity, so that nobody is shown more than there is.
  int64_t micro_usd = credits.value() / kCreditsPerMicroUsd;
  if (credits.value() % kCreditsPerMicroUsd < 0) --micro_usd;
  return FormatDecimal(micro_usd, kMicroDecimals, kPriceDecimals);
}

std::optional<Credits> ParseUsd(std::string_view text) {
  const auto micro_usd = ParseDecimal(text, kMicroDecimals);
  if (!micro_usd) return std::nullopt;
  const auto credits = Narrow(int128{*micro_usd} * kCreditsPerMicroUsd);
  if (!credits) return std::nullopt;
  return Credits(*credits);
}

}  // namespace warpbook
