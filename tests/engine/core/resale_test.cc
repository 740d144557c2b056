#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

// Lease 1: 4 GPUs of p1 for b1 at 10,000 for the whole window; escrow 2,400,000 + 2,400. Per GPU
// and 1,000 of price that is 60,000.
constexpr std::string_view kOneLease = R"(
setup
sell p1 4@10
buy b1 4@10
)";

void RunWithLease(std::string_view text, const EngineLimits& limits = {}) {
  RunScenario(std::string(kOneLease) + std::string(text), limits);
}

TEST_CASE(
    "What is resold at a gain leaves the trader nothing in escrow, and the provider as it was") {
  RunWithLease(R"(
show CreditsMoved TradeExecuted
balance b1 free=999997597600 escrow=2402400 exposure=0
sell b1 3@12 lease_id=1
  accepted #3 tier=attested backing_id=1 is_resale=1 lock_minutes=60 expires_us=T+58m
balance b1 free=999997597600 escrow=2402400 exposure=0
balance p1 exposure=2400000
buy b2 2@12
  accepted #4
  moved to=4 source=free destination=locked amount=1441440
  trade lease_id=2 buyer_account_id=4 provider_account_id=6 provider_owner_id=4 seller_account_id=3 seller_owner_id=1 resold_lease_id=1 node_id=1 price=12000 provider_price=10000 gpus=2 minutes=60 notional=1440000 surcharge=1440 delivery_start_us=T+60m assurance=attested
  filled to=4 #4 lease_id=2 surcharge=1440
  filled to=3 #3 lease_id=2 price=12000 gpus=2 remaining=1 surcharge=0 is_maker=1
  moved to=4 source=locked destination=escrow amount=1441440 lease_id=2
  moved to=3 source=escrow destination=free amount=1200000 lease_id=1 free_after=999998797600
  moved to=3 source=escrow destination=burned amount=1200 lease_id=1
  LeaseResold to=3 lease_id=2 resold_lease_id=1 price=12000 gpus=2 gpus_left=2 is_provider=0 instrument_id=1
  LeaseResold to=6 lease_id=2 resold_lease_id=1 price=12000 gpus=2 gpus_left=2 is_provider=1
balance b1 free=999998797600 escrow=1201200
balance b2 escrow=1441440 locked=0
balance p1 exposure=2400000
)");
}

TEST_CASE("Of a resale at a loss the trader leaves the difference in escrow") {
  RunWithLease(R"(
show CreditsMoved
sell b1 4@9 lease_id=1
buy b2 4@9
  accepted
  moved to=4
  filled
  filled
  moved to=4 source=locked destination=escrow amount=2162160 lease_id=2
  moved to=3 source=escrow destination=free amount=2160000 lease_id=1
  moved to=3 source=escrow destination=burned amount=2400 lease_id=1
  moved to=3 source=escrow destination=clearing amount=240000 lease_id=1
  moved to=3 source=clearing destination=escrow amount=240000 lease_id=2
  LeaseResold to=3 gpus_left=0
  LeaseResold to=6 gpus_left=0
  lease to=6 lease_id=1 state=resold is_provider=1
  lease to=3 lease_id=1 state=resold is_provider=0
balance b1 escrow=240000 free=999999757600
sell b1 1@9 lease_id=1
  ! unknown_lease
)");
}

// After the window of an instrument whose leases were started: 60 minutes x 4 GPUs.
const std::string kDelivered = R"(
at T+60m
StartLease from=p1 lease_id=2
at T+120m
CloseInstrument instrument_id=1
show CreditsMoved
)";

