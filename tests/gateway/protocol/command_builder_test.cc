#include "gateway/protocol/command_builder.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "gateway/protocol/json_decoder.h"
#include "schema/types/judgement_reason.h"

namespace warpbook::gateway {
namespace {

constexpr CommandOrigin kOrigin{.account = AccountId(77), .tag = 0x1234'5678'9abc'def0};

template <typename R>
R Decode(const std::string& text) {
  static JsonDecoder decoder(64 * 1024);
  const DecodedMessage message = decoder.Decode(text);
  REQUIRE(std::holds_alternative<R>(message.request));
  return std::get<R>(message.request);
}

std::string Params(const char* method, const std::string& params) {
  return std::string(R"({"method":")") + method + R"(","params":)" + params + "}";
}

template <typename Command>
const Command& CheckHeader(const wire::CommandRecord& record) {
  const wire::CommandHeader& header = record.view().command_header();
  CHECK(header.account_id() == kOrigin.account.value());
  CHECK(header.tag() == kOrigin.tag);
  CHECK(header.sequence() == 0);
  CHECK(header.time_us() == 0);
  return record.view().as<Command>();
}

template <typename FlatArray>
bool AllBytesAre(const FlatArray* bytes, uint8_t value) {
  for (const uint8_t byte : *bytes) {
    if (byte != value) return false;
  }
  return true;
}

std::string_view TextOf(const flatbuffers::Array<uint8_t, 32>* bytes) {
  const char* text = reinterpret_cast<const char*>(bytes->Data());
  return {text, strnlen(text, 32)};
}

const std::string kKey(64, 'a');  // bytes 0xaa
const std::string kSignature(128, '0');

}  // namespace

TEST_CASE("An order's command carries every field of the request, and nothing else") {
  const auto request = Decode<OrderPlaceRequest>(Params("order.place", R"({"symbol":"S",
      "side":"sell","order_type":"market","price":"3.02","gpus":5,"min_fill":2,"time_in_force":"fok",
      "expires":111,"deadline":222,"cl_ord_id":"abc","post_only":true,"stp":"cancel_both",
      "validate":true,"node":"9","lease":"10"})"));
  CommandOrigin origin = kOrigin;
  origin.validate_only = true;
  const auto record = MakeCommand(request, origin, InstrumentId(6));
  const auto& command = CheckHeader<wire::PlaceOrder>(record);
  CHECK(command.price() == 3'020'000);
  CHECK(command.expires_us() == 111);
  CHECK(command.deadline_us() == 222);
  CHECK(command.node_id() == 9);
  CHECK(command.lease_id() == 10);
  CHECK(TextOf(command.client_order_id()) == "abc");
  CHECK(command.instrument_id() == 6);
  CHECK(command.gpus() == 5);
  CHECK(command.min_fill() == 2);
  CHECK(command.side() == 1);
  CHECK(command.type() == 1);
  CHECK(command.time_in_force() == 3);
  CHECK(command.tier() == 0);
  CHECK(command.min_assurance() == 2);
  CHECK(command.self_trade_prevention() == 2);
  CHECK(command.post_only() == 1);
  CHECK(command.validate_only() == 1);
  CHECK(AllBytesAre(command.padding(), 0));
}

TEST_CASE("Members' other requests become their commands") {
  const auto open = MakeCommand(
      Decode<AccountOpenRequest>(Params(
          "account.open",
          R"({"public_key":")" + kKey + R"(","timestamp":1,"signature":")" + kSignature + R"("})")),
      kOrigin);
  CHECK(AllBytesAre(CheckHeader<wire::OpenAccount>(open).public_key(), 0xaa));

  const auto add =
      MakeCommand(Decode<KeyAddRequest>(
                      Params("key.add", R"({"public_key":")" + kKey + R"(","scopes":["trade"]})")),
                  kOrigin);
  CHECK(AllBytesAre(CheckHeader<wire::AddKey>(add).public_key(), 0xaa));
  CHECK(CheckHeader<wire::AddKey>(add).scopes() == 2);

  const auto revoke = MakeCommand(
      Decode<KeyRevokeRequest>(Params("key.revoke", R"({"public_key":")" + kKey + R"("})")),
      kOrigin);
  CHECK(AllBytesAre(CheckHeader<wire::RevokeKey>(revoke).public_key(), 0xaa));
  CHECK(CheckHeader<wire::RevokeKey>(revoke).target_account_id() == 0);

  const auto buy = MakeCommand(
      Decode<CreditsBuyRequest>(Params("credits.buy", R"({"burn":"0.000001"})")), kOrigin);
  CHECK(CheckHeader<wire::RequestTopUp>(buy).burn_utok() == 1);

  const auto amend =
      MakeCommand(Decode<OrderAmendRequest>(Params(
                      "order.amend", R"({"order_id":"4","price":"1.00","gpus":3,"deadline":8})")),
                  kOrigin);
  CHECK(CheckHeader<wire::AmendOrder>(amend).order_id() == 4);
  CHECK(CheckHeader<wire::AmendOrder>(amend).price() == 1'000'000);
  CHECK(CheckHeader<wire::AmendOrder>(amend).gpus() == 3);
  CHECK(CheckHeader<wire::AmendOrder>(amend).deadline_us() == 8);
  CHECK(CheckHeader<wire::AmendOrder>(amend).validate_only() == 0);

  const auto cancel = MakeCommand(
      Decode<OrderCancelRequest>(Params("order.cancel", R"({"cl_ord_id":"x","deadline":8})")),
      kOrigin);
  CHECK(CheckHeader<wire::CancelOrder>(cancel).order_id() == 0);
  CHECK(TextOf(CheckHeader<wire::CancelOrder>(cancel).client_order_id()) == "x");
  CHECK(CheckHeader<wire::CancelOrder>(cancel).deadline_us() == 8);

  const auto all = MakeCommand(
      Decode<OrderCancelAllRequest>(Params("order.cancel_all", R"({"side":"sell","deadline":8})")),
      kOrigin, InstrumentId(6), ClassId(3));
  CHECK(CheckHeader<wire::CancelAllOrders>(all).target_account_id() == 0);
  CHECK(CheckHeader<wire::CancelAllOrders>(all).deadline_us() == 8);
  CHECK(CheckHeader<wire::CancelAllOrders>(all).instrument_id() == 6);
  CHECK(CheckHeader<wire::CancelAllOrders>(all).class_id() == 3);
  CHECK(CheckHeader<wire::CancelAllOrders>(all).side() == 1);
  CHECK(CheckHeader<wire::CancelAllOrders>(all).reason() == 0);
  const auto both = MakeCommand(Decode<OrderCancelAllRequest>(Params("order.cancel_all", "{}")),
                                kOrigin, InstrumentId(), ClassId());
  CHECK(CheckHeader<wire::CancelAllOrders>(both).instrument_id() == 0);
  CHECK(CheckHeader<wire::CancelAllOrders>(both).class_id() == 0);
  CHECK(CheckHeader<wire::CancelAllOrders>(both).side() == 2);

  const auto node = MakeCommand(
      Decode<CapacityRegisterRequest>(Params(
          "capacity.register", R"({"hardware_class":"A","region":"b","gpus":4,"device_key":")" +
                                   kKey + R"(","signature":")" + kSignature + R"("})")),
      kOrigin, ClassId(3), RegionId(2));
  CHECK(AllBytesAre(CheckHeader<wire::RegisterNode>(node).device_key(), 0xaa));
  CHECK(CheckHeader<wire::RegisterNode>(node).gpus() == 4);
  CHECK(CheckHeader<wire::RegisterNode>(node).class_id() == 3);
  CHECK(CheckHeader<wire::RegisterNode>(node).region_id() == 2);

  const auto start =
      MakeCommand(Decode<LeaseStartRequest>(Params("lease.start", R"({"lease":"5"})")), kOrigin);
  CHECK(CheckHeader<wire::StartLease>(start).lease_id() == 5);
  const auto beat =
      MakeCommand(Decode<LeaseHeartbeatRequest>(Params(
                      "lease.heartbeat",
                      R"({"lease":"5","minute":60000000,"signature":")" + kSignature + R"("})")),
                  kOrigin);
  CHECK(CheckHeader<wire::HeartbeatLease>(beat).lease_id() == 5);
  CHECK(CheckHeader<wire::HeartbeatLease>(beat).minute_us() == 60'000'000);
  const auto complete = MakeCommand(
      Decode<LeaseCompleteRequest>(Params("lease.complete", R"({"lease":"5"})")), kOrigin);
  CHECK(CheckHeader<wire::CompleteLease>(complete).lease_id() == 5);
}

TEST_CASE("Operators' requests become their commands") {
  const auto deposit =
      MakeCommand(Decode<TokenDepositRequest>(Params(
                      "token.deposit", R"({"account":"3","amount":"2.5","reference":"ref"})")),
                  kOrigin);
  CHECK(CheckHeader<wire::RequestDeposit>(deposit).target_account_id() == 3);
  CHECK(CheckHeader<wire::RequestDeposit>(deposit).amount_utok() == 2'500'000);
  CHECK(TextOf(CheckHeader<wire::RequestDeposit>(deposit).reference()) == "ref");

  const auto withdrawal =
      MakeCommand(Decode<TokenWithdrawRequest>(Params(
                      "token.withdraw", R"({"account":"3","amount":"1.5","reference":"out"})")),
                  kOrigin);
  CHECK(CheckHeader<wire::RequestWithdrawal>(withdrawal).target_account_id() == 3);
  CHECK(CheckHeader<wire::RequestWithdrawal>(withdrawal).amount_utok() == 1'500'000);
  CHECK(TextOf(CheckHeader<wire::RequestWithdrawal>(withdrawal).reference()) == "out");

  const auto verify = [](const char* params) {
    return MakeCommand(Decode<OwnerVerifyRequest>(Params("owner.verify", params)), kOrigin);
  };
  CHECK(CheckHeader<wire::VerifyOwner>(verify(R"({"owner":"7"})")).owner_id() == 7);
  CHECK(CheckHeader<wire::VerifyOwner>(verify(R"({"owner":"7"})")).verified() == 1);
  CHECK(CheckHeader<wire::VerifyOwner>(verify(R"({"owner":"7","verified":false})")).verified() ==
        0);

  const auto revoke =
      MakeCommand(Decode<KeyRevokeRequest>(
                      Params("key.revoke", R"({"account":"3","public_key":")" + kKey + R"("})")),
                  kOrigin);
  CHECK(CheckHeader<wire::RevokeKey>(revoke).target_account_id() == 3);

  const auto limit = MakeCommand(
      Decode<LimitSetRequest>(Params("limit.set", R"({"account":"3","limit_usd":"1.00"})")),
      kOrigin);
  CHECK(CheckHeader<wire::SetBondedLimit>(limit).target_account_id() == 3);
  CHECK(CheckHeader<wire::SetBondedLimit>(limit).limit() == 60'000'000);

  const auto capacity =
      MakeCommand(Decode<CapacitySetRequest>(
                      Params("capacity.set", R"({"node":"4","gpus":6,"assurance":"attested"})")),
                  kOrigin);
  CHECK(CheckHeader<wire::SetCapacity>(capacity).node_id() == 4);
  CHECK(CheckHeader<wire::SetCapacity>(capacity).gpus() == 6);
  CHECK(CheckHeader<wire::SetCapacity>(capacity).assurance() == 0);

  const auto prices = MakeCommand(
      Decode<PriceSetRequest>(Params("price.set", R"({"feeds":[{"price":"2.00","time":1},
          {"price":"2.01","time":2},{"price":"1.99","time":3},{"price":"2","time":4},
          {"price":"3","time":5}]})")),
      kOrigin);
  const auto* feeds = CheckHeader<wire::SetPrices>(prices).feeds();
  CHECK(feeds->Get(0)->price() == 2'000'000);
  CHECK(feeds->Get(2)->time_us() == 3);
  CHECK(feeds->Get(4)->price() == 3'000'000);

