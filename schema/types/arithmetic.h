// Arithmetic whose operands come from input: the answer is nullopt where 63 bits do not hold it.
// Two 64-bit factors are multiplied in 128 bits. Every division says how it rounds.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "schema/types/amounts.h"
#include "schema/types/enums.h"

namespace warpbook {

__extension__ using int128 = __int128;

constexpr std::optional<int64_t> Narrow(int128 value) {
  if (value > std::numeric_limits<int64_t>::max() || value < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

template <typename Amount>
constexpr std::optional<Amount> CheckedAdd(Amount a, Amount b) {
  typename Amount::rep sum = 0;
  if (__builtin_add_overflow(a.value(), b.value(), &sum)) return std::nullopt;
  return Amount(sum);
}

// price x GPUs x minutes, exact in credits (1-market, Money).
constexpr std::optional<Credits> Notional(Price price, Quantity gpus, Minutes minutes) {
  const auto product = Narrow(int128{price.value()} * gpus.value() * minutes.value());
  if (!product) return std::nullopt;
  return Credits(*product);
}

// The surcharge of a buyer's tier on a notional. Exact: a price is a multiple of 1,000 micro-USD
// and the rates are multiples of 0.1%.
constexpr Credits Surcharge(Credits notional, Tier tier) {
  constexpr std::array<int64_t, kTierCount> kPerMille = {5, 1, 0};
  return Credits(notional.value() / 1'000 * kPerMille[static_cast<size_t>(tier)]);
}

// a x b / c for non-negative a, b and positive c, rounded down.
constexpr std::optional<int64_t> MulDivDown(int64_t a, int64_t b, int64_t c) {
  return Narrow(int128{a} * b / c);
}

// a x b / c for non-negative a, b and positive c, rounded up.
constexpr std::optional<int64_t> MulDivUp(int64_t a, int64_t b, int64_t c) {
  return Narrow((int128{a} * b + c - 1) / c);
}

}  // namespace warpbook
