#include "settlement/tokens/class_index.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace warpbook::settlement {
namespace {

constexpr Price kReference = Price(2'500'000);

TEST_CASE("The index is the price by notional, and nobody has more than a tenth of the say") {
  std::vector<DeliveredWork> work;
  for (uint64_t owner = 1; owner <= 10; ++owner) {
    work.push_back({OwnerId(owner), Price(2'000'000), Credits(100)});
  }
  CHECK(ClassIndex(work, kReference) == Price(2'000'000));
  // One more whose notional is ten times that of all others, at twice the price: its say is a
  // tenth of 11,000, beside 1,000.
  work.push_back({OwnerId(11), Price(4'000'000), Credits(10'000)});
  CHECK(ClassIndex(work, kReference) == Price(2'000'000 + int64_t{2'000'000} * 1'100 / 2'100));
  // Its own prices count by their notional.
  work.back().notional = Credits(25);
  work.push_back({OwnerId(11), Price(2'000'000), Credits(75)});
  CHECK(ClassIndex(work, kReference) == Price(2'000'000 + 500'000 / 11));
}

TEST_CASE("Until ten owners have delivered the catalogue's price stands") {
  std::vector<DeliveredWork> work;
  CHECK(ClassIndex(work, kReference) == kReference);
  for (uint64_t owner = 1; owner <= 9; ++owner) {
    work.push_back({OwnerId(owner), Price(1'000'000), Credits(1'000)});
    work.push_back({OwnerId(owner), Price(1'000'000), Credits(1'000)});
  }
  CHECK(ClassIndex(work, kReference) == kReference);
  work.push_back({OwnerId(10), Price(1'000'000), Credits(0)});  // has delivered nothing
  CHECK(ClassIndex(work, kReference) == kReference);
  work.back().notional = Credits(1);
  CHECK(ClassIndex(work, kReference) == Price(1'000'000));
}

TEST_CASE("The index lies between the prices, whatever the order") {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<DeliveredWork> work;
    const size_t lots = 10 + random() % 60;
    for (size_t i = 0; i < lots; ++i) {
      // The first ten see to it that there are enough owners.
      const uint64_t owner = 1 + (i < 10 ? i : random() % 30);
      work.push_back(
          {OwnerId(owner), Price(1 + static_cast<int64_t>(random() % 1'000'000'000)),
           Credits(1 + static_cast<int64_t>(random() % 1'440'000'000'000'000 >> random() % 50))});
    }
    const Price index = ClassIndex(work, kReference);
    const auto [low, high] = std::ranges::minmax(work, {}, &DeliveredWork::price);
    CHECK(index >= low.price);
    CHECK(index <= high.price);
    std::ranges::shuffle(work, random);
    CHECK(ClassIndex(work, kReference) == index);
  }
}

}  // namespace
}  // namespace warpbook::settlement
