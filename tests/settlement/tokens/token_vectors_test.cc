// The published figures: ours, and those of other networks where our formulas say the same. They
// say nothing of Helium's: years that halve, a net emission that follows what is burned and is
// smoothed; nor of the epochs by which Akash backs off.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "schema/types/arithmetic.h"
#include "schema/types/decimal.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/money_flow.h"
#include "settlement/tokens/prices.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

// The vectors are part of the tests (tests/golden/token_vectors.json).
class Vectors {
 public:
  Vectors() {
    document_ = parser_.load(std::string(WARPBOOK_SOURCE_DIR) + "/tests/golden/token_vectors.json");
  }
  int64_t Int(const std::string& pointer) { return document_.at_pointer(pointer).get_int64(); }
  double Decimal(const std::string& pointer) { return document_.at_pointer(pointer).get_double(); }
  std::string Text(const std::string& pointer) {
    return std::string(std::string_view(document_.at_pointer(pointer)));
  }

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element document_;
};

TEST_CASE("Genesis, pool and cap are the published ones") {
  Vectors vectors;
  CHECK(kGenesisTokens.value() == vectors.Int("/ours/genesis_utok"));
  CHECK(kEmissionPool.value() == vectors.Int("/ours/pool_utok"));
  CHECK(kSupplyCap.value() == vectors.Int("/ours/cap_utok"));
}

TEST_CASE("The daily emission follows the published schedule for ten years") {
  Vectors vectors;
  Tokens left = kEmissionPool;
  for (int day = 1; day <= 3650; ++day) {
    const Tokens emitted = DailyEmission(left);
    left -= emitted;
    if (day == 1) CHECK(emitted.value() == vectors.Int("/ours/day1"));
    if (day == 365) {
      CHECK((kEmissionPool - left).value() == vectors.Int("/ours/cum_day365"));
    }
  }
  CHECK((kEmissionPool - left).value() == vectors.Int("/ours/cum_day3650"));
}