  const auto halt =
      MakeCommand(Decode<InstrumentHaltRequest>(Params("instrument.halt", R"({"symbol":"S"})")),
                  kOrigin, InstrumentId(2));
  CHECK(CheckHeader<wire::SetInstrumentHalt>(halt).instrument_id() == 2);
  CHECK(CheckHeader<wire::SetInstrumentHalt>(halt).halted() == 1);
}

TEST_CASE("Settlement's decisions become their commands") {
  const auto decide = [](const char* params) {
    return MakeCommand(Decode<SettlementSubmitRequest>(Params("settlement.submit", params)),
                       kOrigin);
  };
  const auto deposit = decide(R"({"number":1,"decision":"post_deposit","request":"8"})");
  CHECK(CheckHeader<wire::PostDeposit>(deposit).number() == 1);
  CHECK(CheckHeader<wire::PostDeposit>(deposit).request_sequence() == 8);
  const auto withdrawal = decide(R"({"number":5,"decision":"post_withdrawal","request":"9"})");
  CHECK(CheckHeader<wire::PostWithdrawal>(withdrawal).number() == 5);
  CHECK(CheckHeader<wire::PostWithdrawal>(withdrawal).request_sequence() == 9);
  const auto top_up =
      decide(R"({"number":2,"decision":"post_top_up","request":"8","credits":"99"})");
  CHECK(CheckHeader<wire::PostTopUp>(top_up).number() == 2);
  CHECK(CheckHeader<wire::PostTopUp>(top_up).request_sequence() == 8);
  CHECK(CheckHeader<wire::PostTopUp>(top_up).credits() == 99);
  const auto refuse =
      decide(R"({"number":3,"decision":"refuse_request","request":"8","reason":3102})");
  CHECK(CheckHeader<wire::RefuseRequest>(refuse).number() == 3);
  CHECK(CheckHeader<wire::RefuseRequest>(refuse).reason() == 3'102);
  const auto settle = decide(R"({"number":4,"decision":"settle_lease","lease":"5",
      "verified_weight":"11","consumed":"12","burned":"13","owed":"15",
      "gross_utok":"16","provider_utok":"17","fee_utok":"18","retire_utok":"19",
      "emitted_utok":"21","delivered_minutes":20,"verdict":"unfounded"})");
  const auto& command = CheckHeader<wire::SettleLease>(settle);
  CHECK(command.number() == 4);
  CHECK(command.lease_id() == 5);
  CHECK(command.verified_weight() == 11);
  CHECK(command.consumed() == 12);
  CHECK(command.burned() == 13);
  CHECK(command.owed() == 15);
  CHECK(command.gross_utok() == 16);
  CHECK(command.provider_utok() == 17);
  CHECK(command.fee_utok() == 18);
  CHECK(command.retire_utok() == 19);
  CHECK(command.emitted_utok() == 21);
  CHECK(command.delivered_minutes() == 20);
  CHECK(command.verdict() == 2);
}

TEST_CASE("Settlement's decisions on deferred payments, days and owners become their commands") {
  const auto decide = [](const char* params) {
    return MakeCommand(Decode<SettlementSubmitRequest>(Params("settlement.submit", params)),
                       kOrigin);
  };
  const auto deferred = decide(R"({"number":4,"decision":"pay_deferred","lease":"5",
      "consumed":"12","gross_utok":"16","provider_utok":"17","fee_utok":"18","retire_utok":"19",
      "emitted_utok":"21"})");
  const auto& pay = CheckHeader<wire::PayDeferred>(deferred);
  CHECK(pay.number() == 4);
  CHECK(pay.lease_id() == 5);
  CHECK(pay.consumed() == 12);
  CHECK(pay.gross_utok() == 16);
  CHECK(pay.provider_utok() == 17);
  CHECK(pay.fee_utok() == 18);
  CHECK(pay.retire_utok() == 19);
  CHECK(pay.emitted_utok() == 21);
  const auto epoch = decide(R"({"number":5,"decision":"close_epoch","day":20791,
      "budget_utok":"1","emitted_utok":"2","bonus_utok":"3","gross_utok":"4","retire_utok":"5"})");
  const auto& close = CheckHeader<wire::CloseEpoch>(epoch);
  CHECK(close.day() == 20'791);
  CHECK(close.budget_utok() == 1);
  CHECK(close.emitted_utok() == 2);
  CHECK(close.bonus_utok() == 3);
  CHECK(close.gross_utok() == 4);
  CHECK(close.retire_utok() == 5);
  const auto bonus = decide(R"({"number":6,"decision":"pay_bonus","day":20791,"account":"9",
      "gross_utok":"4","bonus_utok":"3"})");
  CHECK(CheckHeader<wire::PayBonus>(bonus).account_id() == 9);
  CHECK(CheckHeader<wire::PayBonus>(bonus).day() == 20'791);
  CHECK(CheckHeader<wire::PayBonus>(bonus).gross_utok() == 4);
  CHECK(CheckHeader<wire::PayBonus>(bonus).bonus_utok() == 3);
  const auto mark = decide(R"({"number":7,"decision":"mark_owner","owner":"9","large":true})");
  CHECK(CheckHeader<wire::MarkOwner>(mark).owner_id() == 9);
  CHECK(CheckHeader<wire::MarkOwner>(mark).large() == 1);
}

