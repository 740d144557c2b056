// The published figures: ours, and those of other networks where our formulas say the same.
#include <doctest/doctest.h>
#include <simdjson.h>

#include <cstdint>
#include <random>
#include <string>

#include "schema/types/arithmetic.h"
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

TEST_CASE("Work is worth what Akash mints for the same dollars, rounded down") {
  // AEP-76: $1,000 at $1.14 are 877.192982 AKT; at $1.50 they are 666.666667 (rounded to nearest)
  // and at $0.90 1111.111111.
  Vectors vectors;
  CHECK(vectors.Text("/akash_aep76/mint/0/akt") == "877.192982");
  CHECK(GrossTokens(Usd(1'000), TokenPrice(1'140'000)) == Tokens(877'192'982));
  CHECK(vectors.Text("/akash_aep76/mint/1/akt") == "8771929");
  CHECK(GrossTokens(Usd(10'000'000), TokenPrice(1'140'000))->value() / kMicroTokPerTok ==
        8'771'929);
  CHECK(vectors.Text("/akash_aep76/settle/0/akt") == "666.666667");
  CHECK(GrossTokens(Usd(1'000), TokenPrice(1'500'000)) == Tokens(666'666'666));
  CHECK(vectors.Text("/akash_aep76/settle/1/akt") == "1111.111111");
  CHECK(GrossTokens(Usd(1'000), TokenPrice(900'000)) == Tokens(1'111'111'111));
  // Whole micro-dollars at a price of $3: 4 -> 1, 1,000,000 -> 333,333.
  CHECK(GrossTokens(Credits(4 * 60), TokenPrice(3'000'000)) ==
        Tokens(vectors.Int("/akash_aep76/integer_cases_p3/2/out")));
  CHECK(GrossTokens(Credits(1'000'000 * 60), TokenPrice(3'000'000)) ==
        Tokens(vectors.Int("/akash_aep76/integer_cases_p3/3/out")));
}

TEST_CASE("Burning and minting at two prices gives Render's figures") {
  // RNP-023: of $1,000, 56% are minted: at $2.00 280, at $2.10 266.7, at $1.90 294.74 tokens.
  const Credits reward(Usd(1'000).value() * 56 / 100);
  CHECK(GrossTokens(reward, TokenPrice(2'000'000)) == Tokens(280'000'000));
  CHECK((GrossTokens(reward, TokenPrice(2'100'000))->value() + 50'000) / 100'000 == 2'667);
  CHECK((GrossTokens(reward, TokenPrice(1'900'000))->value() + 5'000) / 10'000 == 29'474);
  // 31% at $2.10: 147.62.
  const Credits less(Usd(1'000).value() * 31 / 100);
  CHECK((GrossTokens(less, TokenPrice(2'100'000))->value() + 5'000) / 10'000 == 14'762);
}

TEST_CASE("A share of a supply is rounded down as Livepeer rounds its inflation") {
  Vectors vectors;
  const int64_t supply = vectors.Int("/livepeer_lip40/0/supply");
  CHECK(MulDivDown(supply, 452, 1'000'000) == vectors.Int("/livepeer_lip40/0/mint"));
  CHECK(MulDivDown(supply, 4'545, 10'000'000) == vectors.Int("/livepeer_lip40/1/mint"));
}

}  // namespace
}  // namespace warpbook::settlement
