// Checked arithmetic against integers of any width.
#include "schema/types/arithmetic.h"

#include <doctest/doctest.h>

#include <boost/multiprecision/cpp_int.hpp>
#include <limits>
#include <random>
#include <vector>

namespace warpbook {
namespace {

using Wide = boost::multiprecision::cpp_int;

constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();

bool Fits(const Wide& value) { return value >= kMin64 && value <= kMax64; }

// Values around which mistakes gather, and others of every magnitude.
std::vector<int64_t> Interesting(std::mt19937_64& random) {
  std::vector<int64_t> values = {kMin64, kMin64 + 1, -1,  0,     1,          2,
                                 59,     60,         999, 1'000, kMax64 - 1, kMax64};
  for (int bits = 1; bits < 63; bits += 3) {
    const int64_t power = int64_t{1} << bits;
    values.insert(values.end(), {power - 1, power, power + 1, -power});
    values.push_back(static_cast<int64_t>(random() >> (63 - bits)));
  }
  return values;
}

TEST_CASE("A checked sum is the exact sum, or nothing where that does not fit") {
  std::mt19937_64 random(1);
  const std::vector<int64_t> values = Interesting(random);
  for (const int64_t a : values) {
    for (const int64_t b : values) {
      const Wide exact = Wide(a) + b;
      const auto sum = CheckedAdd(Credits(a), Credits(b));
      CHECK(sum.has_value() == Fits(exact));
      if (sum) CHECK(Wide(sum->value()) == exact);
    }
  }
}

TEST_CASE("A notional is the exact product, or nothing where that does not fit") {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200'000; ++i) {
    const auto price = static_cast<int64_t>(random()) >> (random() % 64);
    const auto gpus = static_cast<int32_t>(random()) >> (random() % 32);
    const auto minutes = static_cast<int32_t>(random()) >> (random() % 32);
    const Wide exact = Wide(price) * gpus * minutes;
    const auto notional = Notional(Price(price), Quantity(gpus), Minutes(minutes));
    const bool agrees =
        notional.has_value() == Fits(exact) && (!notional || Wide(notional->value()) == exact);
    if (!agrees) CHECK(agrees);
  }
  const auto lowest32 = std::numeric_limits<int32_t>::min();
  CHECK_FALSE(Notional(Price(kMin64), Quantity(lowest32), Minutes(lowest32)).has_value());
  CHECK(Notional(Price(kMax64), Quantity(1), Minutes(1)) == Credits(kMax64));
  CHECK_FALSE(Notional(Price(kMax64), Quantity(2), Minutes(1)).has_value());
}

TEST_CASE("A product divided rounds down or up, exactly") {
  std::mt19937_64 random(3);
  std::vector<int64_t> values;
  for (const int64_t value : Interesting(random)) {
    if (value >= 0) values.push_back(value);
  }
  for (const int64_t a : values) {
    for (const int64_t b : values) {
      for (const int64_t c : values) {
        if (c == 0) continue;
        const Wide product = Wide(a) * b;
        const Wide down = product / c;
        const Wide up = down + (product % c != 0 ? 1 : 0);
        const auto our_down = MulDivDown(a, b, c);
        const auto our_up = MulDivUp(a, b, c);
        const bool agrees = our_down.has_value() == Fits(down) && our_up.has_value() == Fits(up) &&
                            (!our_down || Wide(*our_down) == down) &&
                            (!our_up || Wide(*our_up) == up);
        if (!agrees) CHECK(agrees);
      }
    }
  }
}

TEST_CASE("A surcharge is its rate of the notional, exactly, for every price on a tick") {
  std::mt19937_64 random(4);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t price = 1'000 * (1 + static_cast<int64_t>(random() % 10'000'000));
    const Credits notional =
        *Notional(Price(price), Quantity(static_cast<int32_t>(1 + random() % 100'000)),
                  Minutes(static_cast<int32_t>(1 + random() % 1'440)));
    const Wide thousandfold = notional.value();
    const bool agrees =
        Wide(Surcharge(notional, Tier::kPremium).value()) * 1'000 == thousandfold * 5 &&
        Wide(Surcharge(notional, Tier::kStandard).value()) * 1'000 == thousandfold &&
        Surcharge(notional, Tier::kEconomy) == Credits(0);
    if (!agrees) CHECK(agrees);
  }
  CHECK(Surcharge(Credits(1'200'000'000), Tier::kPremium) == Credits(6'000'000));
  CHECK(Surcharge(Credits(1'200'000'000), Tier::kStandard) == Credits(1'200'000));
}

TEST_CASE("A 128-bit value narrows exactly where 64 bits hold it") {
  CHECK(Narrow(int128{kMax64}) == kMax64);
  CHECK(Narrow(int128{kMin64}) == kMin64);
  CHECK_FALSE(Narrow(int128{kMax64} + 1).has_value());
  CHECK_FALSE(Narrow(int128{kMin64} - 1).has_value());
  CHECK_FALSE(Narrow(int128{1} << 64).has_value());
}

}  // namespace
}  // namespace warpbook
