// A row for every reason that the engine can give.
#include <doctest/doctest.h>

#include <set>
#include <string>

#include "engine/core/engine.h"
#include "schema/types/reject_reason.h"
#include "tests/engine/core/scenario.h"

namespace warpbook::engine {
namespace {

struct Row {
  RejectReason reason;
  const char* text;  // after the standard market; the last command is the one refused
};

EngineLimits SmallLimits() {
  EngineLimits limits;
  limits.accounts_max = 7;
  limits.keys_per_account_max = 2;
  limits.keys_ever_per_account_max = 3;
  limits.nodes_per_account_max = 2;
  limits.orders_per_account_max = 3;
  limits.orders_per_account_and_book_max = 2;
  limits.resting_orders_max = 6;
  limits.pending_requests_max = 2;
  limits.pending_top_ups_per_account_max = 1;
  limits.resales_per_lease_max = 1;
  return limits;
}

const Row kRows[] = {
    {RejectReason::kMalformedCommand, "buy b1 4@10 tier=3"},
    {RejectReason::kStorageLow, "RefuseCommand from=b1 command_type=60 reason=1208"},
    {RejectReason::kDeadlinePassed, "buy b1 4@10 deadline_us=T-1s"},
    {RejectReason::kUnknownAccount, "buy 99 4@10"},
    {RejectReason::kUnknownInstrument, "buy b1 4@10 instrument_id=2"},
    {RejectReason::kUnknownInstrument, "CancelAllOrders from=b1 side=both instrument_id=2"},
    {RejectReason::kClientOrderIdReused,
     "buy b1 4@10 client_order_id=a\nbuy b1 5@10 client_order_id=a"},
    {RejectReason::kUnknownOrder, "cancel b1 #1"},
    {RejectReason::kUnknownOrder, "WithdrawOrder target_account_id=b1 order_id=1 reason=timer"},
    {RejectReason::kInstrumentHalted,
     "SetInstrumentHalt from=op instrument_id=1 halted=1\nbuy b1 4@10"},
    {RejectReason::kInstrumentGateClosed, "at T+117m\nTick\nbuy b1 4@10"},
    {RejectReason::kInstrumentClosed, "at T+120m\nCloseInstrument instrument_id=1\nbuy b1 4@10"},
    {RejectReason::kInvalidQuantity, "buy b1 0@10"},
    {RejectReason::kInvalidMinFill, "buy b1 4@10 min_fill=5"},
    {RejectReason::kPriceNotPositive, "buy b1 4@-1"},
    {RejectReason::kPriceOffTick, "buy b1 4@10 price=10001"},
    {RejectReason::kPriceOutsideBand, "buy b1 4@101"},
    {RejectReason::kMarketNeedsIocOrFok, "buy b1 4@market"},
    {RejectReason::kPostOnlyNeedsResting, "buy b1 4@10 post_only=1 time_in_force=ioc"},
    {RejectReason::kExpiryInPast, "buy b1 4@10 time_in_force=gtd expires_us=T+0s"},
    {RejectReason::kFieldNotForSide, "sell p1 4@10 tier=standard"},
    {RejectReason::kAskNeedsNodeOrLease, "sell p1 4@10 node_id=1 lease_id=1"},
    {RejectReason::kTooManyOrders,
     R"(OpenInstrument window_start_us=T+120m window_minutes=60 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
buy b1 4@10
buy b1 4@10
buy b1 4@10 instrument_id=2
buy b1 4@10 instrument_id=2)"},
    {RejectReason::kTooManyOrdersInBook, "buy b1 4@10\nbuy b1 4@10\nbuy b1 4@10"},
    {RejectReason::kPostOnlyWouldTrade, "buy b1 4@10\nsell p1 4@10 post_only=1"},
    {RejectReason::kFokNotFillable, "buy b1 4@10 time_in_force=fok"},
    {RejectReason::kFokMeetsOwnOrder, "sell p1 4@9\nsell p2 4@10\nbuy p1 4@10 time_in_force=fok"},
    {RejectReason::kLeaseNotResalable,
     "sell p1 4@10\nbuy b1 4@10\nat T+58m\nsell b1 4@10 lease_id=1"},
    {RejectReason::kResaleChainTooLong,
     "sell p1 4@10\nbuy b1 4@10\nsell b1 4@11 lease_id=1\nbuy b2 4@11\nsell b2 4@12 lease_id=2"},
    {RejectReason::kInsufficientLeaseGpus, "sell p1 4@10\nbuy b1 4@10\nsell b1 5@11 lease_id=1"},
    {RejectReason::kUnknownNode, "sell p1 4@10 node_id=2"},
    {RejectReason::kNodeNotApproved,
     "RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1\nsell p1 4@10 node_id=4"},
    {RejectReason::kNodeWrongInstrument,
     R"(RegisterNode from=p1 device_key=d4 gpus=8 class_id=2 region_id=1
SetCapacity from=op node_id=4 gpus=8 assurance=listed
sell p1 4@10 node_id=4)"},
    {RejectReason::kInsufficientCapacity, "sell p1 17@10"},
    {RejectReason::kBondedLimitExceeded,
     "SetBondedLimit from=op target_account_id=p1 limit=1\nsell p1 1@10"},
    {RejectReason::kInsufficientCredits, "buy b1 100000@100\nbuy b1 100000@100"},
    {RejectReason::kAmountOverflow,
     "RequestTopUp from=b1 burn_utok=1\n"
     "PostTopUp from=st number=7 request_sequence=31 credits=9223372036854775807"},
    {RejectReason::kEngineFull, R"(buy b1 1@10
buy b1 1@10
buy b2 1@10
buy b2 1@10
buy b3 1@10
buy b3 1@10
buy p1 1@10)"},
    {RejectReason::kUnknownLease, "StartLease from=p1 lease_id=1"},
    {RejectReason::kLeaseWrongState, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
StartLease from=p1 lease_id=1)"},
    {RejectReason::kLeaseNotStartable, "sell p1 4@10\nbuy b1 4@10\nStartLease from=p1 lease_id=1"},
    {RejectReason::kLeaseStartTooLate,
     "sell p1 4@10\nbuy b1 4@10\nat T+66m\nStartLease from=p1 lease_id=1"},
    {RejectReason::kMinuteOutsideLease, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
HeartbeatLease from=p1 lease_id=1 minute_us=T+59m)"},
    {RejectReason::kMinuteInFuture, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
HeartbeatLease from=p1 lease_id=1 minute_us=T+61m)"},
    {RejectReason::kHeartbeatTooLate, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
at T+67m
HeartbeatLease from=p1 lease_id=1 minute_us=T+60m)"},
    {RejectReason::kLeaseNotDelivered,
     "sell p1 4@10\nbuy b1 4@10\nCompleteLease from=b1 lease_id=1"},
    {RejectReason::kDisputeTimeOver, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
at T+120m
CloseInstrument instrument_id=1
at T+130m
DisputeLease from=b1 lease_id=1)"},
    {RejectReason::kJudgingTimeOver, R"(sell p1 4@10
buy b1 4@10
at T+60m
StartLease from=p1 lease_id=1
at T+120m
CloseInstrument instrument_id=1
DisputeLease from=b1 lease_id=1
at T+180m
JudgeLease from=op lease_id=1 verdict=unfounded share=10000 reason=late)"},
    {RejectReason::kProbeUnderWay,
     "BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m\n"
     "BeginProbe from=p1 node_id=1 nonce=n expires_us=T+1m"},
    {RejectReason::kUnknownProbe, "DecideProbe node_id=1 probe_id=1 reason=wrong_product"},
    {RejectReason::kOwnerNotVerified,
     "MarkOwner from=st number=7 owner_id=4 large=1\nsell p1 4@10"},
    {RejectReason::kKeyInUse, "AddKey from=b1 public_key=b2 scopes=1"},
    {RejectReason::kTooManyKeys,
     "AddKey from=b1 public_key=x1 scopes=1\nAddKey from=b1 public_key=x2 scopes=1"},
    {RejectReason::kTooManyKeys,
     "AddKey from=b1 public_key=x1 scopes=1\nRevokeKey from=b1 public_key=x1\n"
     "AddKey from=b1 public_key=x2 scopes=1\nRevokeKey from=b1 public_key=x2\n"
     "AddKey from=b1 public_key=x3 scopes=1"},
    {RejectReason::kUnknownKey, "RevokeKey from=b1 public_key=b2"},
    {RejectReason::kLastKey, "RevokeKey from=b1 public_key=b1"},
    {RejectReason::kUnknownOwner, "VerifyOwner from=op owner_id=7 verified=1"},
    {RejectReason::kInvalidScopes, "AddKey from=b1 public_key=x1 scopes=16"},
    {RejectReason::kNotPermitted, "buy op 4@10"},
    {RejectReason::kNotPermitted, "CancelAllOrders from=b1 side=both target_account_id=b2"},
    {RejectReason::kNotPermitted,
     "WithdrawOrder from=b1 target_account_id=b1 order_id=1 reason=timer"},
    {RejectReason::kNotPermitted, "SetOrderGuard from=op mode=off"},
    {RejectReason::kTooManyAccounts, "OpenAccount public_key=x1\nOpenAccount public_key=x2"},
    {RejectReason::kTooManyNodes,
     "RegisterNode from=p1 device_key=d4 gpus=8 class_id=1 region_id=1\n"
     "RegisterNode from=p1 device_key=d5 gpus=8 class_id=1 region_id=1"},
    {RejectReason::kInvalidAmount, "RequestTopUp from=b1"},
    {RejectReason::kInvalidPriceFeed, "SetPrices from=op"},
    {RejectReason::kInvalidInstrument, "OpenInstrument"},
    {RejectReason::kInstrumentExists,
     "OpenInstrument window_start_us=T+60m window_minutes=60 gate_minutes=3 tick=1000 "
     "band_low=1000 band_high=100000 class_id=1 region_id=1"},
    {RejectReason::kInvalidInstrumentState, "CloseInstrument instrument_id=1"},
    {RejectReason::kSettlementBacklog,
     "RequestTopUp from=b1 burn_utok=1\nRequestTopUp from=b2 burn_utok=1\n"
     "RequestTopUp from=b3 burn_utok=1"},
    {RejectReason::kTooManyRequests,
     "RequestTopUp from=b1 burn_utok=1\nRequestTopUp from=b1 burn_utok=1"},
    {RejectReason::kInvalidReference, "RequestDeposit from=op target_account_id=b1 amount_utok=1"},
    {RejectReason::kInvalidReference,
     "RequestWithdrawal from=op target_account_id=b1 amount_utok=1"},
    {RejectReason::kNumberRepeated, "PostDeposit from=st number=6 request_sequence=1"},
    {RejectReason::kNumberGap, "PostDeposit from=st number=8 request_sequence=1"},
    {RejectReason::kUnknownRequest, "PostDeposit from=st number=7 request_sequence=1"},
    {RejectReason::kDecisionMismatch,
     "RequestTopUp from=b1 burn_utok=1\nPostDeposit from=st number=7 request_sequence=31"},
    {RejectReason::kDecisionMismatch,
     "RequestDeposit from=op target_account_id=b1 amount_utok=1 reference=r\n"
     "PostWithdrawal from=st number=7 request_sequence=31"},
};

TEST_CASE("Every reason that the engine can give is given for its own cause") {
  for (const Row& row : kRows) {
    const std::string code(RejectReasonCode(row.reason));
    CAPTURE(code);
    RunScenario("setup\n" + std::string(row.text) + "\n  ! " + code + "\n", SmallLimits());
  }
}

TEST_CASE("Every reason from 2001 on has a row, but those that are never the engine's") {
  // An instrument's gate keeps at least a minute of delivery; two are the gateway's, the last four
  // settlement's.
  std::set<RejectReason> rest = {RejectReason::kNoProbe,
                                 RejectReason::kProbeAnswerUnexpected,
                                 RejectReason::kLessThanOneMinute,
                                 RejectReason::kPricesUnavailable,
                                 RejectReason::kInsufficientTokens,
                                 RejectReason::kReferenceReused,
                                 RejectReason::kTopUpTooSmall};
  for (const Row& row : kRows) rest.insert(row.reason);
  for (const RejectReasonInfo& info : AllRejectReasons()) {
    if (info.reason < RejectReason::kDeadlinePassed) continue;
    CAPTURE(std::string(info.code));
    CHECK(rest.contains(info.reason));
  }
}

TEST_CASE("Each limit of the engine holds to the last one") {
  EngineLimits limits;
  limits.leases_max = 2;
  limits.client_order_ids_max = 2;
  limits.instruments_max = 2;
  RunScenario(R"(
setup
sell p1 1@10
sell p2 1@10
sell p3 1@10
buy b1 3@10
  ! engine_full
buy b1 3@10 time_in_force=ioc
  ! engine_full
buy b1 2@10 time_in_force=ioc
  accepted #4
  filled
  filled
  filled
  filled
buy b1 1@9
amend b1 #5 price=10000
  ! engine_full
buy b1 1@9 client_order_id=a
buy b2 1@9 client_order_id=a
buy b1 1@9 client_order_id=b
  ! engine_full
buy b1 1@9 client_order_id=a
  CommandAccepted duplicate=1
OpenInstrument window_start_us=T+120m window_minutes=60 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
OpenInstrument window_start_us=T+180m window_minutes=60 gate_minutes=3 tick=1000 band_low=1000 band_high=100000 class_id=1 region_id=1
  ! engine_full detail=2
)",
              limits);
}

TEST_CASE("Orders that cannot rest are not counted against the limits of those that do") {
  RunScenario(R"(
setup
buy b1 1@9
buy b1 1@9
buy b1 1@10
  ! too_many_orders_in_book detail=2
sell p1 1@10
buy b1 1@10 time_in_force=ioc
  accepted #4
  filled #4
  filled #3
buy b2 1@9
buy b2 1@9
buy b3 1@9
buy b3 1@9
buy p2 1@9
  ! engine_full
buy p2 1@9 time_in_force=ioc
  accepted
  cancelled
)",
              SmallLimits());
}

}  // namespace
}  // namespace warpbook::engine
