#include "schema/types/amounts.h"

#include <absl/hash/hash.h>
#include <doctest/doctest.h>

#include <limits>
#include <type_traits>

#include "schema/types/arithmetic.h"
#include "schema/types/ids.h"
#include "tests/support/dies.h"

namespace warpbook {
namespace {

// Quantities of different kinds do not mix, and nothing turns into one by itself.
template <typename A, typename B>
concept Adds = requires(A a, B b) {
  a + b;
};
static_assert(Adds<Credits, Credits>);
static_assert(!Adds<Credits, Price> && !Adds<Credits, Tokens> && !Adds<Credits, int64_t>);
static_assert(!Adds<OrderId, OrderId> && !Adds<AccountId, int>);
static_assert(!std::is_convertible_v<int64_t, Price> && !std::is_convertible_v<Price, int64_t>);
static_assert(!std::is_convertible_v<uint64_t, OrderId> && !std::is_convertible_v<OrderId, bool>);
static_assert(!std::is_convertible_v<Price, TokenPrice>);
static_assert(sizeof(Credits) == 8 && sizeof(Quantity) == 4 && sizeof(InstrumentId) == 4);
static_assert(std::is_trivially_copyable_v<Credits> && std::is_trivially_copyable_v<OrderId>);

TEST_CASE("Amounts of one kind add, subtract, negate and compare") {
  CHECK(Credits(2) + Credits(3) == Credits(5));
  CHECK(Credits(2) - Credits(3) == Credits(-1));
  CHECK(-Credits(2) == Credits(-2));
  CHECK(Credits(2) < Credits(3));
  Credits sum(1);
  sum += Credits(10);
  sum -= Credits(4);
  CHECK(sum == Credits(7));
  CHECK(Quantity::Max().value() == std::numeric_limits<int32_t>::max());
}

TEST_CASE("An amount that would overflow is a bug") {
  const Credits low(std::numeric_limits<int64_t>::min());
  CHECK(test::Dies([] { Credits::Max() + Credits(1); }).has_value());
  CHECK(test::Dies([&] { low - Credits(1); }).has_value());
  CHECK(test::Dies([&] { -low; }).has_value());
  CHECK(test::Dies([] { Quantity::Max() + Quantity(1); }).has_value());
  CHECK_FALSE(test::Dies([&] { Credits::Max() + low; }).has_value());
}

TEST_CASE("An id is false where it is none, and hashes by its value") {
  CHECK_FALSE(static_cast<bool>(OrderId()));
  CHECK(static_cast<bool>(OrderId(1)));
  CHECK(OrderId(1) < OrderId(2));
  CHECK(absl::HashOf(OrderId(7)) == absl::HashOf(OrderId(7)));
  CHECK(absl::HashOf(OrderId(7)) != absl::HashOf(OrderId(8)));
}

TEST_CASE("The largest order's notional and surcharge fit an amount") {
  const auto notional = Notional(kMaxPrice, kMaxQuantity, kMaxWindowMinutes);
  REQUIRE(notional.has_value());
  CHECK(*notional == Credits(1'440'000'000'000'000'000));
  CHECK(CheckedAdd(*notional, Surcharge(*notional, Tier::kPremium)).has_value());
}

TEST_CASE("Units are those of the design") {
  // $20: 8 GPUs for 60 minutes at $2.50.
  CHECK(Notional(Price(2'500'000), Quantity(8), Minutes(60)) == Credits(1'200'000'000));
  CHECK(1'200'000'000 / kCreditsPerUsd == 20);
  CHECK(kMaxTokens == Tokens(1'000'000'000'000'000));
}

}  // namespace
}  // namespace warpbook
