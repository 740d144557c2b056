#include "gateway/publish/gateway_tally.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

uint64_t ReceivedOf(GatewayTally& tally, Method method) {
  return tally.received[static_cast<size_t>(method)];
}
uint64_t SentOf(GatewayTally& tally, Channel channel) {
  return tally.sent[static_cast<size_t>(channel)];
}
uint64_t AnswersTo(GatewayTally& tally, Method method) {
  return tally.durations[static_cast<size_t>(method)].total();
}

}  // namespace

TEST_CASE("Each message is counted once, and so is its answer") {
  TestGateway gateway;
  GatewayTally& tally = gateway.publisher.tally();
  TestPeer& peer = gateway.Connect();
  for (int i = 0; i < 3; ++i) gateway.Ask(peer, "ping", "{}");
  gateway.Ask(peer, "no.such.method", "{}");
  gateway.Ask(peer, "{");
  CHECK(ReceivedOf(tally, Method::kPing) == 3);
  CHECK(AnswersTo(tally, Method::kPing) == 3);
  CHECK(tally.received.back() == 2);
  CHECK(tally.durations.back().total() == 2);
  CHECK(tally.sent.back() == 5);
  CHECK(tally.rejects.at(RejectReason::kUnknownMethod) == 1);
  CHECK(tally.rejects.at(RejectReason::kMalformedJson) == 1);
}

TEST_CASE("A command's answer takes as long as it takes to be durable, by real time") {
  TestGateway gateway;
  GatewayTally& tally = gateway.publisher.tally();
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  TestPeer& operations = gateway.Operator();
  gateway.Settlement();
  gateway.Say(operations,
              RequestText("token.deposit", R"({"account":")" + std::to_string(account.value()) +
                                               R"(","amount":"12.5","reference":"r1"})"));
  CHECK(AnswersTo(tally, Method::kTokenDeposit) == 0);  // settlement has not decided
  const std::string deposit = std::to_string(gateway.publisher.last_sequence());
  gateway.real.Advance(7'000);
  gateway.Ask(gateway.Settlement(), "settlement.submit",
              R"({"number":1,"decision":"post_deposit","request":")" + deposit + R"("})");
  REQUIRE(AnswersTo(tally, Method::kTokenDeposit) == 1);
  CHECK(tally.durations[static_cast<size_t>(Method::kTokenDeposit)].sum() == 7'000'000);
  static_cast<void>(member);
}

TEST_CASE("Refusals of the engine and of a batch's items are counted by their codes") {
  TestGateway gateway;
  GatewayTally& tally = gateway.publisher.tally();
  TestPeer& member = gateway.Member();
  const std::string bid = R"({"symbol":")" + std::string(kTestSymbol) +
                          R"(","side":"buy","order_type":"limit","price":"2.00","gpus":1})";
  gateway.Ask(member, "order.place", bid);  // without credits
  CHECK(tally.rejects.at(RejectReason::kInsufficientCredits) == 1);
  gateway.Ask(member, "order.batch",
              R"({"requests":[{"method":"order.place","params":)" + bid +
                  R"(},{"method":"order.place","params":)" + bid + "}]}");
  CHECK(tally.rejects.at(RejectReason::kInsufficientCredits) == 3);
}

TEST_CASE("Failed logons are counted by reason, good ones are not") {
  TestGateway gateway;
  GatewayTally& tally = gateway.publisher.tally();
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& peer = gateway.Connect();
  gateway.Ask(peer, gateway.LogonText(peer, account, Ed25519PrivateKey::Generate()));
  CHECK(tally.auth_failures.size() == 1);
  CHECK(tally.auth_failures.at(RejectReason::kUnknownKey) == 1);
  gateway.Logon(peer, account, key);
  CHECK(tally.auth_failures.size() == 1);
}

TEST_CASE("Messages are counted by channel, and those that somebody missed as conflated") {
  TestGateway gateway;
  GatewayTally& tally = gateway.publisher.tally();
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Fund(member, account, 1'000'000'000'000);
  gateway.Ask(member, "subscribe", R"({"channel":"executions"})");
  TestPeer& watcher = gateway.Connect();
  const std::string book = R"({"channel":"book","symbol":")" + std::string(kTestSymbol) + "\"}";
  gateway.Say(watcher, RequestText("subscribe", book));
  const uint64_t books = SentOf(tally, Channel::kBook);
  CHECK(books == 1);  // the snapshot
  const uint64_t executions = SentOf(tally, Channel::kExecutions);
  const std::string bid = R"({"symbol":")" + std::string(kTestSymbol) +
                          R"(","side":"buy","order_type":"limit","price":"2.00","gpus":1})";
  gateway.Ask(member, "order.place", bid);
  CHECK(SentOf(tally, Channel::kExecutions) == executions + 1);
  CHECK(SentOf(tally, Channel::kBook) == books + 1);
  CHECK(tally.conflated == 0);
}

}  // namespace warpbook::gateway
