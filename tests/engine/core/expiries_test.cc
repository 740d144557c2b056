#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("What is due runs before each command, by time, then gates, then order id") {
  RunScenario(R"(
setup
OpenInstrument window_start_us=T+60m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=2 region_id=1
buy b1 1@10
buy b2 1@10 instrument_id=2
buy b1 1@10 time_in_force=gtd expires_us=T+30m
buy b2 1@10 time_in_force=gtd expires_us=T+20m
buy b3 1@10 time_in_force=gtd expires_us=T+30m instrument_id=2
buy b3 1@10 time_in_force=gtd expires_us=T+900m
  accepted #6 expires_us=T+117m
buy b3 1@10 time_in_force=gtd expires_us=T+117m instrument_id=2
  accepted #7 expires_us=T+117m
at T+20m
Tick
  cancelled #4 reason=expired
  CommandAccepted
at T+118m
buy b1 1@10
  cancelled #3 reason=expired
  cancelled #5 reason=expired
  InstrumentStateChanged instrument_id=1 state=gate_closed
  InstrumentStateChanged instrument_id=2 state=gate_closed
  cancelled #1 reason=gate_closed
  cancelled #2 reason=gate_closed
  cancelled #6 reason=gate_closed
  cancelled #7 reason=gate_closed
  CommandRejected reason=instrument_gate_closed
balance b1 locked=0 free=1000000000000
)");
}

TEST_CASE("Orders expire while their instrument is halted") {
  RunScenario(R"(
setup
buy b1 1@10 time_in_force=gtd expires_us=T+20m
SetInstrumentHalt from=op instrument_id=1 halted=1
at T+20m
Tick
  cancelled #1 reason=expired
  CommandAccepted
)");
}

TEST_CASE("An order expires at its time, not before, and cannot be met at it") {
  RunScenario(R"(
setup
buy b1 1@10 time_in_force=gtd expires_us=T+10s
at T+9s
sell p1 1@10 time_in_force=fok validate_only=1
  CommandAccepted
at T+10s
sell p1 1@10 time_in_force=fok
  cancelled #1 reason=expired
  CommandRejected reason=fok_not_fillable
)");
}

TEST_CASE("Only a gtd order has an expiry, and it lies in the future") {
  RunScenario(R"(
setup
at T+10s
buy b1 1@10 time_in_force=gtd
  ! expiry_in_past
buy b1 1@10 time_in_force=gtd expires_us=T+10s
  ! expiry_in_past
buy b1 1@10 expires_us=T+20s
  ! expiry_in_past
buy b1 1@10 time_in_force=ioc expires_us=T+20s
  ! expiry_in_past
buy b1 1@10 time_in_force=gtd expires_us=T+11s
  accepted #1
)");
}

TEST_CASE("The levels that expiries change are told before the command's own events") {
  RunScenario(R"(
setup
show BookLevelChanged
buy b1 1@10 time_in_force=gtd expires_us=T+20m
at T+20m
buy b1 2@10
  cancelled #1 reason=expired
  level price=10000 gpus=0 orders=0 top_of_book=1
  accepted #2
  level price=10000 gpus=2 orders=1 top_of_book=1
)");
}

}  // namespace
}  // namespace warpbook::engine
