// StrongInt: one integer, one meaning. Distinct tags do not mix, construction is explicit, and
// arithmetic that would overflow is a CHECK. Where an overflow can come from input, use the
// Checked* functions of schema/types/arithmetic.h, which answer with nullopt.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "schema/base/check.h"

namespace warpbook {

// An identifier: ordered and hashable, without arithmetic. Zero means "none" everywhere.
template <typename Tag, typename Rep>
class StrongId {
 public:
  using rep = Rep;
  constexpr StrongId() = default;
  explicit constexpr StrongId(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  explicit constexpr operator bool() const { return value_ != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  template <typename H>
  friend H AbslHashValue(H state, StrongId id) {
    return H::combine(std::move(state), id.value_);
  }

 private:
  Rep value_ = 0;
};

// An amount: ordered, with checked addition and subtraction among its own kind.
template <typename Tag, typename Rep>
class StrongInt {
 public:
  using rep = Rep;
  constexpr StrongInt() = default;
  explicit constexpr StrongInt(Rep value) : value_(value) {}
  constexpr Rep value() const { return value_; }
  static constexpr StrongInt Max() { return StrongInt(std::numeric_limits<Rep>::max()); }
  friend constexpr auto operator<=>(StrongInt, StrongInt) = default;

  friend constexpr StrongInt operator+(StrongInt a, StrongInt b) {
    Rep sum = 0;
    WARPBOOK_CHECK(!__builtin_add_overflow(a.value_, b.value_, &sum));
    return StrongInt(sum);
  }
  friend constexpr StrongInt operator-(StrongInt a, StrongInt b) {
    Rep difference = 0;
    WARPBOOK_CHECK(!__builtin_sub_overflow(a.value_, b.value_, &difference));
    return StrongInt(difference);
  }
  constexpr StrongInt operator-() const { return StrongInt() - *this; }
  constexpr StrongInt& operator+=(StrongInt other) { return *this = *this + other; }
  constexpr StrongInt& operator-=(StrongInt other) { return *this = *this - other; }
  template <typename H>
  friend H AbslHashValue(H state, StrongInt amount) {
    return H::combine(std::move(state), amount.value_);
  }

 private:
  Rep value_ = 0;
};

}  // namespace warpbook
