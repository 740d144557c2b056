#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

// Lease 2: 4 GPUs that b1 bought of p1 at 10,000 and resold to b2 at 9,000, settled at half its
// delivery. b1 owes 100,000 of it, as its loss was 1,000, and b2 owes 1,000,000.
constexpr std::string_view kOwed = R"(
setup
sell p1 4@10
buy b1 4@10
sell b1 4@9 lease_id=1
buy b2 4@9
at T+60m
StartLease from=p1 lease_id=2
at T+120m
CloseInstrument instrument_id=1
SettleLease from=st number=7 lease_id=2 verified_weight=1200000 consumed=20000 owed=1180000 burned=1080 gross_utok=10 delivered_minutes=30
balance b1 owed=100000
balance b2 owed=1080000
)";

void RunWithOwed(std::string_view text) { RunScenario(std::string(kOwed) + std::string(text)); }

TEST_CASE("What a lease is owed is paid later, in parts, by its payers in their order") {
  RunWithOwed(R"(
show CreditsMoved
PayDeferred from=st number=8 lease_id=2 consumed=150000 gross_utok=10 provider_utok=7 fee_utok=2 retire_utok=1 emitted_utok=9
  CommandAccepted result_id=2
  moved to=3 source=owed destination=consumed amount=100000 lease_id=2
  moved to=4 source=owed destination=consumed amount=50000 lease_id=2
  DeferredPaid to=6 number=8 lease_id=2 consumed=150000 owed=1030000 gross_utok=10 provider_utok=7 fee_utok=2 retire_utok=1 emitted_utok=9
balance b1 owed=0
PayDeferred from=st number=9 lease_id=2 consumed=1030001
  ! decision_mismatch
PayDeferred from=st number=9 lease_id=2 consumed=1030000
  CommandAccepted
  moved to=4 source=owed destination=consumed amount=1030000
  DeferredPaid to=6 consumed=1030000 owed=0
balance b2 owed=0
PayDeferred from=st number=10 lease_id=2 consumed=1
  ! unknown_lease
)");
}

TEST_CASE("A payment that is none, or of another number, is refused") {
  for (const char* row : {"consumed=0", "consumed=-1", "consumed=1 gross_utok=-1",
                          "consumed=1 provider_utok=1 fee_utok=1 emitted_utok=3",
                          "consumed=1 retire_utok=-1", "consumed=1 fee_utok=1000000000000001"}) {
    RunWithOwed(std::string("PayDeferred from=st number=8 lease_id=2 ") + row +
                "\n  ! decision_mismatch\n");
  }
  RunWithOwed(R"(
PayDeferred from=st number=9 lease_id=2 consumed=1
  ! number_gap detail=8
PayDeferred from=st number=7 lease_id=2 consumed=1
  ! number_repeated detail=8
PayDeferred from=op number=8 lease_id=2 consumed=1
  ! not_permitted
PayDeferred from=st number=8 lease_id=1 consumed=1
  ! unknown_lease
)");
}

TEST_CASE("A day's close and its bonuses are told to everybody and to each provider") {
  RunScenario(R"(
setup
CloseEpoch from=st number=7 day=20791 budget_utok=93000 emitted_utok=1000 bonus_utok=92000 gross_utok=5 retire_utok=3
  CommandAccepted result_id=20791
  EpochClosed to=0 number=7 day=20791 budget_utok=93000 emitted_utok=1000 bonus_utok=92000 gross_utok=5 retire_utok=3
PayBonus from=st number=8 account_id=p1 day=20791 gross_utok=5 bonus_utok=4
  CommandAccepted result_id=6
  BonusPaid to=6 number=8 day=20791 gross_utok=5 bonus_utok=4
PayBonus from=st number=9 account_id=op day=20791 gross_utok=5 bonus_utok=4
  ! decision_mismatch
PayBonus from=st number=9 account_id=99 day=20791 gross_utok=5 bonus_utok=4
  ! unknown_account
PayBonus from=st number=9 account_id=p1 day=20791 gross_utok=5 bonus_utok=-4
  ! decision_mismatch
CloseEpoch from=st number=9 day=-1
  ! decision_mismatch
CloseEpoch from=st number=9 day=1 budget_utok=2 emitted_utok=1 bonus_utok=2
  ! decision_mismatch
CloseEpoch from=st number=9 day=1 gross_utok=-1
  ! decision_mismatch
)");
}

TEST_CASE("The gross of a day may be more than all tokens, which are paid again and again") {
  RunScenario(R"(
setup
CloseEpoch from=st number=7 day=1 gross_utok=2000000000000000
  CommandAccepted result_id=1
  EpochClosed to=0 number=7 day=1 gross_utok=2000000000000000
PayBonus from=st number=8 account_id=p1 day=1 gross_utok=2000000000000000 bonus_utok=4
  CommandAccepted result_id=6
  BonusPaid to=6 number=8 day=1 gross_utok=2000000000000000 bonus_utok=4
)");
}

}  // namespace
}  // namespace warpbook::engine
