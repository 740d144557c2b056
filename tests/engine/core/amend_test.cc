#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("Fewer GPUs or no change keep priority; more GPUs or another price lose it") {
  RunScenario(R"(
setup
buy b1 4@10
buy b2 4@10
buy b3 4@10
amend b1 #1 gpus=3
  amended #1 tag=34 gpus=3 remaining=3 price=10000 kept_priority=1
amend b1 #1
  amended #1 gpus=3 kept_priority=1
amend b1 #1 gpus=3 price=10000
  amended #1 kept_priority=1
queue 1 bids 1 2 3
amend b1 #1 gpus=5
  amended #1 gpus=5 remaining=5 kept_priority=0
queue 1 bids 2 3 1
amend b2 #2 price=9000
  amended #2 price=9000 kept_priority=0
amend b2 #2 price=10000
  amended #2 kept_priority=0
queue 1 bids 3 1 2
amend b3 #3 price=11000 gpus=2
  amended #3 price=11000 gpus=2 kept_priority=0
queue 1 bids 3 1 2
)");
}

TEST_CASE("An amend re-locks at the minutes of its moment, and the difference moves at once") {
  RunScenario(R"(
setup
show CreditsMoved
buy b1 8@10
balance b1 locked=4804800
at T+88m
amend b1 #1 gpus=6
  amended #1 gpus=6 lock_minutes=30
  moved source=locked destination=free amount=3003000 locked_after=1801800
amend b1 #1
  amended #1 lock_minutes=30
at T+89m
amend b1 #1
  amended #1 lock_minutes=29
  moved source=locked destination=free amount=60060
amend b1 #1 price=20000
  amended #1 price=20000
  moved source=free destination=locked amount=1741740 locked_after=3483480
amend b1 #1 gpus=12
  amended #1 gpus=12
  moved source=free destination=locked amount=3483480 locked_after=6966960
)");
}

TEST_CASE("An amended order counts its fills, and may trade at its new price") {
  RunScenario(R"(
setup
buy b1 8@10
sell p1 3@10
sell p2 4@12
amend b1 #1 gpus=9 price=12000
  amended #1 gpus=9 remaining=6 price=12000 kept_priority=0
  filled #1 gpus=4 price=12000 remaining=2 is_maker=0
  filled #3 remaining=0 is_maker=1
queue 1 bids 1
amend b1 #1 gpus=7
  cancelled #1 tag=35 reason=amended_filled filled=7 remaining=2
amend b1 #1 gpus=9
  ! unknown_order
balance b1 locked=0
)");
}

TEST_CASE("An amend must pass the checks of a new order") {
  RunScenario(R"(
setup
buy b1 8@10
amend b1 #1 gpus=-1
  ! invalid_quantity
amend b1 #1 gpus=100001
  ! invalid_quantity
amend b1 #1 price=-1000
  ! price_not_positive
amend b1 #1 price=10001
  ! price_off_tick
amend b1 #1 price=101000
  ! price_outside_band
buy b2 100000@100 tier=economy
amend b2 #2 gpus=60000
amend b2 #2 gpus=100000 price=99000
  amended #2
balance b2 free=406000000000
amend b2 #2 price=100000
  amended #2
buy b2 66000@100 tier=economy
amend b2 #2 price=99000
amend b2 #2 price=100000
amend b2 #3 gpus=66667
  ! insufficient_credits detail=4000000000
)");
}

TEST_CASE("An amend needs credits, capacity and bonded limit for what it adds") {
  RunScenario(R"(
setup
SetBondedLimit from=op target_account_id=p1 limit=9600000
sell p1 12@10
amend p1 #1 gpus=17
  ! insufficient_capacity detail=4
amend p1 #1 gpus=16
  amended #1 gpus=16
amend p1 #1 price=11000
  ! bonded_limit_exceeded detail=0
amend p1 #1 price=9000
  amended #1 price=9000
balance p1 exposure=8640000
amend p1 #1 gpus=15 price=10000
  amended #1
balance p1 exposure=9000000
amend p1 #1 gpus=17
  ! insufficient_capacity detail=1
buy b1 1@20
  accepted #2
  filled #2
  filled #1 remaining=14
buy b1 1@9
amend p1 #1 price=12000
  ! bonded_limit_exceeded detail=600000
)");
}

TEST_CASE("An amend that is only to be validated is checked as any other and changes nothing") {
  RunScenario(R"(
setup
sell p1 3@10
buy b1 4@9 client_order_id=a
amend b1 #2 price=9500 validate_only=1
  ! price_off_tick detail=1000
amend b1 #2 price=101000 validate_only=1
  ! price_outside_band
amend b2 #2 price=11000 validate_only=1
  ! unknown_order
AmendOrder from=b1 tag=5 client_order_id=a price=11000 validate_only=1
  CommandAccepted tag=5 result_id=2 command_type=61 duplicate=0
amend b1 #2 gpus=1 validate_only=1
  CommandAccepted result_id=2
queue 1 asks 1
queue 1 bids 2
amend b1 #2 price=11000
  amended #2 price=11000
  filled #2 remaining=1
  filled #1
)");
}

}  // namespace
}  // namespace warpbook::engine
