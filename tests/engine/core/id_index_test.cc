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

}  // namespace
}  // namespace warpbook::engine