TEST_CASE("A gain is paid from the last buyer's escrow in proportion to what was delivered") {
  // Half of 240 GPU-minutes: the provider 1,200,000, b1 half of its gain of 480,000.
  RunWithLease("sell b1 4@12 lease_id=1\nbuy b2 4@12\n" + kDelivered + R"(
SettleLease from=st number=7 lease_id=2 verified_weight=1200000 consumed=1200000 burned=1440 delivered_minutes=30
  CommandAccepted
  moved to=4 source=escrow destination=clearing amount=240000 lease_id=2
  moved to=3 source=clearing destination=free amount=240000 lease_id=2 free_after=1000000237600
  moved to=4 source=escrow destination=consumed amount=1200000 lease_id=2
  moved to=4 source=escrow destination=burned amount=1440 lease_id=2
  moved to=4 source=escrow destination=free amount=1441440 lease_id=2
  LeaseSettled buyer_account_id=4 provider_account_id=6 verified_weight=1200000 gains=240000 consumed=1200000 burned=1440 refunded=1441440
  lease to=6
  lease to=4
balance b1 escrow=0 free=1000000237600
balance b2 escrow=0
)");
}

TEST_CASE("A loss is paid from the trader's own escrow, and each is refunded its own") {
  RunWithLease("sell b1 4@9 lease_id=1\nbuy b2 4@9\n" + kDelivered + R"(
SettleLease from=st number=7 lease_id=2 verified_weight=1200000 consumed=1000000 owed=200000 burned=1080 delivered_minutes=30
  CommandAccepted
  moved to=3 source=escrow destination=consumed amount=120000 lease_id=2
  moved to=3 source=escrow destination=free amount=120000 lease_id=2
  moved to=4 source=escrow destination=consumed amount=880000 lease_id=2
  moved to=4 source=escrow destination=owed amount=200000 lease_id=2
  moved to=4 source=escrow destination=burned amount=1080 lease_id=2
  moved to=4 source=escrow destination=free amount=1081080 lease_id=2
  LeaseSettled gains=0 refunded=1201080
  lease
  lease
balance b1 escrow=0 owed=0
balance b2 escrow=0 owed=200000
)");
}

TEST_CASE("Shares of a chain are rounded for the last buyer, who never pays more than its price") {
  // 10 -> 12 -> 9 -> 11: b1 gains 2,000, b2 loses 3,000, b3 gains 2,000; p2 pays 11,000.
  RunWithLease(R"(
sell b1 4@12 lease_id=1
buy b2 4@12
sell b2 4@9 lease_id=2
buy b3 4@9
sell b3 4@11 lease_id=3
buy p2 4@11
balance b2 escrow=720000
at T+60m
StartLease from=p1 lease_id=4
at T+120m
CloseInstrument instrument_id=1
show CreditsMoved
SettleLease from=st number=7 lease_id=4 verified_weight=3 consumed=4 burned=0
  ! decision_mismatch
SettleLease from=st number=7 lease_id=4 verified_weight=3 consumed=3 burned=0
  CommandAccepted
  moved to=4 source=escrow destination=consumed amount=1 lease_id=4
  moved to=4 source=escrow destination=free amount=719999
  moved to=7 source=escrow destination=consumed amount=2
  moved to=7 source=escrow destination=free amount=2642638
  LeaseSettled verified_weight=3 gains=0
  lease
  lease
)");
}

TEST_CASE("A chain's gains are paid first, out of the losses of those who sold later") {
  // 10 -> 100 -> 10: b1 gains 90,000 per GPU-hour, b2 loses 90,000.
  RunWithLease(R"(
sell b1 4@100 lease_id=1
buy b2 4@100
sell b2 4@10 lease_id=2
buy b3 4@10
at T+60m
StartLease from=p1 lease_id=3
at T+120m
CloseInstrument instrument_id=1
show CreditsMoved
SettleLease from=st number=7 lease_id=3 verified_weight=2400000 consumed=2400000 burned=2400 delivered_minutes=60
  CommandAccepted
  moved to=4 source=escrow destination=clearing amount=21600000 lease_id=3
  moved to=3 source=clearing destination=free amount=21600000 lease_id=3
  moved to=5 source=escrow destination=consumed amount=2400000 lease_id=3
  moved to=5 source=escrow destination=burned amount=2400 lease_id=3
  LeaseSettled gains=21600000
  lease
  lease
)");
}

