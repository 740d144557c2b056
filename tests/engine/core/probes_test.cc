// What follows for a node from its probes. The standard market's last command has sequence 30.
#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE(
    "A node that proves itself may sell what it has proved, as verified, and needs nobody's word") {
  RunScenario(R"(
setup
RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1
sell p1 4@10 node_id=4
  ! node_not_approved
BeginProbe from=p2 node_id=4 nonce=n expires_us=T+1m
  ! unknown_node
BeginProbe from=p1 node_id=5 nonce=n expires_us=T+1m
  ! unknown_node
BeginProbe from=p1 node_id=4 nonce=n expires_us=T+0s
  ! deadline_passed
BeginProbe from=op node_id=4 nonce=n expires_us=T+1m
  ! not_permitted
BeginProbe from=p1 node_id=4 nonce=n expires_us=T+1m tag=7
  ProbeBegun to=6 tag=7 node_id=4 probe_id=37 expires_us=T+1m
sell p1 4@10 node_id=4
  ! node_not_approved
DecideProbe node_id=4 probe_id=37 gpus=9 valid_until_us=T+60m share=10000
  ! invalid_quantity detail=8
DecideProbe node_id=4 probe_id=37 gpus=6 valid_until_us=T+0s share=10000
  ! deadline_passed
DecideProbe from=op node_id=4 probe_id=37 gpus=6 valid_until_us=T+60m share=10000
  ! not_permitted
DecideProbe from=p1 node_id=4 probe_id=37 gpus=6 valid_until_us=T+60m share=10000
  ! not_permitted
DecideProbe node_id=5 probe_id=37 gpus=6 valid_until_us=T+60m share=10000
  ! unknown_node
DecideProbe node_id=1 probe_id=37 gpus=6 valid_until_us=T+60m share=10000
  ! unknown_probe
DecideProbe node_id=4 probe_id=37 gpus=6 valid_until_us=T+60m share=9000 flags=8 bytes_per_s=3 transcript=t tag=9
  ProbeDecided to=6 tag=9 node_id=4 probe_id=37 transcript=t bytes_per_s=3 proved_until_us=T+60m gpus=6 share=9000 flags=8 reason=none
  CapacitySet to=6 node_id=4 gpus=6 assurance=verified
sell p1 4@10 node_id=4
  accepted #1 tier=verified
sell p1 3@10 node_id=4
  ! insufficient_capacity detail=2
)");
}

TEST_CASE("A probe is decided once, and no other is begun until it is decided or over") {
  RunScenario(R"(
setup
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
at T+59s
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+2m
  ! probe_under_way
at T+60s
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+2m
DecideProbe node_id=1 probe_id=31 reason=wrong_product
  ! unknown_probe
DecideProbe node_id=1 probe_id=33 gpus=16 valid_until_us=T+60m share=10000
DecideProbe node_id=1 probe_id=33 gpus=16 valid_until_us=T+60m share=10000
  ! unknown_probe
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+2m
)");
}

TEST_CASE("A pass gives no more GPUs than an operator allows") {
  RunScenario(R"(
setup
SetCapacity from=op node_id=1 gpus=5 assurance=listed
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
DecideProbe node_id=1 probe_id=32 gpus=16 valid_until_us=T+60m share=10000
  ProbeDecided gpus=16
  CapacitySet gpus=5 assurance=verified
SetCapacity from=op node_id=1 gpus=16 assurance=verified
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
DecideProbe node_id=1 probe_id=35 reason=wrong_walk
  ProbeDecided
  CapacitySet gpus=0
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
DecideProbe node_id=1 probe_id=37 gpus=16 valid_until_us=T+60m share=10000
  ProbeDecided
  CapacitySet gpus=16
)");
}

TEST_CASE("An attested node stays attested; what it has sold and offers within its proof stays") {
  RunScenario(R"(
setup
sell p1 4@10
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
DecideProbe node_id=1 probe_id=32 gpus=16 valid_until_us=T+60m share=10000
  ProbeDecided
  CapacitySet gpus=16 assurance=attested
queue 1 asks 1
BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m
DecideProbe node_id=1 probe_id=34 gpus=3 valid_until_us=T+60m share=10000
  ProbeDecided
  CapacitySet gpus=3 assurance=attested
  cancelled #1 reason=capacity_reduced
)");
}

