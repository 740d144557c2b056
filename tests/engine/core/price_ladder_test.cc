// A ladder against a map: levels anywhere in a band of one tick up to millions of them.
#include "engine/core/price_ladder.h"

#include <doctest/doctest.h>

#include <algorithm>
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
    prices.push_back(level->price);
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
        PriceLadder ladder(side, Price(kTick), Price(kLow), Price(kLow + (ticks - 1) * kTick),
                           memory);
        std::map<int64_t, PriceLevel*> expected;
        for (int step = 0; step < 3'000; ++step) {
          const int64_t price = kLow + static_cast<int64_t>(random() % ticks) * kTick;
          const bool adds = random() % 100 < (step < 2'000 ? 70 : 20);
          if (adds) {
            PriceLevel& level = ladder.FindOrAdd(Price(price));
            level.orders = 1;
            REQUIRE(level.price == Price(price));
            const auto [at, is_new] = expected.emplace(price, &level);
            REQUIRE(at->second == &level);
          } else if (!expected.empty()) {
            auto at = expected.lower_bound(price);
            if (at == expected.end()) at = expected.begin();
            ladder.EraseIfEmpty(*at->second);  // it is not
            at->second->orders = 0;
            ladder.EraseIfEmpty(*at->second);
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
  PriceLadder ladder(Side::kSell, Price(kTick), Price(kTick), kMaxPrice, memory);
  ladder.FindOrAdd(Price(kTick));
  const size_t path = memory.nodes.live();
  ladder.FindOrAdd(kMaxPrice);
  CHECK(path == 4);  // 10,000,000 ticks, 64 ways
  CHECK(memory.nodes.live() == 2 * path - 1);
}

}  // namespace
}  // namespace warpbook::engine
