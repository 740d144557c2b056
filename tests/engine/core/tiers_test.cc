#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("Bids trade by price, then tier, then time") {
  RunScenario(R"(
setup
buy b1 1@10 tier=economy
buy b1 1@10 tier=standard
buy b2 1@10 tier=premium
buy b2 1@10 tier=standard
buy b3 1@10 tier=premium
buy b3 1@11 tier=economy
queue 1 bids 6 3 5 2 4 1
sell p1 6@10
  accepted #7
  filled #6 price=11000
  filled #7
  filled #3
  filled #7
  filled #5
  filled #7
  filled #2
  filled #7
  filled #4
  filled #7
  filled #1
  filled #7 remaining=0
)");
}

TEST_CASE("Asks trade by price, then assurance, then time") {
  RunScenario(R"(
setup
sell p3 1@10
sell p2 1@10
sell p1 1@10
sell p2 1@10
sell p3 1@9
queue 1 asks 5 3 2 4 1
buy b1 5@10
  accepted #6
  filled #6 lease_id=1 price=9000
  filled #5
  filled #6 lease_id=2
  filled #3
  filled #6
  filled #2
  filled #6
  filled #4
  filled #6
  filled #1
)");
}

TEST_CASE("A minimum assurance passes worse asks over, and the book may rest crossed") {
  RunScenario(R"(
setup
sell p3 2@8
sell p2 2@9
buy b1 4@10 min_assurance=verified
  accepted #3
  filled #3 price=9000 remaining=2
  filled #2
buy b2 1@10 min_assurance=attested
  accepted #4
queue 1 bids 3 4
queue 1 asks 1
sell p1 1@10
  accepted #5
  filled #3 remaining=1
  filled #5
buy b3 1@8
  accepted #6
  filled #6
  filled #1
)");
}

TEST_CASE("An incoming ask passes over bids that want a better assurance") {
  RunScenario(R"(
setup
buy b1 2@12 min_assurance=attested
buy b2 2@11 min_assurance=verified
buy b3 2@10
sell p3 2@10
  accepted #4
  filled #3 price=10000
  filled #4
sell p2 3@10
  accepted #5
  filled #2 price=11000
  filled #5 remaining=1
queue 1 bids 1
queue 1 asks 5
)");
}

TEST_CASE("An ask carries the assurance of its acceptance, and an upgrade counts for new ones") {
  RunScenario(R"(
setup
sell p3 2@10
SetCapacity from=op node_id=3 gpus=16 assurance=attested
sell p3 2@10
buy b1 4@10 min_assurance=attested
  accepted #3
  filled #3 gpus=2
  filled #2
queue 1 asks 1
queue 1 bids 3
)");
}

}  // namespace
}  // namespace warpbook::engine
