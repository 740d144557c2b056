#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("A node may sell once an operator has set its capacity, up to it and no more") {
  RunScenario(R"(
setup
RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1 tag=500
  NodeRegistered to=6 tag=500 node_id=4 gpus=8 device_key=d4 class_id=1 region_id=1
sell p1 4@10 node_id=4
  ! node_not_approved
SetCapacity from=op node_id=4 gpus=9 assurance=listed
  ! invalid_quantity detail=8
SetCapacity from=op node_id=4 gpus=-1 assurance=listed
  ! invalid_quantity
SetCapacity from=op node_id=5 gpus=6 assurance=listed
  ! unknown_node
SetCapacity from=op node_id=4 gpus=6 assurance=listed
  CommandAccepted result_id=4
  CapacitySet to=6 node_id=4 gpus=6 assurance=listed
sell p1 7@10 node_id=4
  ! insufficient_capacity detail=6
sell p1 4@10 node_id=4
  accepted #1 tier=listed backing_id=4 is_resale=0
sell p1 3@10 node_id=4
  ! insufficient_capacity detail=2
buy b1 3@10
sell p1 3@10 node_id=4
  ! insufficient_capacity detail=2
cancel p1 #1
sell p1 4@10 node_id=4
  ! insufficient_capacity detail=3
sell p1 3@10 node_id=4
  accepted #3
sell p2 1@10 node_id=4
  ! unknown_node
)");
}

TEST_CASE("A node's GPUs are free again in every other window") {
  RunScenario(R"(
setup
OpenInstrument window_start_us=T+120m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
sell p1 16@10
sell p1 16@10 instrument_id=2
  accepted #2
sell p1 1@10
  ! insufficient_capacity detail=0
)");
}

TEST_CASE("When a node's GPUs fall, the newest asks go until the rest fits; fills stand") {
  RunScenario(R"(
setup
OpenInstrument window_start_us=T+120m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
sell p1 4@10
sell p1 4@11
sell p1 4@12
sell p1 4@10 instrument_id=2
sell p1 8@10 instrument_id=2
buy b1 3@10
  accepted #6
  filled #6
  filled #1 remaining=1
SetCapacity from=op node_id=1 gpus=10 assurance=attested
  CommandAccepted
  CapacitySet
  cancelled #3 reason=capacity_reduced remaining=4
  cancelled #5 reason=capacity_reduced remaining=8
SetCapacity from=op node_id=1 gpus=4 assurance=attested
  CommandAccepted
  CapacitySet
  cancelled #2 reason=capacity_reduced
SetCapacity from=op node_id=1 gpus=0 assurance=attested
  CommandAccepted
  CapacitySet
  cancelled #1 reason=capacity_reduced remaining=1 filled=3
  cancelled #4 reason=capacity_reduced
balance p1 exposure=1800000
SetCapacity from=op node_id=1 gpus=4 assurance=attested
sell p1 2@10
  ! insufficient_capacity detail=1
)");
}

TEST_CASE("A downgrade cancels all of the node's asks; an upgrade none") {
  RunScenario(R"(
setup
RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1
SetCapacity from=op node_id=4 gpus=8 assurance=verified
sell p1 4@10
sell p1 4@10 node_id=4
sell p1 4@11
SetCapacity from=op node_id=4 gpus=8 assurance=attested
  CommandAccepted
  CapacitySet
SetCapacity from=op node_id=1 gpus=16 assurance=verified
  CommandAccepted
  CapacitySet assurance=verified
  cancelled #3 reason=downgraded
  cancelled #1 reason=downgraded
queue 1 asks 2
balance p1 exposure=2400000
)");
}

TEST_CASE("Exposure is checked at the better of limit and best bid, and counted at the limit") {
  RunScenario(R"(
setup
SetBondedLimit from=op target_account_id=p1 limit=12000000
buy b1 1@20 min_assurance=listed
sell p1 11@10
  ! bonded_limit_exceeded detail=12000000
sell p1 10@10
  accepted #2
  filled #1 price=20000
  filled #2 remaining=9
balance p1 exposure=6600000
sell p1 6@15
  accepted #3
balance p1 exposure=12000000
sell p1 1@10
  ! insufficient_capacity detail=0
)");
}

TEST_CASE("When the bonded limit falls, the account's newest asks go until it holds; fills stand") {
  RunScenario(R"(
setup
RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1
SetCapacity from=op node_id=4 gpus=8 assurance=verified
sell p1 4@10
sell p1 4@10 node_id=4
sell p1 4@11
buy p1 1@5
buy b1 3@10
balance p1 exposure=7440000
SetBondedLimit from=op target_account_id=p1 limit=4800000
  CommandAccepted result_id=6
  BondedLimitSet to=6 limit=4800000 exposure=7440000
  cancelled #3 reason=limit_reduced
balance p1 exposure=4800000
SetBondedLimit from=op target_account_id=p1 limit=1
  CommandAccepted
  BondedLimitSet limit=1 exposure=4800000
  cancelled #2 reason=limit_reduced
  cancelled #1 reason=limit_reduced remaining=1
balance p1 exposure=1800000
queue 1 bids 4
sell p1 1@1
  ! bonded_limit_exceeded detail=0
SetBondedLimit from=op target_account_id=p1 limit=-1
  ! invalid_amount
SetBondedLimit from=op target_account_id=op limit=5
  ! not_permitted
SetBondedLimit from=op target_account_id=99 limit=5
  ! unknown_account
)");
}

TEST_CASE("A device key belongs to one node") {
  RunScenario(R"(
setup
RegisterNode from=p2 device_key=d1 gpus=8 class_id=1 region_id=1
  ! key_in_use
RegisterNode from=p2 device_key=d9 gpus=0 class_id=1 region_id=1
  ! invalid_quantity
RegisterNode from=p2 device_key=d9 gpus=8 class_id=0 region_id=1
  ! malformed_command
RegisterNode from=op device_key=d9 gpus=8 class_id=1 region_id=1
  ! not_permitted
)");
}

}  // namespace
}  // namespace warpbook::engine
