#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

// Lease 1: 4 GPUs of p1 for b1 at 10,000 for the whole window, delivered; escrow 2,402,400.
constexpr std::string_view kDelivered = R"(
setup
sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
at T+120m
CloseInstrument instrument_id=1
)";

void RunWithDelivery(std::string_view text) {
  RunScenario(std::string(kDelivered) + std::string(text));
}

TEST_CASE("A buyer disputes a delivery once, for a deposit of 5% that joins the escrow") {
  RunWithDelivery(R"(
show CreditsMoved
DisputeLease from=p1 lease_id=1
  ! unknown_lease
DisputeLease from=b2 lease_id=1
  ! unknown_lease
at T+7799s
DisputeLease from=b1 lease_id=1
  CommandAccepted result_id=1
  moved to=3 source=free destination=escrow amount=120000 lease_id=1
  LeaseDisputed to=6 lease_id=1 deposit=120000 instrument_id=1 is_provider=1
  LeaseDisputed to=3 lease_id=1 deposit=120000 is_provider=0
  lease to=6 state=disputed is_provider=1 completed=0
  lease to=3 state=disputed is_provider=0 completed=0
balance b1 escrow=2522400
DisputeLease from=b1 lease_id=1
  ! lease_wrong_state
CompleteLease from=b1 lease_id=1
  ! lease_wrong_state
)");
}

TEST_CASE("Only a delivery that is not completed is disputed, and only in the dispute time") {
  RunScenario(R"(
setup
sell p1 4@10
buy b1 4@10
DisputeLease from=b1 lease_id=1
  ! lease_not_delivered
at T+120m
CloseInstrument instrument_id=1
DisputeLease from=b1 lease_id=1
  ! lease_wrong_state
)");
  RunWithDelivery(R"(
CompleteLease from=b1 lease_id=1
DisputeLease from=b1 lease_id=1
  ! lease_wrong_state
)");
  RunWithDelivery(R"(
at T+130m
DisputeLease from=b1 lease_id=1
  ! dispute_time_over detail=1796091000000000
)");
}

TEST_CASE("A dispute that its deposit cannot be paid for is refused") {
  RunWithDelivery(R"(
OpenInstrument window_start_us=T+180m window_minutes=60 gate_minutes=3 tick=1000 band_low=1000 band_high=10000000000 class_id=1 region_id=1
buy b1 1@10000000 instrument_id=2
)");
}

TEST_CASE("Heartbeats of the last minutes are still taken while a delivery is disputed") {
  RunWithDelivery(R"(
DisputeLease from=b1 lease_id=1
HeartbeatLease from=p1 lease_id=1 minute_us=T+119m
  CommandAccepted
  LeaseHeartbeat
)");
}

TEST_CASE("An operator judges a dispute once, within an hour, and the settlement follows it") {
  RunWithDelivery(R"(
JudgeLease from=op lease_id=1 verdict=founded share=5000 reason=probe
  ! lease_wrong_state
DisputeLease from=b1 lease_id=1
JudgeLease from=b1 lease_id=1 verdict=founded share=5000 reason=mine
  ! not_permitted
JudgeLease from=op lease_id=9 verdict=founded share=5000 reason=none
  ! unknown_lease
at T+10799s
JudgeLease from=op lease_id=1 verdict=founded share=5000 reason=probe
  CommandAccepted result_id=1
  LeaseJudged to=6 lease_id=1 verdict=founded share=5000 is_provider=1 instrument_id=1 reason=probe
  LeaseJudged to=3 lease_id=1 verdict=founded share=5000 is_provider=0 reason=probe
JudgeLease from=op lease_id=1 verdict=unfounded share=10000 reason=again
  ! lease_wrong_state
SettleLease from=st number=7 lease_id=1 verified_weight=1200000 consumed=1200000 verdict=unfounded
  ! decision_mismatch
SettleLease from=st number=7 lease_id=1 verified_weight=1200000 consumed=1200000
  ! decision_mismatch
SettleLease from=st number=7 lease_id=1 verified_weight=1200001 consumed=1200001 verdict=founded
  ! decision_mismatch
show CreditsMoved
SettleLease from=st number=7 lease_id=1 verified_weight=1200000 consumed=1200000 verdict=founded
  CommandAccepted
  moved to=3 source=escrow destination=consumed amount=1200000
  moved to=3 source=escrow destination=free amount=1202400
  moved to=3 source=escrow destination=free amount=120000
  LeaseSettled deposit=120000 verdict=founded refunded=1202400
  lease state=settled
  lease
balance b1 escrow=0
)");
}

TEST_CASE("An unfounded dispute forfeits its deposit to the provider") {
  RunWithDelivery(R"(
DisputeLease from=b1 lease_id=1
balance p1 free=1000000000000
show CreditsMoved
SettleLease from=st number=7 lease_id=1 verified_weight=2400000 consumed=2400000 burned=2400 verdict=unfounded
  CommandAccepted
  moved to=3 source=escrow destination=consumed amount=2400000
  moved to=3 source=escrow destination=burned amount=2400
  moved to=3 source=escrow destination=clearing amount=120000 lease_id=1
  moved to=6 source=clearing destination=free amount=120000 lease_id=1
  LeaseSettled deposit=120000 verdict=unfounded
  lease
  lease
balance p1 free=1000000120000
balance b1 escrow=0
)");
}

TEST_CASE("A verdict is founded or unfounded, with a share that fits it and a written reason") {
  for (const char* row :
       {"verdict=none share=5000 reason=x", "verdict=3 share=5000 reason=x",
        "verdict=founded share=-1 reason=x", "verdict=founded share=10001 reason=x",
        "verdict=unfounded share=9999 reason=x", "verdict=founded share=0"}) {
    RunWithDelivery(std::string("DisputeLease from=b1 lease_id=1\nJudgeLease from=op lease_id=1 ") +
                    row + "\n  ! malformed_command\n");
  }
}

TEST_CASE("A large owner sells and tops up nothing before an operator has verified it") {
  RunScenario(R"(
setup
MarkOwner from=b1 number=7 owner_id=4 large=1
  ! not_permitted
MarkOwner from=st number=7 owner_id=99 large=1
  ! unknown_owner
MarkOwner from=st number=7 owner_id=4 large=2
  ! malformed_command
MarkOwner from=st number=7 owner_id=4 large=1
  CommandAccepted result_id=4
  OwnerMarked to=6 owner_id=4 large=1
sell p1 4@10
  ! owner_not_verified
RequestTopUp from=p1 burn_utok=1
  ! owner_not_verified
buy p1 4@10
VerifyOwner from=op owner_id=4 verified=1
sell p1 4@11
VerifyOwner from=op owner_id=4 verified=0
sell p1 4@11
  ! owner_not_verified
MarkOwner from=st number=8 owner_id=4 large=0
sell p1 4@11
)");
}

}  // namespace
}  // namespace warpbook::engine
