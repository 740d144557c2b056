// The table of live orders against a map: ids that ascend, are erased in any order, and some of
// which live much longer than the others.
#include "engine/core/id_index.h"

#include <doctest/doctest.h>

#include <deque>
#include <iterator>
#include <map>
#include <random>

#include "engine/core/order.h"

namespace warpbook::engine {
namespace {

TEST_CASE("The index of orders finds what is in it and nothing else") {
  for (const uint64_t seed : {1, 2, 3}) {
    std::mt19937_64 random(seed);
    IdIndex<Order> index;
    std::map<uint64_t, Order*> expected;
    std::deque<Order> orders;
    // Up to some 20,000 live ones, so that the table grows; then down to none.
    for (uint64_t id = 1; id <= 100'000; ++id) {
      orders.emplace_back().id = OrderId(id);
      index.Insert(&orders.back());
      expected.emplace(id, &orders.back());
      const bool shrinks = id > 60'000;
      while (!expected.empty() && random() % 100 < (shrinks ? 80 : 45)) {
        // Mostly a young one; now and then any.
        auto at = expected.lower_bound(random() % 8 == 0 ? random() % id : id - random() % 500);
        if (at == expected.end()) at = std::prev(expected.end());
        index.Erase(OrderId(at->first));
        expected.erase(at);
      }
      const uint64_t asked = 1 + random() % (id + 2);
      const auto found = expected.find(asked);
      REQUIRE(index.Find(OrderId(asked)) == (found == expected.end() ? nullptr : found->second));
      REQUIRE(index.size() == expected.size());
    }
    for (uint64_t id = 1; id <= 100'000; ++id) {
      const auto found = expected.find(id);
      REQUIRE(index.Find(OrderId(id)) == (found == expected.end() ? nullptr : found->second));
    }
  }
}

TEST_CASE("Ids that differ in their high bits alone do not crowd each other") {
  // As the levels of many ladders at the same prices.
  struct alignas(64) Level {
    StrongId<struct LevelTag, uint64_t> id;
  };
  using LevelId = decltype(Level::id);
  IdIndex<Level> index;
  std::deque<Level> levels;
  const auto id_of = [](uint64_t ladder, uint64_t rank) { return LevelId(ladder << 32 | rank); };
  for (uint64_t ladder = 1; ladder <= 2'000; ++ladder) {
    for (uint64_t rank = 200; rank < 300; ++rank) {
      levels.push_back({id_of(ladder, rank)});
      index.Insert(&levels.back());
    }
  }
  // All lie in a line of eight or close behind it.
  uint64_t at_home = 0;
  for (const Level& level : levels) {
    REQUIRE(index.Find(level.id) == &level);
    at_home += index.Guess(level.id) == &level ? 1 : 0;
  }
  CHECK(at_home > levels.size() / 2);
  REQUIRE(index.Find(id_of(2'001, 200)) == nullptr);
}

TEST_CASE("The index tells apart orders whose ids end alike") {
  IdIndex<Order> index;
  std::deque<Order> orders;
  constexpr uint64_t kApart = uint64_t{1} << 23;
  for (uint64_t id = 5; id < 40 * kApart; id += kApart) {
    orders.emplace_back().id = OrderId(id);
    index.Insert(&orders.back());
  }
  for (Order& order : orders) {
    const uint64_t id = order.id.value();
    REQUIRE(index.Find(order.id) == &order);
    REQUIRE(index.Find(OrderId(id + 40 * kApart)) == nullptr);
  }
  for (size_t i = 0; i < orders.size(); i += 2) index.Erase(orders[i].id);
  for (size_t i = 0; i < orders.size(); ++i) {
    REQUIRE(index.Find(orders[i].id) == (i % 2 == 0 ? nullptr : &orders[i]));
  }
}

}  // namespace
}  // namespace warpbook::engine
