#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("Trades print at the resting order's price, and the buyer's difference is released") {
  RunScenario(R"(
setup
show CreditsMoved TradeExecuted
sell p1 4@9
  accepted #1 tier=attested backing_id=1 lock_minutes=60 price=9000
buy b1 8@10
  accepted #2 lock_minutes=60 tier=standard gpus=8
  moved source=free destination=locked amount=4804800 order_id=2 locked_after=4804800
  trade lease_id=1 buyer_account_id=3 buyer_owner_id=1 provider_account_id=6 provider_owner_id=4 seller_account_id=6 seller_owner_id=4 resold_lease_id=0 provider_price=9000 node_id=1 buy_order_id=2 sell_order_id=1 price=9000 gpus=4 minutes=60 notional=2160000 surcharge=2160 taker_side=buy tier=standard assurance=attested
  filled to=3 #2 lease_id=1 price=9000 gpus=4 remaining=4 is_maker=0 surcharge=2160 notional=2160000
  filled to=6 #1 lease_id=1 price=9000 gpus=4 remaining=0 is_maker=1 surcharge=0
  moved source=locked destination=escrow amount=2162160 lease_id=1 order_id=2
  moved source=locked destination=free amount=240240 order_id=2 locked_after=2402400
balance b1 free=999995435440 locked=2402400 escrow=2162160
balance p1 exposure=2160000
sell p2 4@8
  accepted #3
  trade lease_id=2 price=10000 taker_side=sell assurance=verified
  filled #2 remaining=0 is_maker=1
  filled #3 remaining=0 is_maker=0
  moved source=locked destination=escrow amount=2402400
balance b1 free=999995435440 locked=0 escrow=4564560
balance p2 exposure=2400000
queue 1 bids -
queue 1 asks -
)");
}

TEST_CASE("Each tier pays its surcharge: premium 0.5%, standard 0.1%, economy none") {
  RunScenario(R"(
setup
buy b1 1@10 tier=premium
buy b2 1@10 tier=standard
buy b3 1@10 tier=economy
balance b1 locked=603000
balance b2 locked=600600
balance b3 locked=600000
)");
}

TEST_CASE("A market order trades up to its protection price, by default the band's far edge") {
  RunScenario(R"(
setup
show CreditsMoved
sell p1 2@10
sell p2 2@100
buy b1 6@market time_in_force=ioc
  accepted #3 price=100000 type=market
  moved amount=36036000 source=free destination=locked
  filled #3 price=10000
  filled #1
  moved source=locked destination=escrow amount=1201200
  moved source=locked destination=free amount=10810800
  filled #3 price=100000
  filled #2
  moved source=locked destination=escrow amount=12012000
  cancelled #3 reason=ioc_remainder remaining=2 filled=4
  moved source=locked destination=free amount=12012000 locked_after=0
buy b1 1@50
sell p1 1@market time_in_force=fok
  accepted #5 price=1000
  filled #4 price=50000
  filled #5
  moved source=locked destination=escrow
sell p1 1@market time_in_force=ioc price=60000
  accepted #6 price=60000
  cancelled #6 reason=ioc_remainder
)");
}

TEST_CASE("An IOC remainder is cancelled, never rested") {
  RunScenario(R"(
setup
sell p1 3@10
buy b1 8@10 time_in_force=ioc
  accepted #2
  filled #2 remaining=5
  filled #1
  cancelled #2 reason=ioc_remainder remaining=5 filled=3
queue 1 bids -
balance b1 locked=0 escrow=1801800
)");
}

TEST_CASE("A fill-or-kill order is filled whole at once or refused without effect") {
  RunScenario(R"(
setup
sell p1 3@10
sell p2 3@11
buy b1 7@11 time_in_force=fok
  ! fok_not_fillable
buy b1 6@10 time_in_force=fok
  ! fok_not_fillable
buy b1 6@11 time_in_force=fok
  accepted #3
  filled #3 price=10000
  filled #1
  filled #3 price=11000 remaining=0
  filled #2
queue 1 asks -
)");
}

