// CancelAllOrders: whose, which, in what order, and who may ask.
#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

// b1 with bids in two instruments of class 1 and one of class 2, and an ask; others beside it.
const std::string kBooks = R"(
setup
RegisterNode from=b1 device_key=d4 gpus=8 class_id=1 region_id=1
SetCapacity from=op node_id=4 gpus=8 assurance=listed
SetBondedLimit from=op target_account_id=b1 limit=1000000000000
OpenInstrument window_start_us=T+120m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
OpenInstrument window_start_us=T+60m window_minutes=60 notice_seconds=120 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=2 region_id=1
buy b1 1@10
buy b2 2@10
sell b1 3@20 node_id=4
buy b1 4@11 instrument_id=2
buy b1 5@9 instrument_id=3
buy b1 6@12
sell p1 7@20
)";

TEST_CASE("All of an account's orders are cancelled by id, after the reply that counts them") {
  RunScenario(kBooks + R"(
show CreditsMoved BookLevelChanged
CancelAllOrders from=b1 tag=77 side=both
  CommandAccepted to=3 tag=77 result_id=5 duplicate=0
  cancelled to=3 #1 tag=0 reason=requested remaining=1 filled=0 side=buy
  moved to=3 source=locked destination=free order_id=1
  cancelled to=3 #3 tag=0 reason=requested remaining=3 side=sell
  cancelled to=3 #4 tag=0 instrument_id=2
  moved order_id=4
  cancelled to=3 #5 tag=0 instrument_id=3
  moved order_id=5
  cancelled to=3 #6 tag=0
  moved order_id=6 locked_after=0 free_after=1000000000000
  level instrument_id=1 side=buy price=12000 gpus=0 top_of_book=1
  level instrument_id=1 side=buy price=10000 gpus=2 orders=1 top_of_book=1
  level instrument_id=1 side=sell price=20000 gpus=7 orders=1 top_of_book=1
  level instrument_id=2 side=buy price=11000 gpus=0
  level instrument_id=3 side=buy price=9000 gpus=0
balance b1 free=1000000000000 locked=0 exposure=0
queue 1 bids 2
queue 1 asks 7
CancelAllOrders from=b1 side=both
  CommandAccepted result_id=0
)");
}

TEST_CASE("Instrument, class and side narrow what is cancelled, each by itself and together") {
  RunScenario(kBooks + R"(
CancelAllOrders from=b1 side=both instrument_id=2
  CommandAccepted result_id=1
  cancelled #4
CancelAllOrders from=b1 side=both class_id=2
  CommandAccepted result_id=1
  cancelled #5
CancelAllOrders from=b1 side=sell
  CommandAccepted result_id=1
  cancelled #3
CancelAllOrders from=b1 side=buy instrument_id=1 class_id=2
  CommandAccepted result_id=0
CancelAllOrders from=b1 side=both class_id=99
  CommandAccepted result_id=0
CancelAllOrders from=b1 side=sell instrument_id=1 class_id=1
  CommandAccepted result_id=0
CancelAllOrders from=b1 side=buy instrument_id=1 class_id=1
  CommandAccepted result_id=2
  cancelled #1
  cancelled #6
queue 1 bids 2
)");
}

TEST_CASE("All orders can be cancelled while an instrument is halted, and when it has closed") {
  RunScenario(kBooks + R"(
SetInstrumentHalt from=op instrument_id=1 halted=1
buy b2 1@10
  ! instrument_halted
CancelAllOrders from=b2 side=both instrument_id=1
  CommandAccepted result_id=1
  cancelled #2
at T+117m
CancelAllOrders from=p1 side=both instrument_id=1
  InstrumentStateChanged instrument_id=1 state=gate_closed
  InstrumentStateChanged instrument_id=3 state=gate_closed
  cancelled #1 reason=gate_closed
  cancelled #3 reason=gate_closed
  cancelled #5 reason=gate_closed
  cancelled #6 reason=gate_closed
  cancelled #7 reason=gate_closed
  CommandAccepted result_id=0
at T+120m
CloseInstrument instrument_id=1
CancelAllOrders from=b1 side=both instrument_id=1
  CommandAccepted result_id=0
CancelAllOrders from=b1 side=both instrument_id=4
  ! unknown_instrument
CancelAllOrders from=b1 side=both
  CommandAccepted result_id=1
  cancelled #4
)");
}

