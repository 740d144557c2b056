#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("A repeat of an accepted order is answered with the first outcome") {
  RunScenario(R"(
setup
buy b1 4@10 client_order_id=a
  accepted #1 client_order_id=a
buy b1 4@10 client_order_id=a tag=99
  CommandAccepted result_id=1 duplicate=1 tag=99
buy b2 4@10 client_order_id=a
  accepted #2
cancel b1 #1
buy b1 4@10 client_order_id=a
  CommandAccepted result_id=1 duplicate=1
queue 1 bids 2
)");
}

TEST_CASE("A repeat is recognised whatever happened since: deadline, halt, close") {
  RunScenario(R"(
setup
buy b1 4@10 client_order_id=a deadline_us=T+1s
at T+10s
buy b1 4@10 client_order_id=a deadline_us=T+1s
  CommandAccepted result_id=1 duplicate=1
SetInstrumentHalt from=op instrument_id=1 halted=1
buy b1 4@10 client_order_id=a deadline_us=T+20s
  CommandAccepted result_id=1 duplicate=1
buy b1 4@10 client_order_id=a validate_only=1
  CommandAccepted result_id=1 duplicate=1
at T+120m
CloseInstrument instrument_id=1
buy b1 4@10 client_order_id=a
  CommandAccepted result_id=1 duplicate=1
)");
}

TEST_CASE("The same id with any other content is refused") {
  for (const char* other :
       {"buy b1 5@10 client_order_id=a", "buy b1 4@11 client_order_id=a",
        "sell b1 4@10 client_order_id=a node_id=1", "buy b1 4@10 client_order_id=a tier=premium",
        "buy b1 4@10 client_order_id=a min_fill=2",
        "buy b1 4@10 client_order_id=a min_assurance=verified",
        "buy b1 4@10 client_order_id=a time_in_force=ioc",
        "buy b1 4@10 client_order_id=a expires_us=T+5m time_in_force=gtd",
        "buy b1 4@10 client_order_id=a post_only=1",
        "buy b1 4@10 client_order_id=a self_trade_prevention=decrement",
        "buy b1 4@10 client_order_id=a node_id=3", "buy b1 4@10 client_order_id=a lease_id=3",
        "buy b1 4@10 client_order_id=a type=market time_in_force=ioc",
        "buy b1 4@10 client_order_id=a validate_only=1 gpus=3"}) {
    RunScenario(std::string("setup\nbuy b1 4@10 client_order_id=a\n") + other +
                "\n  ! client_order_id_reused\n");
  }
}

TEST_CASE("A refused order does not use up its client order id") {
  RunScenario(R"(
setup
buy b1 4@10 time_in_force=fok client_order_id=a
  ! fok_not_fillable
buy b1 4@1000 client_order_id=a
  ! price_outside_band
buy b1 4@10 client_order_id=a
  accepted #1 client_order_id=a
)");
}

TEST_CASE("A finished id is remembered for the time or the count, whichever is more") {
  EngineLimits limits;
  limits.remembered_client_order_ids = 2;
  limits.remembered_client_order_micros = 10'000'000;
  RunScenario(R"(
setup
buy b1 1@10 client_order_id=a time_in_force=ioc
at T+1s
buy b1 1@10 client_order_id=b time_in_force=ioc
buy b1 1@10 client_order_id=c time_in_force=ioc
at T+10s
# Of a only the time is left: it was finished at T+0s.
buy b1 1@10 client_order_id=a time_in_force=ioc
  CommandAccepted result_id=1 duplicate=1
at T+11s
buy b1 1@10 client_order_id=a time_in_force=ioc
  accepted #4
  cancelled #4
# b is now the third last, and as old as its time allows.
buy b1 1@10 client_order_id=b time_in_force=ioc
  CommandAccepted result_id=2 duplicate=1
at T+12s
buy b1 1@10 client_order_id=b time_in_force=ioc
  accepted #5
  cancelled #5
at T+100m
buy b1 1@10 client_order_id=a time_in_force=ioc
  CommandAccepted result_id=4 duplicate=1
buy b1 1@10 client_order_id=b time_in_force=ioc
  CommandAccepted result_id=5 duplicate=1
buy b1 1@10 client_order_id=c time_in_force=ioc
  accepted #6
  cancelled #6
)",
              limits);
}

TEST_CASE("A live order's id is never forgotten") {
  EngineLimits limits;
  limits.remembered_client_order_ids = 0;
  limits.remembered_client_order_micros = 0;
  RunScenario(R"(
setup
buy b1 1@10 client_order_id=a
at T+90m
buy b1 1@10 client_order_id=a
  CommandAccepted result_id=1 duplicate=1
amend b1 client_order_id=a gpus=3
  amended #1 client_order_id=a
cancel b1 client_order_id=a
  cancelled #1 client_order_id=a
buy b1 1@10 client_order_id=a
  CommandAccepted result_id=1 duplicate=1
at T+5401s
buy b1 1@10 client_order_id=a
  accepted #2
)",
              limits);
}

}  // namespace
}  // namespace warpbook::engine