TEST_CASE("A dispute and its judgement become their commands") {
  const auto dispute = MakeCommand(
      Decode<LeaseDisputeRequest>(Params("lease.dispute", R"({"lease":"5"})")), kOrigin);
  CHECK(CheckHeader<wire::DisputeLease>(dispute).lease_id() == 5);
  const auto judge = MakeCommand(
      Decode<LeaseJudgeRequest>(Params("lease.judge", R"({"lease":"5","verdict":"founded",
          "share_bps":2500,"reason":"the probe failed"})")),
      kOrigin);
  const auto& command = CheckHeader<wire::JudgeLease>(judge);
  CHECK(command.lease_id() == 5);
  CHECK(command.verdict() == 1);
  CHECK(command.share() == 2'500);
  CHECK(JudgementReasonOf(command.reason()->Data()) == "the probe failed");
}

TEST_CASE("Guards are set for the session or with the time at which a timer runs out") {
  const auto of_session = MakeCommand(
      Decode<CancelOnDisconnectRequest>(Params("cancel_on_disconnect", R"({"scope":"session"})")),
      kOrigin, 77);
  CHECK(CheckHeader<wire::SetOrderGuard>(of_session).session() == 77);
  CHECK(CheckHeader<wire::SetOrderGuard>(of_session).mode() == 1);
  CHECK(CheckHeader<wire::SetOrderGuard>(of_session).deadline_us() == 0);
  const auto of_account = MakeCommand(
      Decode<CancelOnDisconnectRequest>(Params("cancel_on_disconnect", R"({"scope":"account"})")),
      kOrigin, 77);
  CHECK(CheckHeader<wire::SetOrderGuard>(of_account).mode() == 2);
  const auto off = MakeCommand(
      Decode<CancelOnDisconnectRequest>(Params("cancel_on_disconnect", R"({"scope":"off"})")),
      kOrigin, 77);
  CHECK(CheckHeader<wire::SetOrderGuard>(off).mode() == 0);
  CHECK(CheckHeader<wire::SetOrderGuard>(off).session() == 77);

  const auto timer =
      MakeCommand(Decode<CancelAfterRequest>(Params("cancel_after", R"({"timeout_ms":1500})")),
                  kOrigin, Timestamp(1'000'000));
  CHECK(CheckHeader<wire::SetOrderGuard>(timer).mode() == 3);
  CHECK(CheckHeader<wire::SetOrderGuard>(timer).session() == 0);
  CHECK(CheckHeader<wire::SetOrderGuard>(timer).deadline_us() == 2'500'000);
  const auto no_timer =
      MakeCommand(Decode<CancelAfterRequest>(Params("cancel_after", R"({"timeout_ms":0})")),
                  kOrigin, Timestamp(1'000'000));
  CHECK(CheckHeader<wire::SetOrderGuard>(no_timer).mode() == 0);
  CHECK(CheckHeader<wire::SetOrderGuard>(no_timer).deadline_us() == 0);
}

}  // namespace warpbook::gateway
