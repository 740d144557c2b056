#include <doctest/doctest.h>

#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

TEST_CASE("A system key opens its account once and is accepted again without effect") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
  AccountOpened to=1 tag=1 owner_id=0 scopes=8 kind=operator public_key=op
RegisterSystemKey public_key=st kind=settlement
  AccountOpened to=2 owner_id=0 scopes=16 kind=settlement
RegisterSystemKey public_key=op kind=operator
  CommandAccepted result_id=1 tag=3
RegisterSystemKey public_key=op kind=settlement
  ! key_in_use
RegisterSystemKey public_key=op2 kind=operator
  AccountOpened to=3
)");
}

TEST_CASE("An account gets an owner, its first key and all member scopes; each key serves once") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
OpenAccount public_key=k1
  AccountOpened to=2 owner_id=1 scopes=7 kind=member public_key=k1
OpenAccount public_key=k2
  AccountOpened to=3 owner_id=2
OpenAccount public_key=k1
  ! key_in_use
AddKey from=2 public_key=k3 scopes=1
  KeyAdded to=2 public_key=k3 scopes=1
AddKey from=3 public_key=k3 scopes=1
  ! key_in_use
AddKey from=3 public_key=k4 scopes=8
  ! invalid_scopes
AddKey from=3 public_key=k4
  ! invalid_scopes
AddKey from=1 public_key=k4 scopes=1
  ! not_permitted
)");
}

TEST_CASE("A revoked key is nobody's ever again, its own account's neither") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
OpenAccount public_key=k1
OpenAccount public_key=k2
AddKey from=2 public_key=k3 scopes=3
RevokeKey from=2 public_key=k3
  CommandAccepted result_id=2
  KeyRevoked to=2 public_key=k3
RevokeKey from=2 public_key=k3
  ! unknown_key
AddKey from=2 public_key=k3 scopes=1
  ! key_in_use
AddKey from=3 public_key=k3 scopes=1
  ! key_in_use
OpenAccount public_key=k3
  ! key_in_use
RegisterSystemKey public_key=k3 kind=operator
  ! key_in_use
)");
}

TEST_CASE("An account revokes its own keys, but for the last one with one of its scopes") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
OpenAccount public_key=k1
OpenAccount public_key=k2
AddKey from=2 public_key=k3 scopes=3
RevokeKey from=2 public_key=k1
  ! last_key
AddKey from=2 public_key=k4 scopes=4
RevokeKey from=2 public_key=k1
  CommandAccepted result_id=2
  KeyRevoked to=2 public_key=k1
RevokeKey from=2 public_key=k4
  ! last_key
RevokeKey from=2 public_key=k3 target_account_id=2
  ! last_key
RevokeKey from=2 public_key=k2
  ! unknown_key
RevokeKey from=2 public_key=k2 target_account_id=3
  ! not_permitted
)");
}

TEST_CASE("An operator revokes a member's key, its last one too, and no system key") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
RegisterSystemKey public_key=st kind=settlement
OpenAccount public_key=k1
RevokeKey from=1 public_key=k2 target_account_id=3
  ! unknown_key
RevokeKey from=1 public_key=k1 target_account_id=3 tag=9
  CommandAccepted result_id=3 tag=9
  KeyRevoked to=3 public_key=k1
RevokeKey from=1 public_key=k1 target_account_id=4
  ! unknown_account
RevokeKey from=1 public_key=st target_account_id=2
  ! not_permitted
RevokeKey from=1 public_key=op
  ! not_permitted
RevokeKey from=2 public_key=k1 target_account_id=3
  ! not_permitted
)");
}

TEST_CASE("Revoked keys leave room for others, up to the number that an account may ever have") {
  EngineLimits limits;
  limits.keys_per_account_max = 2;
  limits.keys_ever_per_account_max = 3;
  RunScenario(R"(
OpenAccount public_key=k1
AddKey from=1 public_key=k2 scopes=1
AddKey from=1 public_key=k3 scopes=1
  ! too_many_keys detail=2
RevokeKey from=1 public_key=k2
AddKey from=1 public_key=k3 scopes=1
  KeyAdded to=1 public_key=k3
RevokeKey from=1 public_key=k3
AddKey from=1 public_key=k4 scopes=1
  ! too_many_keys detail=3
)",
              limits);
}

TEST_CASE("An operator marks an owner verified, and takes that back") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
OpenAccount public_key=k1
OpenAccount public_key=k2
VerifyOwner from=1 owner_id=2 verified=1 tag=5
  CommandAccepted result_id=2 tag=5
  OwnerVerified to=3 owner_id=2 verified=1
VerifyOwner from=1 owner_id=2
  CommandAccepted result_id=2
  OwnerVerified to=3 owner_id=2 verified=0
VerifyOwner from=1 owner_id=3 verified=1
  ! unknown_owner
