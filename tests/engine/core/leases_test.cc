#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

// Lease 1: 4 GPUs of p1 for b1 at 10,000 for the whole window; escrow 2,402,400.
constexpr std::string_view kOneLease = R"(
setup
sell p1 4@10
buy b1 4@10
)";

void RunWithLease(std::string_view text) {
  RunScenario(std::string(kOneLease) + std::string(text));
}

TEST_CASE("A lease is started by its provider within five minutes of its delivery's start") {
  RunWithLease(R"(
at T+3599s
StartLease from=p1 lease_id=1
  ! lease_not_startable detail=1796086800000000
at T+65m
StartLease from=b1 lease_id=1
  ! unknown_lease
StartLease from=p2 lease_id=1
  ! unknown_lease
StartLease from=p1 lease_id=2
  ! unknown_lease
StartLease from=p1 lease_id=1
  CommandAccepted result_id=1
  lease to=6 lease_id=1 state=active is_provider=1 completed=0 instrument_id=1
  lease to=3 lease_id=1 state=active is_provider=0
StartLease from=p1 lease_id=1
  ! lease_wrong_state
)");
  RunWithLease(R"(
at T+3901s
StartLease from=p1 lease_id=1
  ! lease_start_too_late detail=1796087100000000
)");
}

TEST_CASE("A lease cannot be started when its delivery is over") {
  RunScenario(R"(
setup
sell p1 4@10
at T+7019s
buy b1 4@10
at T+119m
at T+7199s
StartLease from=p1 lease_id=1 tag=9
  InstrumentStateChanged
  CommandAccepted tag=9
  lease state=active
  lease state=active
)");
  RunScenario(R"(
setup
sell p1 4@10
at T+7019s
buy b1 4@10
at T+120m
StartLease from=p1 lease_id=1
  InstrumentStateChanged
  CommandRejected reason=lease_start_too_late detail=1796090400000000
)");
}

TEST_CASE("A heartbeat proves a minute of the delivery within five minutes of its end") {
  RunWithLease(R"(
at T+60m
HeartbeatLease from=p1 lease_id=1 minute_us=T+60m
  ! lease_wrong_state
StartLease from=p1 lease_id=1
HeartbeatLease from=p1 lease_id=1 minute_us=T+60m
  CommandAccepted result_id=1
  LeaseHeartbeat to=0 lease_id=1 minute_us=T+60m
HeartbeatLease from=p1 lease_id=1 minute_us=T+59m
  ! minute_outside_lease
HeartbeatLease from=p1 lease_id=1 minute_us=T+120m
  ! minute_outside_lease
HeartbeatLease from=p1 lease_id=1 minute_us=T+3601s
  ! minute_outside_lease
HeartbeatLease from=p1 lease_id=1 minute_us=T+61m
  ! minute_in_future
HeartbeatLease from=b1 lease_id=1 minute_us=T+60m
  ! unknown_lease
at T+66m
HeartbeatLease from=p1 lease_id=1 minute_us=T+60m
  CommandAccepted
  LeaseHeartbeat
at T+3961s
HeartbeatLease from=p1 lease_id=1 minute_us=T+60m
  ! heartbeat_too_late
HeartbeatLease from=p1 lease_id=1 minute_us=T+61m
  CommandAccepted
  LeaseHeartbeat minute_us=T+61m
)");
}

TEST_CASE("At the close a started lease is delivered, its exposure ends, and its buyer completes") {
  RunWithLease(R"(
at T+60m
StartLease from=p1 lease_id=1
CompleteLease from=b1 lease_id=1
  ! lease_not_delivered
balance p1 exposure=2400000
at T+121m
CloseInstrument instrument_id=1
  InstrumentStateChanged state=gate_closed
  CommandAccepted result_id=1
  lease to=6 state=delivered is_provider=1
  lease to=3 state=delivered is_provider=0
  InstrumentStateChanged state=closed
balance p1 exposure=0
balance b1 escrow=2402400
HeartbeatLease from=p1 lease_id=1 minute_us=T+119m
  CommandAccepted
  LeaseHeartbeat
CompleteLease from=p1 lease_id=1
  ! unknown_lease
CompleteLease from=b1 lease_id=1
  CommandAccepted result_id=1
  lease to=6 state=delivered completed=1
  lease to=3 state=delivered completed=1
CompleteLease from=b1 lease_id=1
  ! lease_wrong_state
)");
}