TEST_CASE("A proof that does not hold, or not of its class, takes all capacity; fills stand") {
  RunScenario(R"(
setup
sell p2 4@10 node_id=2
buy b1 1@10
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+1m
DecideProbe node_id=2 probe_id=33 reason=wrong_product
  ProbeDecided to=7 node_id=2 probe_id=33 proved_until_us=0 gpus=0 share=0 reason=wrong_product
  CapacitySet gpus=0 assurance=listed
  cancelled #1 reason=downgraded filled=1
sell p2 1@10 node_id=2
  ! insufficient_capacity detail=0
)");
}

TEST_CASE("A probe that came to nothing changes nothing, until the last proof lapses") {
  RunScenario(R"(
setup
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+1m
DecideProbe node_id=2 probe_id=31 gpus=16 valid_until_us=T+10m share=10000
sell p2 4@10 node_id=2
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+1m
DecideProbe node_id=2 probe_id=34 reason=too_late
  ProbeDecided reason=too_late proved_until_us=T+10m
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+1m
DecideProbe node_id=2 probe_id=36 reason=unfinished
  ProbeDecided reason=unfinished proved_until_us=T+10m
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+1m
DecideProbe node_id=2 probe_id=38 reason=no_probe
  ProbeDecided reason=no_probe
queue 1 asks 1
at T+599s
DecideProbe node_id=2 reason=lapsed
  ! unknown_probe
at T+600s
DecideProbe node_id=2 reason=lapsed
  ProbeDecided reason=lapsed proved_until_us=0 probe_id=0
  CapacitySet gpus=16 assurance=listed
  cancelled #1 reason=downgraded
DecideProbe node_id=2 reason=lapsed
  ! unknown_probe
sell p2 4@10 node_id=2
  accepted #2 tier=listed
)");
}

TEST_CASE("A node that was called has to prove itself in time") {
  RunScenario(R"(
setup
CallProbe from=op node_id=2 due_us=T+5m
  ! not_permitted
CallProbe node_id=9 due_us=T+5m
  ! unknown_node
CallProbe node_id=2 due_us=T+0s
  ! deadline_passed
CallProbe node_id=2 due_us=T+5m
  CommandAccepted result_id=2
  ProbeCalled to=7 node_id=2 due_us=T+5m
CallProbe node_id=2 due_us=T+9m
  CommandAccepted result_id=2
CallProbe node_id=2 due_us=T+299s
  CommandAccepted result_id=2
  ProbeCalled to=7 node_id=2 due_us=T+299s
at T+298s
DecideProbe node_id=2 reason=unfinished
  ! unknown_probe
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+6m
DecideProbe node_id=2 probe_id=38 reason=unfinished
  ProbeDecided
at T+299s
DecideProbe node_id=2 reason=lapsed
  ! unknown_probe
DecideProbe node_id=2 reason=unfinished
  ProbeDecided reason=unfinished probe_id=0
  CapacitySet gpus=16 assurance=listed
DecideProbe node_id=2 reason=unfinished
  ! unknown_probe
CallProbe node_id=2 due_us=T+7m
  CommandAccepted
  ProbeCalled due_us=T+7m
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+6m
DecideProbe node_id=2 probe_id=44 gpus=16 valid_until_us=T+60m share=10000 answers_call=1
  ProbeDecided probe_due_us=0 proved_until_us=T+60m
  CapacitySet
at T+8m
DecideProbe node_id=2 reason=unfinished
  ! unknown_probe
)");
}

TEST_CASE("A pass that does not answer the node's call leaves it called") {
  RunScenario(R"(
setup
CallProbe node_id=2 due_us=T+5m
BeginProbe from=p2 node_id=2 nonce=n expires_us=T+6m
DecideProbe node_id=2 probe_id=32 gpus=16 valid_until_us=T+60m share=10000
  ProbeDecided probe_due_us=T+5m proved_until_us=T+60m
  CapacitySet
at T+5m
DecideProbe node_id=2 reason=unfinished
  ProbeDecided proved_until_us=0 probe_due_us=0
  CapacitySet gpus=16 assurance=listed
)");
}

}  // namespace
}  // namespace warpbook::engine