TEST_CASE("A resold lease that fails refunds the last buyer and those who left a loss") {
  RunWithLease(R"(
sell b1 4@9 lease_id=1
buy b2 4@9
at T+120m
CloseInstrument instrument_id=1
show CreditsMoved
SettleLease from=st number=7 lease_id=2 burned=1
  ! decision_mismatch
SettleLease from=st number=7 lease_id=2
  CommandAccepted
  moved to=3 source=escrow destination=free amount=240000 lease_id=2
  moved to=4 source=escrow destination=free amount=2162160 lease_id=2
  LeaseSettled gains=0 refunded=2402160
  lease
  lease
)");
}

TEST_CASE("Open resale asks and what they may sell are bounded by the lease's GPUs") {
  RunWithLease(R"(
sell b1 3@12 lease_id=1
sell b1 2@12 lease_id=1
  ! insufficient_lease_gpus detail=1
sell b1 1@13 lease_id=1
amend b1 #3 gpus=4
  ! insufficient_lease_gpus detail=0
amend b1 #3 gpus=2
amend b1 #4 gpus=2
cancel b1 #3
sell b1 3@12 lease_id=1
  ! insufficient_lease_gpus detail=2
sell b1 2@12 lease_id=1
buy b2 4@13 time_in_force=ioc
  accepted
  filled to=4
  filled to=3 #5 price=12000
  LeaseResold to=3 gpus_left=2
  LeaseResold to=6
  filled to=4
  filled to=3 #4 price=13000
  LeaseResold to=3 gpus_left=0
  LeaseResold to=6
  lease state=resold
  lease state=resold
)");
}

TEST_CASE("Only the buyer of a lease resells it, in its own instrument") {
  RunWithLease(R"(
OpenInstrument window_start_us=T+120m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
sell b2 1@12 lease_id=1
  ! unknown_lease
sell p1 1@12 lease_id=1
  ! unknown_lease
sell b1 1@12 lease_id=2
  ! unknown_lease
sell b1 1@12 lease_id=1 instrument_id=2
  ! lease_not_resalable
sell b1 1@12 lease_id=1 node_id=1
  ! ask_needs_node_or_lease
buy b1 1@9 lease_id=1
  ! field_not_for_side
sell b1 1@12 lease_id=1 validate_only=1
  CommandAccepted result_id=0
sell b1 4@12 lease_id=1
)");
}

TEST_CASE("Resale ends the notice before the window starts, and open resale asks expire then") {
  RunWithLease(R"(
sell b1 2@12 lease_id=1
sell b1 1@12 lease_id=1 time_in_force=gtd expires_us=T+57m
sell b1 1@12 lease_id=1 time_in_force=gtd expires_us=T+59m
  accepted #5 expires_us=T+58m
at T+57m
Tick
  cancelled #4 reason=expired
  CommandAccepted
at T+3479s
sell b1 1@13 lease_id=1
at T+58m
sell b1 1@13 lease_id=1
  cancelled #3 reason=expired
  cancelled #5 reason=expired
  cancelled #6 reason=expired
  CommandRejected reason=lease_not_resalable detail=1796086680000000
buy b2 4@13
at T+59m
sell p1 1@20
buy b3 1@20
sell b3 1@21 lease_id=2
  ! lease_not_resalable
)");
}

TEST_CASE("Resale asks expire while their instrument is halted, and with no notice at the start") {
  RunScenario(R"(
setup
OpenInstrument window_start_us=T+120m window_minutes=60 gate_minutes=60 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
sell p1 1@10 instrument_id=2
buy b1 1@10 instrument_id=2
sell b1 1@11 instrument_id=2 lease_id=1
sell p1 1@10
buy b1 1@10
sell b1 1@11 lease_id=2
SetInstrumentHalt from=op instrument_id=1 halted=1
at T+60m
Tick
  cancelled #6 reason=expired
  CommandAccepted
at T+120m
Tick
  InstrumentStateChanged instrument_id=1 state=gate_closed
  InstrumentStateChanged instrument_id=2 state=gate_closed
  cancelled #3 reason=gate_closed
  CommandAccepted
)");
}

