#include "settlement/tokens/coverage.h"

#include <doctest/doctest.h>

#include <limits>
#include <random>

#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

constexpr TokenPrice kTwoDollars = TokenPrice(2'000'000);

TEST_CASE("Coverage is the vault's worth in parts of the debt, rounded down") {
  // 10 TOK at $2 are worth 1,200,000,000 credits.
  const Tokens vault(10'000'000);
  CHECK(CoverageBps(vault, kTwoDollars, Credits(1'200'000'000)) == 10'000);
  CHECK(CoverageBps(vault, kTwoDollars, Credits(1'200'000'001)) == 9'999);
  CHECK(CoverageBps(vault, kTwoDollars, Credits(600'000'000)) == 20'000);
  CHECK(CoverageBps(Tokens(0), kTwoDollars, Credits(1)) == 0);
  CHECK(CoverageBps(Tokens(0), kTwoDollars, Credits(0)) == 10'000);
  CHECK(CoverageBps(kMaxTokens, kMaxTokenPrice, Credits(1)) == std::numeric_limits<int64_t>::max());
  CHECK(CoverageBps(kMaxTokens, TokenPrice(1'000'000), Credits::Max()) == 65);
}

TEST_CASE("Stress begins below 90% and lasts until 93%; below 95% there is a warning") {
  using enum CoverageState;
  struct Row {
    CoverageState before;
    int64_t bps;
    CoverageState after;
  };
  for (const Row& row :
       {Row{kSound, 9'500, kSound}, Row{kSound, 9'499, kWarning}, Row{kSound, 9'000, kWarning},
        Row{kSound, 8'999, kStressed}, Row{kWarning, 9'500, kSound}, Row{kWarning, 9'000, kWarning},
        Row{kWarning, 8'999, kStressed}, Row{kStressed, 9'000, kStressed},
        Row{kStressed, 9'299, kStressed}, Row{kStressed, 9'300, kWarning},
        Row{kStressed, 9'499, kWarning}, Row{kStressed, 9'500, kSound}}) {
    CAPTURE(row.bps);
    CHECK(NextCoverageState(row.before, row.bps) == row.after);
  }
}

TEST_CASE("Half of what is beyond a coverage of 150% is retired, and the rest still covers that") {
  const Tokens vault(20'000'000);
  CHECK(SurplusToRetire(vault, kTwoDollars, Credits(1'200'000'000)) == Tokens(2'500'000));
  CHECK(SurplusToRetire(Tokens(15'000'001), kTwoDollars, Credits(1'200'000'000)) == Tokens(0));
  CHECK(SurplusToRetire(Tokens(15'000'002), kTwoDollars, Credits(1'200'000'000)) == Tokens(1));
  CHECK(SurplusToRetire(vault, kTwoDollars, Credits(0)) == Tokens(0));
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const Tokens held(static_cast<int64_t>(random() % 1'000'000'000'000'000 >> random() % 50));
    const TokenPrice price(1 + static_cast<int64_t>(random() % 1'000'000'000 >> random() % 30));
    const Credits debt(1 + static_cast<int64_t>(random() >> (1 + random() % 62)));
    const Tokens retired = SurplusToRetire(held, price, debt);
    REQUIRE(retired >= Tokens(0));
    if (retired == Tokens(0)) continue;
    CHECK(CoverageBps(held - retired, price, debt) >= kCoverageSurplusBps);
    // Not less than half: twice as much and two more would not be covered.
    const Tokens twice = retired + retired + Tokens(2);
    CHECK((twice > held || CoverageBps(held - twice, price, debt) < kCoverageSurplusBps));
  }
}

}  // namespace
}  // namespace warpbook::settlement