TEST_CASE("No use of the emission brings more by a day than the whole of each day before it") {
  Vectors vectors;
  CHECK(EmissionBound(kEmissionPool, 0) == Tokens(0));
  CHECK(EmissionBound(kEmissionPool, 1).value() == vectors.Int("/ours/day1"));
  CHECK(EmissionBound(kEmissionPool, 365).value() == vectors.Int("/ours/cum_day365"));
  CHECK(EmissionBound(kEmissionPool, 3650).value() == vectors.Int("/ours/cum_day3650"));
  // What is too little for an emission of one unit stays in the pool.
  CHECK(kEmissionPool - EmissionBound(kEmissionPool, 1'000'000) == Tokens(6'451));
  std::mt19937_64 random(9);
  for (int round = 0; round < 200; ++round) {
    Tokens left = kEmissionPool;
    for (int64_t day = 1; day <= 400; ++day) {
      left -= Tokens(
          static_cast<int64_t>(random() % static_cast<uint64_t>(DailyEmission(left).value() + 1)));
      if (day % 100 == 0) CHECK(kEmissionPool - left <= EmissionBound(kEmissionPool, day));
    }
  }
}

TEST_CASE("A top-up makes the published credits") {
  Vectors vectors;
  CHECK(kTopUpSpreadBps == vectors.Int("/ours/top_up/spread_bps"));
  const auto credits = TopUpCredits(Tokens(vectors.Int("/ours/top_up/burn_utok")),
                                    TokenPrice(vectors.Int("/ours/top_up/p_low_uusd_per_tok")));
  REQUIRE(credits);
  CHECK(credits->value() == vectors.Int("/ours/top_up/credits"));
}

TEST_CASE("A lease settles to the published figures") {
  Vectors vectors;
  const auto notional =
      Notional(Price(vectors.Int("/ours/settle/price_uusd_per_gpu_hour")),
               Quantity(static_cast<int32_t>(vectors.Int("/ours/settle/gpus"))),
               Minutes(static_cast<int32_t>(vectors.Int("/ours/settle/minutes"))));
  REQUIRE(notional);
  CHECK(notional->value() == vectors.Int("/ours/settle/notional_credits"));
  const auto settled =
      Settle({*notional, Credits(0), *notional},
             TokenPrice(vectors.Int("/ours/settle/p_uusd_per_tok")), {.vault = kMaxTokens});
  REQUIRE(settled);
  CHECK(settled->gross.value() == vectors.Int("/ours/settle/gross_utok"));
  CHECK(settled->retire.value() == vectors.Int("/ours/settle/retire_utok"));
  CHECK(settled->fee.value() == vectors.Int("/ours/settle/fee_utok"));
  CHECK(settled->provider.value() == vectors.Int("/ours/settle/provider_utok"));
  CHECK(settled->consumed == *notional);
  CHECK(settled->owed == Credits(0));
  CHECK(settled->refunded == Credits(0));
}

// USD into credits.
Credits Usd(int64_t usd) { return Credits(usd * kCreditsPerUsd); }

// Tokens as the vectors write them: "-210.526316".
Tokens Tok(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const auto tokens = ParseTokens(text);
  REQUIRE(tokens);
  return is_negative ? -*tokens : *tokens;
}

TEST_CASE("Work is worth what Akash mints for the same dollars, rounded down") {
  // AEP-76: $1,000 at $1.14 are 877.192982 AKT, and $10,000,000 are 8771929 whole ones.
  Vectors vectors;
  const auto minted = GrossTokens(Usd(1'000), TokenPrice(1'140'000));
  CHECK(minted == Tok(vectors.Text("/akash_aep76/mint/0/akt")));
  const auto many = GrossTokens(Usd(10'000'000), TokenPrice(1'140'000));
  CHECK(many->value() / kMicroTokPerTok * kMicroTokPerTok ==
        Tok(vectors.Text("/akash_aep76/mint/1/akt")).value());
  // At $1.50 they are 666.666667 there, rounded to nearest, and one unit less here; at $0.90
  // 1111.111111. What the supply has lost or gained meanwhile is the same.
  const auto dearer = GrossTokens(Usd(1'000), TokenPrice(1'500'000));
  CHECK(*dearer + Tokens(1) == Tok(vectors.Text("/akash_aep76/settle/0/akt")));
  CHECK(*dearer - *minted == Tok(vectors.Text("/akash_aep76/settle/0/net")));
  const auto cheaper = GrossTokens(Usd(1'000), TokenPrice(900'000));
  CHECK(*cheaper == Tok(vectors.Text("/akash_aep76/settle/1/akt")));
  CHECK(*cheaper - *minted == Tok(vectors.Text("/akash_aep76/settle/1/net")));
}

TEST_CASE(
    "Whole micro-dollars at a price of three are Akash's, and what it refuses is nothing here") {
  Vectors vectors;
  const auto tokens_for = [](int64_t micro_usd) {
    return GrossTokens(Credits(micro_usd * 60), TokenPrice(3'000'000));
  };
  const std::string cases = "/akash_aep76/integer_cases_p3/";
  CHECK(vectors.Text(cases + "0/out") == "ErrEpsilon");
  CHECK(tokens_for(vectors.Int(cases + "0/uact")) == Tokens(0));
  // Its quotient of 3 has 18 decimals, and falls short of one; ours is exact.
  CHECK(tokens_for(vectors.Int(cases + "1/uact")) == Tokens(1));
  CHECK(tokens_for(vectors.Int(cases + "2/uact")) == Tokens(vectors.Int(cases + "2/out")));
  CHECK(tokens_for(vectors.Int(cases + "3/uact")) == Tokens(vectors.Int(cases + "3/out")));
  // With a spread of 100 bps, divided once as ours.
  const int64_t kept = 10'000 - vectors.Int(cases + "4/spread_bps");
  CHECK(tokens_for(vectors.Int(cases + "4/uact") * kept / 10'000) ==
        Tokens(vectors.Int(cases + "4/user")));
}

TEST_CASE("Spread and breaker are those of Akash") {
  Vectors vectors;
  CHECK(kTopUpSpreadBps == vectors.Int("/akash_aep76/params/mint_spread_bps"));
  CHECK(kCoverageWarnBps == vectors.Int("/akash_aep76/params/warn_bps"));
  CHECK(kCoverageStressBps == vectors.Int("/akash_aep76/params/halt_bps"));
  CHECK(NextCoverageState(CoverageState::kSound, kCoverageWarnBps - 10) == CoverageState::kWarning);
  CHECK(NextCoverageState(CoverageState::kSound, kCoverageStressBps - 1) ==
        CoverageState::kStressed);
}

TEST_CASE("Burning and minting at two prices gives Render's figures") {
  // RNP-023: of $1,000 some are burned at one price and some are minted at another. What is burned
  // makes those dollars here, less the spread. Its figures have one decimal or two.
  Vectors vectors;
  constexpr std::array<int64_t, 5> kUnits = {100'000, 100'000, 10'000, 10'000, 10'000};
  for (size_t i = 0; i < kUnits.size(); ++i) {
    CAPTURE(i);
    const std::string at = "/render_rnp023/" + std::to_string(i);
    const auto price = [&](const char* name) {
      return TokenPrice(std::llround(vectors.Decimal(at + name) * 1e6));
    };
    const int64_t usd = vectors.Int(at + "/usd");
    const Credits reward(Usd(usd).value() / 10'000 * vectors.Int(at + "/reward_bps"));
    const auto minted = GrossTokens(reward, price("/p_mint"));
    CHECK((minted->value() + kUnits[i] / 2) / kUnits[i] ==
          std::llround(vectors.Decimal(at + "/mint") * 1e6 / static_cast<double>(kUnits[i])));
    const Credits burned(Usd(usd).value() / 10'000 * vectors.Int(at + "/burn_bps"));
    CHECK(TopUpCredits(Tokens(vectors.Int(at + "/burn") * kMicroTokPerTok), price("/p_burn")) ==
          Credits(burned.value() / 10'000 * (10'000 - kTopUpSpreadBps)));
  }
}

TEST_CASE(
    "A month's part of Render's pool is what an emission of ours would be, but for rounding") {
  Vectors vectors;
  const int64_t pool = vectors.Int("/render/pool");
  CHECK(vectors.Int("/render/base_supply") + pool == vectors.Int("/render/max_supply"));
  // It rounds to nearest: 760,567.1 and 492,131.7.
  const auto month = [&](const std::string& year) {
    return MulDivDown(pool, vectors.Int("/render/years/" + year + "/bps"), 120'000);
  };
  CHECK(month("0") == vectors.Int("/render/years/0/monthly"));
  CHECK(*month("1") + 1 == vectors.Int("/render/years/1/monthly"));
}

TEST_CASE("A constant part of what is left emits what io.net's months add up to") {
  // m0 = 500e6 x 0.08 / 12, and each month 1.02% less: that part of a pool of m0 / 1.02%.
  Vectors vectors;
  const int64_t pool = *MulDivDown(int64_t{500'000'000} * kMicroTokPerTok, 8 * 10'000, 1'200 * 102);
  int64_t left = pool;
  for (int month = 0; month < 240; ++month) left -= *MulDivDown(left, 102, 10'000);
  // To its one decimal.
  CHECK((pool - left + 50'000) / 100'000 ==
        std::llround(vectors.Decimal("/ionet_legacy/sum") * 10));
}

TEST_CASE("A share of a supply is rounded down as Livepeer rounds its inflation") {
  Vectors vectors;
  const int64_t supply = vectors.Int("/livepeer_lip40/0/supply");
  CHECK(MulDivDown(supply, 452, 1'000'000) == vectors.Int("/livepeer_lip40/0/mint"));
  CHECK(MulDivDown(supply, 4'545, 10'000'000) == vectors.Int("/livepeer_lip40/1/mint"));
}

}  // namespace
}  // namespace warpbook::settlement