TEST_CASE("A lease is resold at other prices as often as the limit says, then no more") {
  EngineLimits limits;
  limits.resales_per_lease_max = 2;
  RunWithLease(R"(
sell b1 4@10 lease_id=1
buy b2 4@10
sell b2 4@11 lease_id=2
buy b1 4@11
sell b1 4@12 lease_id=3
buy b2 4@12
sell b2 4@13 lease_id=4
  ! resale_chain_too_long detail=2
)",
               limits);
}

TEST_CASE(
    "A resale ask carries the assurance that its lease's ask had, whatever the node has now") {
  RunWithLease(R"(
sell b1 2@12 lease_id=1
SetCapacity from=op node_id=1 gpus=0 assurance=listed
  CommandAccepted
  CapacitySet
sell b1 2@12 lease_id=1
  accepted #4 tier=attested
sell p2 1@12
buy b2 4@12 min_assurance=attested
  accepted
  filled
  filled #3
  LeaseResold
  LeaseResold
  filled
  filled #4
  LeaseResold
  LeaseResold
  lease
  lease
)");
}

TEST_CASE("A lower bonded limit leaves resale asks alone, which count nothing") {
  RunWithLease(R"(
sell p1 1@20
sell p2 3@19
buy p1 3@19
sell p1 3@22 lease_id=2
balance p1 exposure=3600000
SetBondedLimit from=op target_account_id=p1 limit=0
  CommandAccepted
  BondedLimitSet
  cancelled #3 reason=limit_reduced
queue 1 asks 6
)");
}

TEST_CASE("A provider that buys its own GPUs back is told as provider and as buyer") {
  RunWithLease(R"(
sell b1 4@12 lease_id=1
buy p1 4@12
at T+60m
StartLease from=p1 lease_id=2
  CommandAccepted
  lease to=6 lease_id=2 state=active is_provider=1
  lease to=6 lease_id=2 state=active is_provider=0
)");
}

TEST_CASE("Resale asks meet the rules of any other ask") {
  RunWithLease(R"(
buy b1 1@12
sell b1 4@12 lease_id=1 time_in_force=fok
  ! fok_not_fillable
buy b2 2@12
sell b1 4@12 lease_id=1 post_only=1
  ! post_only_would_trade
sell b1 4@12 lease_id=1 time_in_force=fok
  ! fok_not_fillable
sell b1 4@12 lease_id=1 min_fill=2 self_trade_prevention=cancel_oldest
  accepted #5
  filled
  filled #5 remaining=2
  LeaseResold
  LeaseResold
queue 1 bids 3
buy b3 1@12
queue 1 bids 3 6
sell b1 1@12 lease_id=1 self_trade_prevention=decrement
  ! insufficient_lease_gpus detail=0
cancel b1 #5
sell b1 2@12 lease_id=1 self_trade_prevention=decrement
  accepted #7
  cancelled #3 reason=self_trade
  amended #7 remaining=1 gpus=1
  filled
  filled #7
  LeaseResold gpus_left=1
  LeaseResold
sell b1 1@12 lease_id=1 client_order_id=a
sell b1 1@12 lease_id=1 client_order_id=a
  CommandAccepted duplicate=1
sell b1 1@12 lease_id=2 client_order_id=a
  ! client_order_id_reused
)");
}

TEST_CASE("What is left of a resale ask below its minimum is cancelled, and its GPUs stay") {
  RunWithLease(R"(
sell b1 4@12 lease_id=1 min_fill=2
buy b2 3@12
  accepted
  filled
  filled
  LeaseResold gpus_left=1
  LeaseResold
  cancelled #3 reason=min_fill remaining=1
sell b1 1@12 lease_id=1
)");
}

}  // namespace
}  // namespace warpbook::engine
