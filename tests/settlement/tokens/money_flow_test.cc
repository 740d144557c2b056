#include "settlement/tokens/money_flow.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

// A random number of random magnitude in [0, most].
int64_t Any(std::mt19937_64& random, int64_t most) {
  const int shift = static_cast<int>(random() % 63);
  return static_cast<int64_t>((random() >> 1) >> shift) % (most + 1);
}

constexpr TokenPrice kTwoDollars = TokenPrice(2'000'000);

TEST_CASE("Credits and tokens are rounded down") {
  // One uTOK at one micro-USD is 59.85 / 10^6 credits.
  CHECK(TopUpCredits(Tokens(1), TokenPrice(1)) == Credits(0));
  CHECK(TopUpCredits(Tokens(16'708), TokenPrice(1)) == Credits(0));
  CHECK(TopUpCredits(Tokens(16'709), TokenPrice(1)) == Credits(1));
  CHECK(GrossTokens(Credits(119), kTwoDollars) == Tokens(0));
  CHECK(GrossTokens(Credits(120), kTwoDollars) == Tokens(1));
}

TEST_CASE("What does not fit is no figure") {
  CHECK(TopUpCredits(kMaxTokens, kMaxTokenPrice) == std::nullopt);
  CHECK(GrossTokens(Credits::Max(), TokenPrice(1)) == std::nullopt);
  CHECK(Settle({Credits::Max() - Credits(1), Credits(1), Credits::Max() - Credits(1)},
               TokenPrice(1), {.vault = kMaxTokens}) == std::nullopt);
  // All tokens there can be for a notional of 60 x 10^9 credits at one micro-USD.
  CHECK(GrossTokens(Credits(60'000'000'000), TokenPrice(1)) == kMaxTokens);
  CHECK(GrossTokens(Credits(60'000'000'060), TokenPrice(1)) == std::nullopt);
}

TEST_CASE("The surcharge burned is that of what was delivered, rounded up") {
  const auto settled =
      Settle({Credits(3'000), Credits(10), Credits(1'000)}, kTwoDollars, {.vault = kMaxTokens});
  REQUIRE(settled);
  CHECK(settled->burned == Credits(4));  // 3.33
  CHECK(settled->consumed == Credits(1'000));
  CHECK(settled->refunded == Credits(2'006));
}

TEST_CASE("An empty vault leaves the whole notional owed, and burns the surcharge") {
  const auto settled = Settle({Credits(1'200'000'000), Credits(1'200'000), Credits(1'200'000'000)},
                              kTwoDollars, {.vault = Tokens(0)});
  REQUIRE(settled);
  CHECK(settled->owed == Credits(1'200'000'000));
  CHECK(settled->consumed == Credits(0));
  CHECK(settled->burned == Credits(1'200'000));
  CHECK(settled->provider + settled->fee + settled->retire == Tokens(0));
  CHECK(settled->gross == Tokens(10'000'000));
}

TEST_CASE("What the vault cannot pay is owed, rounded up, and nothing is retired from it") {
  // D = 9,500,000; the vault holds a third of it and one unit more.
  const auto settled = Settle({Credits(1'200'000'000), Credits(0), Credits(1'200'000'000)},
                              kTwoDollars, {.vault = Tokens(3'166'667)});
  REQUIRE(settled);
  CHECK(settled->fee == Tokens(66'666));  // 200,000 x 3,166,667 / 9,500,000 = 66,666.67
  CHECK(settled->provider == Tokens(3'166'667 - 66'666));
  CHECK(settled->retire == Tokens(0));
  // 1,200,000,000 x 6,333,333 / 9,500,000 = 799,999,957.9.
  CHECK(settled->owed == Credits(799'999'958));
  CHECK(settled->consumed == Credits(400'000'042));
}

TEST_CASE("The vault pays first and retires from what is left") {
  const EarnedEscrow escrow{Credits(1'200'000'000), Credits(0), Credits(1'200'000'000)};
  const auto some = Settle(escrow, kTwoDollars, {.vault = Tokens(9'500'000 + 123)});
  REQUIRE(some);
  CHECK(some->retire == Tokens(123));
  CHECK(some->owed == Credits(0));
  const auto all = Settle(escrow, kTwoDollars, {.vault = Tokens(10'000'000)});
  REQUIRE(all);
  CHECK(all->retire == Tokens(500'000));
}

TEST_CASE("Work too small to pay for is consumed") {
  // 119 credits are worth no token; 120 are worth one, which the 5% take.
  const auto nothing =
      Settle({Credits(119), Credits(0), Credits(119)}, kTwoDollars, {.vault = kMaxTokens});
  REQUIRE(nothing);
  CHECK(nothing->consumed == Credits(119));
  CHECK(nothing->retire == Tokens(0));
  const auto one =
      Settle({Credits(120), Credits(0), Credits(120)}, kTwoDollars, {.vault = Tokens(7)});
  REQUIRE(one);
  CHECK(one->consumed == Credits(120));
  CHECK(one->retire == Tokens(1));
  CHECK(one->provider == Tokens(0));
  CHECK(
      Settle({Credits(120), Credits(0), Credits(120)}, kTwoDollars, {.vault = Tokens(0)})->retire ==
      Tokens(0));
}

TEST_CASE("Emission pays what the vault cannot, and under stress before it") {
  // D = 9,500,000.
  const EarnedEscrow escrow{Credits(1'200'000'000), Credits(0), Credits(1'200'000'000)};
  const auto after = Settle(escrow, kTwoDollars, {Tokens(4'000'000), Tokens(3'500'000)});
  REQUIRE(after);
  CHECK(after->emitted == Tokens(3'500'000));
  CHECK(after->provider + after->fee == Tokens(7'500'000));
  CHECK(after->retire == Tokens(0));  // the vault is empty
  // 1,200,000,000 x 2,000,000 / 9,500,000 = 252,631,578.9.
  CHECK(after->owed == Credits(252'631'579));
  const auto before = Settle(escrow, kTwoDollars, {Tokens(9'000'000), Tokens(3'500'000), true});
  REQUIRE(before);
  CHECK(before->emitted == Tokens(3'500'000));
  CHECK(before->provider == Tokens(9'300'000));
  CHECK(before->owed == Credits(0));
  // Of what the vault paid alone: 500,000 x 6,000,000 / 9,500,000 = 315,789.5.
  CHECK(before->retire == Tokens(315'790));
}

TEST_CASE("Nothing delivered is refunded whole, without a price") {
  const Settlement settled = SettleUnearned(Credits(1'000), Credits(5));
  CHECK(settled.refunded == Credits(1'005));
  CHECK(settled.consumed + settled.burned + settled.owed == Credits(0));
  CHECK(Settle({Credits(1'000), Credits(5), Credits(0)}, kTwoDollars, {.vault = Tokens(9)}) ==
        settled);
}

// floor(value), ceil(value) of a fraction, written another way than the code under test.
bool IsFloor(int128 q, int128 a, int128 b, int128 c) {
  return q * c <= a * b && a * b < (q + 1) * c;
}
bool IsCeil(int128 q, int128 a, int128 b, int128 c) {
  return q * c >= a * b && a * b > (q - 1) * c;
}

TEST_CASE("Every settlement uses the escrow once, pays no more than there is, and rounds as said") {
  std::mt19937_64 random(20260101);
  int partial = 0, mixed = 0;
  for (int i = 0; i < 200'000; ++i) {
    const Credits notional(1 + Any(random, 1'440'000'000'000'000));
    const Credits surcharge(Any(random, notional.value() / 200));
    const Credits verified(random() % 4 == 0 ? notional.value() : Any(random, notional.value()));
    const TokenPrice high(1 + Any(random, kMaxTokenPrice.value() - 1));
    const auto gross = GrossTokens(verified, high);
    Tokens vault(Any(random, kMaxTokens.value()));
    // Often near what is due.
    if (gross && random() % 2 == 0) vault = Tokens(Any(random, gross->value() + 1));
    Tokens emission(random() % 2 == 0 ? 0 : Any(random, 46'500'000'000));
    if (gross && random() % 4 == 0) emission = Tokens(Any(random, gross->value() + 1));
    const bool emission_first = random() % 2 == 0;
    const auto settled =
        Settle({notional, surcharge, verified}, high, {vault, emission, emission_first});
    CHECK(settled.has_value() == (verified == Credits(0) || gross.has_value()));
    if (!settled) continue;
    CHECK(settled->consumed + settled->burned + settled->refunded + settled->owed ==
          notional + surcharge);
    CHECK(settled->consumed + settled->owed == verified);
    CHECK(settled->verified == verified);
    for (const Credits part :
         {settled->consumed, settled->burned, settled->refunded, settled->owed}) {
      CHECK(part >= Credits(0));
    }
    for (const Tokens part : {settled->provider, settled->fee, settled->retire, settled->emitted}) {
      CHECK(part >= Tokens(0));
    }
    CHECK(settled->emitted <= emission);
    CHECK(settled->emitted <= settled->provider + settled->fee);
    CHECK(settled->provider + settled->fee - settled->emitted + settled->retire <= vault);
    if (verified == Credits(0)) continue;

    const int64_t g = settled->gross.value();
    CHECK(IsFloor(g, int128{verified.value()} * 1'000'000, 1, int128{60} * high.value()));
    CHECK(IsCeil(settled->burned.value(), surcharge.value(), verified.value(), notional.value()));
    const int64_t r = (g * 5 + 99) / 100;
    const int64_t due = g - r;
    if (due == 0) continue;
    const int64_t paid = (settled->provider + settled->fee).value();
    CHECK(paid == std::min((vault + emission).value(), due));
    const int64_t emitted = settled->emitted.value();
    CHECK(emitted == (emission_first ? std::min(emission.value(), due)
                                     : std::max(int64_t{0}, paid - vault.value())));
    const int64_t from_vault = paid - emitted;
    CHECK(IsFloor(settled->fee.value(), g * 2 / 100, paid, due));
    CHECK(IsCeil(settled->owed.value(), verified.value(), due - paid, due));
    const int64_t left = vault.value() - from_vault;
    CHECK((settled->retire.value() == left || IsCeil(settled->retire.value(), r, from_vault, due)));
    partial += paid > 0 && paid < due;
    mixed += emitted > 0 && emitted < paid;
  }
  CHECK(partial > 10'000);
  CHECK(mixed > 5'000);
}

TEST_CASE("Burning tokens for one's own work always loses at least 7.25% of them") {
  // The prices of the moment: low <= high. The whole of what the top-up makes is sold to oneself.
  std::mt19937_64 random(3);
  for (int i = 0; i < 200'000; ++i) {
    const TokenPrice low(1 + Any(random, kMaxTokenPrice.value() - 1));
    const TokenPrice high(std::min(kMaxTokenPrice.value(), low.value() + Any(random, low.value())));
    const Tokens burn(1 + Any(random, kMaxTokens.value() - 1));
    const auto credits = TopUpCredits(burn, low);
    if (!credits || *credits == Credits(0)) continue;
    const auto settled = Settle({*credits, Credits(0), *credits}, high, {.vault = kMaxTokens});
    if (!settled) continue;
    // Got back: floor of at most 9,975/10,000 x 93%, plus the unit by which the fee is rounded
    // down.
    const int128 back = settled->provider.value();
    CHECK(back * 1'000'000 <= int128{burn.value()} * 927'675 + 1'000'000);
    CHECK(back < burn.value());
  }
}

}  // namespace
}  // namespace warpbook::settlement