VerifyOwner from=1 verified=1
  ! unknown_owner
VerifyOwner from=1 owner_id=2 verified=2
  ! malformed_command
VerifyOwner from=2 owner_id=1 verified=1
  ! not_permitted
)");
}

TEST_CASE("A top-up waits for settlement's decision, which replies with the request's own tag") {
  RunScenario(R"(
RegisterSystemKey public_key=op kind=operator
RegisterSystemKey public_key=st kind=settlement
OpenAccount public_key=b1
show CreditsMoved
RequestTopUp from=b1 burn_utok=500 tag=77
  RequestTaken request_sequence=4 account_id=3 amount_utok=500 kind=top_up
PostTopUp from=st number=1 request_sequence=4 credits=900 tag=78
  CommandAccepted result_id=4 tag=78
  RequestDecided to=3 tag=77 request_sequence=4 requester_account_id=3 amount_utok=500 credits=900 reason=0 kind=top_up
  moved to=3 source=issued destination=free amount=900 free_after=900 locked_after=0
balance b1 free=900 locked=0
PostTopUp from=st number=2 request_sequence=4 credits=900
  ! unknown_request
)");
}

TEST_CASE("A refused request replies with settlement's reason and moves nothing") {
  RunScenario(R"(
setup
show CreditsMoved
RequestTopUp from=b1 burn_utok=500 tag=900
RefuseRequest from=st number=7 request_sequence=31 reason=insufficient_tokens
  CommandAccepted result_id=31
  RequestDecided to=3 tag=900 reason=insufficient_tokens credits=0
balance b1 free=1000000000000
)");
}

TEST_CASE("A deposit concerns one account, is asked for by an operator and credits no credits") {
  RunScenario(R"(
setup
show CreditsMoved
RequestDeposit from=op target_account_id=b1 amount_utok=5000 reference=wire-1 tag=55
  RequestTaken request_sequence=31 account_id=3 amount_utok=5000 reference=wire-1 kind=deposit
PostDeposit from=st number=7 request_sequence=31
  CommandAccepted result_id=31
  RequestDecided to=3 tag=55 requester_account_id=1 amount_utok=5000 reference=wire-1 reason=0
balance b1 free=1000000000000
)");
}

TEST_CASE("A withdrawal is asked for by an operator and posted as what it is") {
  RunScenario(R"(
setup
show CreditsMoved
RequestWithdrawal from=op target_account_id=b1 amount_utok=4000 reference=wire-2 tag=56
  RequestTaken request_sequence=31 account_id=3 amount_utok=4000 reference=wire-2 kind=withdrawal
PostDeposit from=st number=7 request_sequence=31
  ! decision_mismatch
PostTopUp from=st number=7 request_sequence=31 credits=1
  ! decision_mismatch
PostWithdrawal from=st number=7 request_sequence=31
  CommandAccepted result_id=31
  RequestDecided to=3 tag=56 requester_account_id=1 amount_utok=4000 reference=wire-2 reason=0 kind=withdrawal
PostWithdrawal from=st number=8 request_sequence=31
  ! unknown_request
RequestWithdrawal from=b1 target_account_id=b1 amount_utok=1 reference=mine
  ! not_permitted
RequestWithdrawal from=op target_account_id=st amount_utok=1 reference=mine
  ! not_permitted
balance b1 free=1000000000000
)");
}

TEST_CASE("Decisions are numbered without a gap, and a refused one does not advance the number") {
  RunScenario(R"(
setup
RequestTopUp from=b1 burn_utok=500
RequestDeposit from=op target_account_id=b1 amount_utok=5000 reference=wire-1
PostTopUp from=st number=6 request_sequence=31 credits=1
  ! number_repeated detail=7
PostTopUp from=st number=8 request_sequence=31 credits=1
  ! number_gap detail=7
PostTopUp from=st number=7 request_sequence=31
  ! invalid_amount
PostTopUp from=st number=7 request_sequence=32 credits=1
  ! decision_mismatch
PostDeposit from=st number=7 request_sequence=31
  ! decision_mismatch
PostTopUp from=st number=7 request_sequence=31 credits=1
PostDeposit from=st number=8 request_sequence=32
PostDeposit from=op number=9 request_sequence=32
  ! not_permitted
)");
}

TEST_CASE("A tick with a checkpoint tells the credits by bucket and the decisions' number") {
  RunScenario(R"(
setup
show Checkpoint
buy b1 8@10
sell p1 3@10
Tick checkpoint=1
  CommandAccepted result_id=0
  Checkpoint commands=33 issued=6000000000000 free=5999995195200 locked=3003000 escrow=1801800 owed=0 consumed=0 burned=0 settlement_number=6 state_hash=0
Tick
  CommandAccepted
)");
}

}  // namespace
}  // namespace warpbook::engine