TEST_CASE("A post-only order is refused if any of it could trade now, own orders included") {
  RunScenario(R"(
setup
sell p1 3@10
buy b1 1@10 post_only=1
  ! post_only_would_trade
buy p1 1@10 post_only=1
  ! post_only_would_trade
buy b1 1@9 post_only=1
  accepted #2 post_only=1
sell p2 1@9 post_only=1
  ! post_only_would_trade
sell p2 1@10 post_only=1
  accepted #3
amend b1 #2 price=10000
  ! post_only_would_trade
amend b1 #2 price=8000
  amended #2 price=8000
)");
}

TEST_CASE("Post-only looks at what could trade, not at what merely crosses") {
  RunScenario(R"(
setup
sell p3 3@10 min_fill=3
buy b1 2@10 post_only=1
  accepted #2
buy b1 4@10 post_only=1 min_assurance=verified
  accepted #3
buy b1 4@10 post_only=1 min_fill=4
  accepted #4
buy b1 3@10 post_only=1
  ! post_only_would_trade
)");
}

TEST_CASE("An order is cancelled by its id or its client order id, by its own account only") {
  RunScenario(R"(
setup
show CreditsMoved
buy b1 8@10 client_order_id=mine
buy b2 8@10 client_order_id=mine
cancel b2 #1
  ! unknown_order
cancel b1 #1
  cancelled to=3 #1 tag=34 reason=requested remaining=8 filled=0 client_order_id=mine
  moved source=locked destination=free amount=4804800 locked_after=0 free_after=1000000000000
cancel b1 #1
  ! unknown_order
cancel b1 client_order_id=mine
  ! unknown_order
cancel b2 client_order_id=mine
  cancelled to=4 #2
  moved to=4
cancel b2
  ! unknown_order
cancel op #2
  ! not_permitted
)");
}

TEST_CASE("A deadline refuses what is sequenced later, to the microsecond") {
  RunScenario(R"(
setup
at T+10s
buy b1 1@10 deadline_us=T+10s
  accepted #1
buy b1 1@10 deadline_us=T+9s
  ! deadline_passed
amend b1 #1 price=11000 deadline_us=T+9s
  ! deadline_passed
amend b1 #1 price=11000 deadline_us=T+10s
  amended #1
cancel b1 #1 deadline_us=T+9s
  ! deadline_passed
cancel b1 #1 deadline_us=T+10s
  cancelled #1
)");
}

TEST_CASE("An order that is only to be validated is checked and changes nothing") {
  RunScenario(R"(
setup
sell p1 3@10
buy b1 3@10 validate_only=1 client_order_id=a
  CommandAccepted result_id=0 duplicate=0
sell p1 14@11 validate_only=1
  ! insufficient_capacity detail=13
buy b1 3@10 client_order_id=a
  accepted #2
  filled #2
  filled #1
)");
}

TEST_CASE("What is locked is the whole of the free credits at most, to the last one") {
  RunScenario(R"(
setup
buy b1 1000@16 tier=economy
buy b1 40@1 tier=economy
balance b1 free=999037600000
buy b2 100000@100 tier=economy
balance b2 free=400000000000
buy b2 66666@100 tier=economy
balance b2 free=4000000
buy b2 7@10 tier=economy
  ! insufficient_credits detail=4000000
buy b2 5@13 tier=economy
  accepted #5
buy b2 1@1 tier=economy
  accepted #6
balance b2 free=40000
buy b2 1@1 tier=economy
  ! insufficient_credits detail=40000
)");
}

TEST_CASE("Prices, quantities and minimum fills outside their ranges are refused") {
  RunScenario(R"(
setup
buy b1 0@10
  ! invalid_quantity
buy b1 -1@10
  ! invalid_quantity
buy b1 100001@10
  ! invalid_quantity
buy b1 100000@1
  accepted #1
buy b1 4@10 min_fill=5
  ! invalid_min_fill
buy b1 4@10 min_fill=-1
  ! invalid_min_fill
buy b1 4@0
  ! price_not_positive
buy b1 4@-1
  ! price_not_positive
buy b1 4@10 price=10500
  ! price_off_tick detail=1000
buy b1 4@101
  ! price_outside_band
buy b1 4@10 price=9223372036854775000
  ! price_outside_band
)");
}

}  // namespace
}  // namespace warpbook::engine