TEST_CASE("A member cancels its own orders, an operator those of the member that it names") {
  RunScenario(kBooks + R"(
CancelAllOrders from=b2 side=both target_account_id=b1
  ! not_permitted
CancelAllOrders from=b2 side=both target_account_id=99
  ! not_permitted
CancelAllOrders from=99 side=both
  ! unknown_account
CancelAllOrders from=op side=both
  ! unknown_account
CancelAllOrders from=op side=both target_account_id=99
  ! unknown_account
CancelAllOrders from=op side=both target_account_id=op
  ! not_permitted
CancelAllOrders from=st side=both target_account_id=b1
  ! not_permitted
CancelAllOrders from=b2 side=both target_account_id=b2
  CommandAccepted to=4 result_id=1
  cancelled to=4 #2
CancelAllOrders from=op side=sell target_account_id=b1
  CommandAccepted to=1 result_id=1
  cancelled to=3 #3 reason=requested
)");
}

TEST_CASE("Only the exchange cancels for a session that ended, or whose timer ran out") {
  RunScenario(kBooks + R"(
CancelAllOrders from=b1 side=both reason=disconnected
  ! not_permitted
CancelAllOrders from=op side=both reason=timer target_account_id=b1
  ! not_permitted
CancelAllOrders side=both target_account_id=b1
  ! not_permitted
CancelAllOrders side=both reason=disconnected
  ! unknown_account
CancelAllOrders side=both reason=disconnected target_account_id=99
  ! unknown_account
CancelAllOrders side=both reason=disconnected target_account_id=st
  ! not_permitted
CancelAllOrders side=sell reason=disconnected target_account_id=b1
  CommandAccepted to=0 result_id=1
  cancelled to=3 #3 tag=0 reason=disconnected
CancelAllOrders side=both reason=timer target_account_id=b1
  CommandAccepted result_id=4
  cancelled #1 reason=timer
  cancelled #4 reason=timer
  cancelled #5 reason=timer
  cancelled #6 reason=timer
queue 1 bids 2
)");
}

TEST_CASE("Of several faults of a cancel of all the first in the order of checks is given") {
  RunScenario(kBooks + R"(
at T+10s
CancelAllOrders from=99 side=3 deadline_us=T+9s instrument_id=9
  ! malformed_command
CancelAllOrders from=99 side=both deadline_us=T+9s instrument_id=9
  ! deadline_passed
CancelAllOrders from=99 side=both deadline_us=T+10s instrument_id=9
  ! unknown_account
CancelAllOrders from=b2 side=both target_account_id=99 instrument_id=9
  ! not_permitted
CancelAllOrders from=op side=both target_account_id=99 instrument_id=9
  ! unknown_account
CancelAllOrders from=b2 side=both instrument_id=9
  ! unknown_instrument
CancelAllOrders from=b2 side=both deadline_us=T+10s
  CommandAccepted result_id=1
  cancelled #2
)");
}

TEST_CASE("Client order ids of orders cancelled together stay remembered, and answer") {
  RunScenario(R"(
setup
buy b1 1@10 client_order_id=a
buy b1 2@11 client_order_id=b
CancelAllOrders from=b1 side=buy
  CommandAccepted result_id=2
  cancelled #1 client_order_id=a
  cancelled #2 client_order_id=b
buy b1 1@10 client_order_id=a
  CommandAccepted result_id=1 duplicate=1
buy b1 3@10 client_order_id=b
  ! client_order_id_reused
queue 1 bids -
)");
}

}  // namespace
}  // namespace warpbook::engine
