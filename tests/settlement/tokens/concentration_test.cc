#include "settlement/tokens/concentration.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "settlement/tokens/electricity.h"

namespace warpbook::settlement {
namespace {

std::vector<Credits> Shares(const std::vector<int64_t>& amounts) {
  std::vector<Credits> shares;
  for (const int64_t amount : amounts) shares.emplace_back(amount);
  return shares;
}

}  // namespace

TEST_CASE("The largest shares are added and rounded down") {
  CHECK(LargestShareBps({}, 10) == 0);
  CHECK(LargestShareBps(Shares({0, 0}), 10) == 0);
  CHECK(LargestShareBps(Shares({5}), 10) == 10'000);
  CHECK(LargestShareBps(Shares({1, 3, 2}), 1) == 5'000);
  CHECK(LargestShareBps(Shares({1, 3, 2}), 2) == 8'333);
  std::vector<int64_t> twenty(20, 7);
  CHECK(LargestShareBps(Shares(twenty), 10) == 5'000);
  twenty[13] = 700;
  CHECK(LargestShareBps(Shares(twenty), 10) == (700 + 9 * 7) * 10'000 / (700 + 19 * 7));
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(LargestShareBps(Shares({kMost / 2, kMost / 2}), 1) == 5'000);
}

TEST_CASE("The Herfindahl index is the sum of the squares of the shares") {
  CHECK(HerfindahlBps({}) == 0);
  CHECK(HerfindahlBps(Shares({0})) == 0);
  CHECK(HerfindahlBps(Shares({1})) == 10'000);
  CHECK(HerfindahlBps(Shares({0, 9, 0})) == 10'000);
  CHECK(HerfindahlBps(Shares({1, 1})) == 5'000);
  CHECK(HerfindahlBps(Shares({1, 1, 1})) == 3'333);     // rounded down
  CHECK(HerfindahlBps(Shares({50, 30, 20})) == 3'800);  // 0.25 + 0.09 + 0.04
  CHECK(HerfindahlBps(Shares({99, 1})) == 9'802);
  CHECK(HerfindahlBps(Shares(std::vector<int64_t>(10'000, 3))) == 1);
  CHECK(HerfindahlBps(Shares(std::vector<int64_t>(10'001, 3))) == 0);
  // As large as credits can be.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(HerfindahlBps(Shares({kMost})) == 10'000);
  CHECK(HerfindahlBps(Shares({kMost / 2, kMost / 2})) == 5'000);
  CHECK(HerfindahlBps(Shares({kMost / 10 * 5, kMost / 10 * 3, kMost / 10 * 2})) == 3'800);
}

TEST_CASE("The electricity of a GPU-hour is TDP x 1.25 x tariff, rounded up") {
  // The design's data: 0.105 USD for 700 W and 0.12 USD per kWh.
  CHECK(ElectricityFloor(700, kTariffDefault) == Price(105'000));
  CHECK(ElectricityFloor(1'000, kTariffDefault) == Price(150'000));
  CHECK(ElectricityFloor(70, kTariffDefault) == Price(10'500));
  CHECK(ElectricityFloor(1, 1) == Price(1));
  CHECK(ElectricityFloor(1'000'000, kTariffMax) == Price(12'500 * kMicroUsdPerUsd));
}

}  // namespace warpbook::settlement
