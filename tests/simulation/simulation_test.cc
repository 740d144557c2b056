// Ten thousand seeds of the simulation. A failing one is told by its number and replays exactly by
// it: deploy/dev/simulate 1 SEED.
#include "tests/simulation/simulation.h"

#include <doctest/doctest.h>

namespace warpbook::simulation {
namespace {

constexpr uint64_t kHalf = 5'000;

// Two of them, so that two cores share the work.
void RunHalf(uint64_t first_seed) {
  RunCounts counts;
  for (uint64_t seed = first_seed; seed < first_seed + kHalf; ++seed) {
    const std::string fault = RunSeed(seed, counts);
    REQUIRE_MESSAGE(fault.empty(), fault);
  }
  // What happens too seldom is not tested.
  CHECK(counts.commands > 200 * kHalf);
  CHECK(counts.trades > kHalf);
  CHECK(counts.settled_leases > kHalf / 4);
  CHECK(counts.repeats > kHalf);
  CHECK(counts.power_losses > kHalf);
  CHECK(counts.kills > kHalf);
  CHECK(counts.stops > kHalf / 10);
  CHECK(counts.settlement_kills > kHalf);
  CHECK(counts.faults > kHalf / 4);
  CHECK(counts.torn_writes > kHalf / 20);
  CHECK(counts.snapshots > kHalf);
  CHECK(counts.snapshot_starts > kHalf);
  CHECK(counts.snapshot_kills > kHalf / 10);
  CHECK(counts.damaged_snapshots > kHalf / 20);
  CHECK(counts.archived_segments > kHalf);
}

TEST_CASE("The first five thousand seeds hold") { RunHalf(1); }

TEST_CASE("The second five thousand seeds hold") { RunHalf(1 + kHalf); }

TEST_CASE("A first and another run of a seed are the same") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    RunCounts one, other;
    REQUIRE(RunSeed(seed, one).empty());
    REQUIRE(RunSeed(seed, other).empty());
    CHECK(one == other);
  }
}

}  // namespace
}  // namespace warpbook::simulation
