#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("Cancel-newest keeps the fills made so far and cancels what meets an own order") {
  RunScenario(R"(
setup
sell p2 2@9
sell p1 2@10
sell p3 2@11
buy p1 6@11
  accepted #4
  filled #4 gpus=2 price=9000
  filled #1
  cancelled #4 reason=self_trade remaining=4 filled=2
queue 1 asks 2 3
queue 1 bids -
balance p1 locked=0
)");
}

TEST_CASE("Cancel-oldest takes the own resting order away and goes on") {
  RunScenario(R"(
setup
sell p1 2@10
sell p3 2@11
buy p1 4@11 self_trade_prevention=cancel_oldest
  accepted #3
  cancelled #1 reason=self_trade remaining=2
  filled #3 gpus=2 price=11000
  filled #2
queue 1 bids 3
balance p1 exposure=0 locked=1321320
)");
}

TEST_CASE("Cancel-both takes both orders and stops") {
  RunScenario(R"(
setup
sell p1 2@10
sell p3 2@11
buy p1 4@11 self_trade_prevention=cancel_both
  accepted #3
  cancelled #1 reason=self_trade remaining=2
  cancelled #3 reason=self_trade remaining=4
queue 1 asks 2
queue 1 bids -
)");
}

TEST_CASE("Decrement takes the smaller quantity off both without a trade") {
  RunScenario(R"(
setup
show CreditsMoved
sell p1 5@10
buy p1 3@10 self_trade_prevention=decrement
  accepted #2
  moved source=free destination=locked amount=1801800
  amended #1 tag=0 gpus=2 remaining=2 kept_priority=1 lock_minutes=60
  cancelled #2 reason=self_trade remaining=3
  moved source=locked destination=free amount=1801800
balance p1 exposure=1200000 locked=0
buy p1 6@10 self_trade_prevention=decrement
  accepted #3
  moved source=free destination=locked amount=3603600
  cancelled #1 reason=self_trade remaining=2
  amended #3 tag=0 gpus=4 remaining=4 kept_priority=1
  moved source=locked destination=free amount=1201200 locked_after=2402400
queue 1 bids 3
queue 1 asks -
balance p1 exposure=0 locked=2402400
)");
}

TEST_CASE("Decrement of equal quantities cancels both") {
  RunScenario(R"(
setup
sell p1 5@10
buy p1 5@10 self_trade_prevention=decrement
  accepted #2
  cancelled #1 reason=self_trade remaining=5
  cancelled #2 reason=self_trade remaining=5
)");
}

TEST_CASE("What a decrement leaves below a minimum fill is cancelled") {
  RunScenario(R"(
setup
sell p1 5@10 min_fill=3
buy p1 3@10 self_trade_prevention=decrement
  accepted #2
  cancelled #1 reason=min_fill remaining=5
  cancelled #2 reason=self_trade remaining=3
sell p1 5@10
buy p1 7@10 min_fill=3 self_trade_prevention=decrement
  accepted #4
  cancelled #3 reason=self_trade remaining=5
  cancelled #4 reason=min_fill remaining=7
)");
}

TEST_CASE("An own order that could not trade anyway is passed over") {
  RunScenario(R"(
setup
sell p1 5@9 min_fill=5
sell p2 5@10
buy p1 4@10 self_trade_prevention=cancel_both
  accepted #3
  filled #3 price=10000 gpus=4
  filled #2
queue 1 asks 1 2
SetCapacity from=op node_id=3 gpus=16 assurance=listed
sell p3 2@9
buy p3 1@9 min_assurance=verified
  accepted #5
queue 1 bids 5
)");
}

TEST_CASE("A fill-or-kill that meets an own order is refused without effect") {
  RunScenario(R"(
setup
sell p1 2@10
sell p2 4@11
buy p1 4@11 time_in_force=fok
  ! fok_meets_own_order
buy p1 4@11 time_in_force=fok self_trade_prevention=cancel_both
  ! fok_meets_own_order
buy p1 4@11 time_in_force=fok self_trade_prevention=decrement
  ! fok_meets_own_order
buy p1 5@11 time_in_force=fok
  ! fok_not_fillable
queue 1 asks 1 2
)");
}

TEST_CASE("A fill-or-kill under cancel-oldest skips own orders and cancels them on success alone") {
  RunScenario(R"(
setup
sell p1 2@10
sell p2 4@11
buy p1 5@11 time_in_force=fok self_trade_prevention=cancel_oldest
  ! fok_not_fillable
queue 1 asks 1 2
buy p1 4@11 time_in_force=fok self_trade_prevention=cancel_oldest
  accepted #3
  cancelled #1 reason=self_trade remaining=2
  filled #3 gpus=4 price=11000
  filled #2
queue 1 asks -
)");
}

TEST_CASE("A fill-or-kill that is filled before it reaches an own order does not meet it") {
  RunScenario(R"(
setup
sell p2 4@10
sell p1 2@11
buy p1 4@11 time_in_force=fok
  accepted #3
  filled #3
  filled #1
queue 1 asks 2
)");
}

TEST_CASE("An amended order trades under its own mode") {
  RunScenario(R"(
setup
sell p1 2@10
buy p1 4@9 self_trade_prevention=cancel_oldest
amend p1 #2 price=10000
  amended #2 price=10000 kept_priority=0
  cancelled #1 reason=self_trade
queue 1 bids 2
)");
}

}  // namespace
}  // namespace warpbook::engine
