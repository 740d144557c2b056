// SetOrderGuard and WithdrawOrder: who may ask, and what comes of it.
#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("A guard is a member's to set, is accepted, and changes nothing") {
  RunScenario(R"(
setup
buy b1 1@10
SetOrderGuard from=b1 tag=7 mode=session session=5
  CommandAccepted to=3 tag=7 result_id=0 command_type=64
SetOrderGuard from=b1 mode=account session=5
  CommandAccepted
SetOrderGuard from=b1 mode=timer deadline_us=1
  CommandAccepted
SetOrderGuard from=b1 mode=off session=5
  CommandAccepted
SetOrderGuard from=b1 mode=off deadline_us=1
  CommandAccepted
SetOrderGuard from=b1 mode=off
  CommandAccepted
SetOrderGuard mode=off
  ! unknown_account
SetOrderGuard from=op mode=off
  ! not_permitted
SetOrderGuard from=st mode=off
  ! not_permitted
SetOrderGuard from=99 mode=off
  ! unknown_account
queue 1 bids 1
)");
}

TEST_CASE("The exchange withdraws one order of an account, whatever its instrument's state") {
  RunScenario(R"(
setup
buy b1 1@10
buy b1 2@11
buy b2 3@10
SetInstrumentHalt from=op instrument_id=1 halted=1
WithdrawOrder from=b1 target_account_id=b1 order_id=1 reason=disconnected
  ! not_permitted
WithdrawOrder from=op target_account_id=b1 order_id=1 reason=timer
  ! not_permitted
WithdrawOrder target_account_id=b1 order_id=3 reason=timer
  ! unknown_order
WithdrawOrder target_account_id=b1 reason=timer
  ! unknown_order
WithdrawOrder target_account_id=99 order_id=1 reason=timer
  ! unknown_order
WithdrawOrder target_account_id=b1 order_id=1 reason=disconnected
  cancelled to=3 #1 reason=disconnected
WithdrawOrder target_account_id=b1 order_id=1 reason=disconnected
  ! unknown_order
WithdrawOrder tag=9 target_account_id=b1 order_id=2 reason=timer
  cancelled #2 tag=9 reason=timer
queue 1 bids 3
)");
}

}  // namespace
}  // namespace warpbook::engine
