// A ladder against a map: levels anywhere in a band of one tick up to millions of them.
#include "engine/core/price_ladder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <vector>

namespace warpbook::engine {
namespace {

constexpr int64_t kTick = 1'000;
constexpr int64_t kLow = 5'000;

// From the best to the worst.
std::vector<Price> Walk(const PriceLadder& ladder) {
  std::vector<Price> prices;
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    prices.push_back(ladder.PriceOf(*level));
  }
  return prices;
}

TEST_CASE("Levels come and go anywhere in the band, and are walked from the best to the worst") {
  for (const Side side : {Side::kBuy, Side::kSell}) {
    for (const int64_t ticks : {1, 2, 63, 64, 65, 4'095, 4'096, 4'097, 300'000, 9'999'990}) {
      CAPTURE(ticks);
      std::mt19937_64 random(static_cast<uint64_t>(ticks));
      LadderMemory memory;
      {
        const PriceGrid grid(Price(kTick), Price(kLow), Price(kLow + (ticks - 1) * kTick));
        PriceLadder ladder(side, grid, memory);
        std::map<int64_t, PriceLevel*> expected;
        for (int step = 0; step < 3'000; ++step) {
          const int64_t price = kLow + static_cast<int64_t>(random() % ticks) * kTick;
          const bool adds = random() % 100 < (step < 2'000 ? 70 : 20);
          if (adds) {
            PriceLevel& level = ladder.FindOrAdd(Price(price));
            level.orders_and_touched = 1;
            REQUIRE(ladder.PriceOf(level) == Price(price));
            const auto [at, is_new] = expected.emplace(price, &level);
            REQUIRE(at->second == &level);
          } else if (!expected.empty()) {
            auto at = expected.lower_bound(price);
            if (at == expected.end()) at = expected.begin();
            at->second->orders_and_touched = 0;
            ladder.Erase(*at->second);
            expected.erase(at);
          }
          REQUIRE(ladder.level_count() == expected.size());
          REQUIRE((ladder.Find(Price(price)) != nullptr) == expected.contains(price));
          if (step % 100 != 0) continue;
          std::vector<Price> prices;
          for (const auto& [at, level] : expected) prices.emplace_back(at);
          if (side == Side::kBuy) std::ranges::reverse(prices);
          REQUIRE(Walk(ladder) == prices);
        }
        CHECK(ladder.Find(Price(kLow - kTick)) == nullptr);
        CHECK(ladder.Find(Price(kLow + ticks * kTick)) == nullptr);
      }
      CHECK(memory.levels.live() == 0);
      CHECK(memory.nodes.live() == 0);
    }
  }
}

TEST_CASE("A far price does not allocate the range between") {
  LadderMemory memory;
  const PriceGrid grid{Price(kTick), Price(kTick), kMaxPrice};  // 10,000,000 prices
  PriceLadder ladder(Side::kSell, grid, memory);
  ladder.FindOrAdd(Price(kTick));
  const size_t path = memory.nodes.live();
  ladder.FindOrAdd(kMaxPrice);
  CHECK(path == 3);  // the lowest node has 4,096 of them, each step above 64 nodes
  CHECK(memory.nodes.live() == 2 * path - 1);
}

TEST_CASE("The grid finds each price of the band, and no other") {
  for (const int64_t tick :
       {int64_t{2}, int64_t{7}, kTick, int64_t{20'000}, kMaxPrice.value() / 2}) {
    for (const int64_t low_ticks : {1, 2, 5}) {
      const int64_t low = tick * low_ticks, high = low + 2 * tick;
      CAPTURE(tick);
      const PriceGrid grid{Price(tick), Price(low), Price(high)};
      REQUIRE(grid.size() == 3);
      CHECK(grid.low() == Price(low));
      CHECK(grid.high() == Price(high));
      CHECK(grid.tick() == Price(tick));
      for (uint32_t ticks = 0; ticks < 3; ++ticks) {
        const int64_t price = low + ticks * tick;
        CHECK(grid.At(ticks) == Price(price));
        CHECK(grid.Find(Price(price)) == ticks);
        CHECK(grid.Find(Price(price + 1)) == PriceGrid::kNone);
        CHECK(grid.Find(Price(price - 1)) == PriceGrid::kNone);
      }
      for (const int64_t outside :
           {low - tick, high + tick, int64_t{0}, -low, -tick, std::numeric_limits<int64_t>::min(),
            std::numeric_limits<int64_t>::max()}) {
        CHECK(grid.Find(Price(outside)) == PriceGrid::kNone);
      }
    }
  }
  // Every price of a band against a division.
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const int64_t tick = 1'000 * static_cast<int64_t>(1 + random() % 10'000);
    const int64_t low = tick * static_cast<int64_t>(1 + random() % 100);
    const int64_t high = low + tick * static_cast<int64_t>(random() % 9'000);
    const PriceGrid grid{Price(tick), Price(low), Price(high)};
    int64_t price = static_cast<int64_t>(random() % static_cast<uint64_t>(high + tick));
    if (random() % 2 == 0) price -= price % tick;
    const bool on_grid = price >= low && price <= high && price % tick == 0;
    REQUIRE(grid.Find(Price(price)) ==
            (on_grid ? static_cast<uint32_t>((price - low) / tick) : PriceGrid::kNone));
  }
}

}  // namespace
}  // namespace warpbook::engine
