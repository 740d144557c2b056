#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("No single fill is below an order's minimum, and what cannot serve it is passed over") {
  RunScenario(R"(
setup
sell p1 3@8
sell p2 5@9
buy b1 8@10 min_fill=4
  accepted #3
  filled #3 gpus=5 price=9000 remaining=3
  filled #2
  cancelled #3 reason=min_fill remaining=3 filled=5
queue 1 asks 1
balance b1 locked=0
)");
}

TEST_CASE("A resting order's minimum fill lets smaller orders pass it by without blocking others") {
  RunScenario(R"(
setup
sell p1 8@8 min_fill=8
sell p2 2@9
buy b1 4@10
  accepted #3
  filled #3 gpus=2 price=9000 remaining=2
  filled #2
queue 1 bids 3
queue 1 asks 1
buy b2 8@8
  accepted #4
  filled #4 gpus=8
  filled #1
)");
}

TEST_CASE("A minimum fill of the whole quantity is served by one node alone") {
  RunScenario(R"(
setup
sell p1 8@8
sell p2 12@9
buy b1 12@10 min_fill=12
  accepted #3
  filled #3 gpus=12 price=9000
  filled #2
queue 1 asks 1
)");
}

TEST_CASE("A resting remainder below its minimum fill is cancelled and its lock released") {
  RunScenario(R"(
setup
show CreditsMoved
buy b1 8@10 min_fill=3
sell p1 6@10
  accepted #2
  filled #1 gpus=6 remaining=2
  filled #2
  moved source=locked destination=escrow amount=3603600
  cancelled #1 reason=min_fill remaining=2 filled=6
  moved source=locked destination=free amount=1201200 locked_after=0
)");
}

TEST_CASE("A resting ask's remainder below its minimum fill gives back exposure and capacity") {
  RunScenario(R"(
setup
sell p1 16@10 min_fill=4
buy b1 13@10
  accepted #2
  filled #2
  filled #1 remaining=3
  cancelled #1 reason=min_fill remaining=3 filled=13
balance p1 exposure=7800000
sell p1 4@10
  ! insufficient_capacity detail=3
sell p1 3@10
  accepted #3
)");
}

TEST_CASE("Fill-or-kill is judged by the same walk as every order") {
  RunScenario(R"(
setup
sell p1 3@8
sell p2 5@9
sell p3 4@10
buy b1 9@10 min_fill=4 time_in_force=fok
  accepted #4
  filled #4 gpus=5
  filled #2
  filled #4 gpus=4 remaining=0
  filled #3
sell p2 5@9
buy b1 8@10 min_fill=4 time_in_force=fok
  ! fok_not_fillable
buy b1 8@10 time_in_force=fok
  accepted #6
  filled #6 gpus=3
  filled #1
  filled #6 gpus=5
  filled #5
)");
}

TEST_CASE("Greedy fills may strand a remainder that another split would have served") {
  RunScenario(R"(
setup
sell p1 5@8
sell p2 5@9
buy b1 8@10 min_fill=4 time_in_force=ioc
  accepted #3
  filled #3 gpus=5
  filled #1
  cancelled #3 reason=min_fill remaining=3
)");
}

TEST_CASE("An amend to fewer GPUs than the minimum fill is refused") {
  RunScenario(R"(
setup
buy b1 8@10 min_fill=3
sell p1 4@10
amend b1 #1 gpus=6
  ! invalid_min_fill
amend b1 #1 gpus=7
  amended #1 gpus=7 remaining=3 kept_priority=1
amend b1 #1 gpus=4
  cancelled #1 reason=amended_filled filled=4 remaining=3
)");
}

}  // namespace
}  // namespace warpbook::engine