TEST_CASE("Settling moves the escrow, leg by leg, and the lease is gone") {
  RunWithLease(R"(
show CreditsMoved
at T+60m
StartLease from=p1 lease_id=1
at T+121m
SettleLease from=st number=7 lease_id=1 verified_weight=2400000 consumed=2400000 burned=2400
  InstrumentStateChanged state=gate_closed
  CommandRejected reason=lease_wrong_state
CloseInstrument instrument_id=1
SettleLease from=st number=7 lease_id=1 verified_weight=1200000 consumed=1000000 owed=200000 burned=1200 gross_utok=10 provider_utok=7 fee_utok=2 retire_utok=1 emitted_utok=3 delivered_minutes=30
  CommandAccepted result_id=1
  moved to=3 source=escrow destination=consumed amount=1000000 lease_id=1
  moved to=3 source=escrow destination=owed amount=200000 lease_id=1
  moved to=3 source=escrow destination=burned amount=1200 lease_id=1
  moved to=3 source=escrow destination=free amount=1201200 lease_id=1 free_after=999998798800
  LeaseSettled to=0 number=7 lease_id=1 buyer_account_id=3 provider_account_id=6 verified_weight=1200000 gains=0 consumed=1000000 owed=200000 burned=1200 refunded=1201200 gross_utok=10 provider_utok=7 fee_utok=2 retire_utok=1 emitted_utok=3 verdict=none deposit=0 delivered_minutes=30
  lease to=6 state=settled is_provider=1
  lease to=3 state=settled is_provider=0
balance b1 escrow=0 owed=200000
SettleLease from=st number=8 lease_id=1 verified_weight=0
  ! unknown_lease
SettleLease from=st number=7 lease_id=1 verified_weight=0
  ! number_repeated
)");
}

TEST_CASE("A settlement that is not the lease's escrow, part by part, is refused") {
  const char* const rows[] = {
      "verified_weight=2400001 consumed=2400001 burned=2399",
      "verified_weight=2400000 consumed=2400001 burned=2400",
      "verified_weight=2400000 consumed=2400000 burned=-1",
      "verified_weight=2400000 consumed=2500000 owed=-100000 burned=2400",
      "verified_weight=2300000 consumed=2400000 burned=2400",
      "verified_weight=2300000 consumed=2300000 burned=2401",
      "verified_weight=-1 consumed=-1",
      "verified_weight=0 delivered_minutes=61",
      "verified_weight=0 delivered_minutes=-1",
      "verified_weight=0 gross_utok=-1",
      "verified_weight=0 provider_utok=-1",
      "verified_weight=0 fee_utok=-1",
      "verified_weight=0 retire_utok=1000000000000001",
      "verified_weight=2400000 consumed=2400000 provider_utok=7 fee_utok=2 emitted_utok=10",
      "verified_weight=2400000 consumed=2400000 emitted_utok=-1",
      "verified_weight=2400000 consumed=2400000 verdict=founded",
      "verified_weight=0 consumed=9223372036854775807 "
      "burned=2402402",
  };
  for (const char* row : rows) {
    RunWithLease(std::string(R"(
at T+60m
StartLease from=p1 lease_id=1
at T+121m
CloseInstrument instrument_id=1
SettleLease from=st number=7 lease_id=1 )") +
                 row + "\n  ! decision_mismatch\n");
  }
}

TEST_CASE("A lease that was never started fails at the close and is refunded whole") {
  RunWithLease(R"(
at T+121m
CloseInstrument instrument_id=1
  InstrumentStateChanged state=gate_closed
  CommandAccepted
  lease to=6 state=failed
  lease to=3 state=failed
  InstrumentStateChanged state=closed
CompleteLease from=b1 lease_id=1
  ! lease_wrong_state
SettleLease from=st number=7 lease_id=1 verified_weight=1 consumed=1
  ! decision_mismatch
SettleLease from=st number=7 lease_id=1 burned=1
  ! decision_mismatch
SettleLease from=st number=7 lease_id=1 delivered_minutes=1
  ! decision_mismatch
SettleLease from=st number=7 lease_id=1
balance b1 free=1000000000000 escrow=0
)");
}

TEST_CASE("Price feeds are taken whole or not at all") {
  RunScenario(R"(
setup
SetPrices from=op feeds0.price=2000000 feeds0.time_us=T+0s feeds1.price=2000001 feeds1.time_us=T+0s feeds2.price=1 feeds2.time_us=T+0s feeds3.price=3 feeds3.time_us=T+600s feeds4.price=1000000000000
  CommandAccepted
  PricesSet feeds0.price=2000000 feeds3.time_us=T+600s feeds4.price=1000000000000
SetPrices from=op feeds0.price=1 feeds1.price=1 feeds2.price=0 feeds3.price=1 feeds4.price=1
  ! invalid_price_feed detail=2
SetPrices from=op feeds0.price=1 feeds1.price=1 feeds2.price=1 feeds3.price=1 feeds4.price=1 feeds4.time_us=T+601s
  ! invalid_price_feed detail=4
SetPrices from=op feeds0.price=1 feeds0.time_us=-1 feeds1.price=1 feeds2.price=1 feeds3.price=1 feeds4.price=1
  ! invalid_price_feed
SetPrices from=op feeds0.price=1 feeds1.price=1000000000001 feeds2.price=1 feeds3.price=1 feeds4.price=1
  ! invalid_price_feed detail=1
SetPrices from=b1 feeds0.price=1 feeds1.price=1 feeds2.price=1 feeds3.price=1 feeds4.price=1
  ! not_permitted
)");
}

}  // namespace
}  // namespace warpbook::engine
