#include "tests/simulation/economics/scenario.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::economics {
namespace {

constexpr int64_t kUsd = 1'000'000;  // in micro-USD
constexpr int64_t Day(int64_t day) { return day * kHoursPerDay; }

// A path with a knot every so many days, each at most ten times the one before or a tenth of it.
Path RandomPath(simulation::Random& random, int64_t days, int64_t start, int64_t low,
                int64_t high) {
  Path path = {{0, start}};
  while (path.back().hour < Day(days)) {
    const int64_t value = path.back().value;
    const int64_t factor = random.Between(100, 1'000);
    const int64_t next = random.OneIn(2) ? value * factor / 100 : value * 100 / factor;
    // A jump within an hour, or slowly.
    const int64_t hours = random.OneIn(4) ? 1 : random.Between(1, 60 * kHoursPerDay);
    path.push_back({path.back().hour + hours, std::clamp(next, low, high)});
  }
  return path;
}

}  // namespace

int64_t At(const Path& path, int64_t minute) {
  WARPBOOK_CHECK(!path.empty());
  const auto next = std::find_if(path.begin(), path.end(),
                                 [minute](const Knot& knot) { return knot.hour * 60 > minute; });
  if (next == path.begin()) return path.front().value;
  if (next == path.end()) return path.back().value;
  const Knot& before = *(next - 1);
  const int64_t minutes = (next->hour - before.hour) * 60;
  return before.value + (next->value - before.value) * (minute - before.hour * 60) / minutes;
}

std::vector<Scenario> NamedScenarios() {
  const Path flat = {{0, 2 * kUsd}};
  std::vector<Scenario> all;
  all.push_back({.name = "steady", .demand = {{0, 200'000}}, .price = flat});
  all.push_back({.name = "boom",
                 .demand = {{0, 50'000}, {Day(60), 100'000}, {Day(300), 5'000'000}},
                 .price = {{0, kUsd}, {Day(60), kUsd}, {Day(300), 8 * kUsd}}});
  all.push_back({.name = "bust",
                 .demand = {{0, 2'000'000}, {Day(90), 2'000'000}, {Day(180), 50'000}},
                 .price = {{0, 4 * kUsd}, {Day(90), 4 * kUsd}, {Day(180), kUsd / 2}}});
  // Within six hours; the run comes at the bottom.
  all.push_back({.name = "crash",
                 .demand = {{0, 200'000}, {Day(180), 200'000}, {Day(182), 100'000}},
                 .price = {{0, 2 * kUsd},
                           {Day(180), 2 * kUsd},
                           {Day(180) + 6, 2 * kUsd / 5},
                           {Day(240), 2 * kUsd / 5},
                           {Day(300), kUsd}},
                 .run_hour = Day(180) + 8});
  all.push_back({.name = "wash",
                 .demand = {{0, 100'000}},
                 .price = flat,
                 .wash_owners = 10,
                 .wash_usd = 300'000});
  // It sells a third of the year's pay at a time, and the price falls by a third each time.
  all.push_back({.name = "whale",
                 .demand = {{0, 200'000}},
                 .price = {{0, 2 * kUsd},
                           {Day(90), 2 * kUsd},
                           {Day(91), 4 * kUsd / 3},
                           {Day(150), 2 * kUsd},
                           {Day(180), 2 * kUsd},
                           {Day(181), 4 * kUsd / 3},
                           {Day(240), 2 * kUsd},
                           {Day(270), 2 * kUsd},
                           {Day(271), 4 * kUsd / 3},
                           {Day(330), 2 * kUsd}},
                 .whale_percent = 70,
                 .whale_sells = {Day(90), Day(180), Day(270)},
                 .whale_leaves = Day(270)});
  return all;
}

Scenario RandomScenario(simulation::Random& random, int64_t days) {
  Scenario scenario;
  scenario.name = "random";
  scenario.demand = RandomPath(random, days, random.Between(1'000, 1'000'000), 0, 20'000'000);
  scenario.price = RandomPath(random, days, random.Between(10'000, 20'000'000), 1'000, 500 * kUsd);
  scenario.prepaid_hours = random.Between(1, 40 * kHoursPerDay);
  if (random.OneIn(2)) scenario.run_hour = random.Between(0, Day(days));
  if (random.OneIn(2)) {
    scenario.whale_percent = random.Between(1, 100);
    for (int i = 0; i < 3; ++i) scenario.whale_sells.push_back(random.Between(0, Day(days)));
    if (random.OneIn(2)) scenario.whale_leaves = random.Between(0, Day(days));
  }
  scenario.wash_owners = random.OneIn(2) ? 1 : 10;
  scenario.wash_usd = random.Between(1'000, 1'000'000);
  return scenario;
}

}  // namespace warpbook::economics
