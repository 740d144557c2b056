// Every reason of the blocks 1100 and 1200 that needs no socket, each in a scenario of its own; the
// block 1000 is the decoder's (tests/gateway/protocol), the rest is in tests/gateway/net.
#include <doctest/doctest.h>

#include <string>

#include "tests/gateway/support/client_json.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

int Number(RejectReason reason) { return static_cast<int>(reason); }

int NumberOf(const std::string& answer) {
  return static_cast<int>(IntegerAt(answer, "/error/number"));
}

const std::string kSymbolParams = R"({"symbol":")" + std::string(kTestSymbol) + R"("})";
const std::string kBookParams =
    R"({"channel":"book","symbol":")" + std::string(kTestSymbol) + R"("})";
const std::string kBid = R"({"symbol":")" + std::string(kTestSymbol) +
                         R"(","side":"buy","order_type":"limit","price":"2.50","gpus":1})";

}  // namespace

TEST_CASE("A message before logon that needs one is refused") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  for (const MethodInfo& info : kMethods) {
    if (!info.needs_logon) continue;
    // Its fields do not matter: with the right ones the answer is about the logon.
    const std::string answer = gateway.Ask(peer, std::string(info.name), "{}");
    CHECK((NumberOf(answer) == Number(RejectReason::kNotLoggedOn) ||
           NumberOf(answer) == Number(RejectReason::kMissingField)));
  }
  CHECK(gateway.ReasonOf(peer, "order.place", kBid) == Number(RejectReason::kNotLoggedOn));
  CHECK(gateway.ReasonOf(peer, "account.balances") == Number(RejectReason::kNotLoggedOn));
  CHECK(gateway.ReasonOf(peer, "session.logout") == Number(RejectReason::kNotLoggedOn));
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"balances"})") ==
        Number(RejectReason::kNotLoggedOn));
  CHECK(gateway.exchange.submitted() == 0);
}

TEST_CASE("Who is logged on does not log on again") {
  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& peer = gateway.Connect();
  gateway.Logon(peer, account, key);
  CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, account, key))) ==
        Number(RejectReason::kAlreadyLoggedOn));
  CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, AccountId(), key))) ==
        Number(RejectReason::kAlreadyLoggedOn));
}

TEST_CASE("A recorded logon is worth nothing a second time, there or on another connection") {
  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& peer = gateway.Connect();
  const std::string logon = gateway.LogonText(peer, account, key);
  CHECK(At(gateway.Ask(peer, logon), "/success") == "true");
  CHECK(gateway.ReasonOf(peer, "session.logout") == 0);
  CHECK(NumberOf(gateway.Ask(peer, logon)) == Number(RejectReason::kNoChallenge));
  TestPeer& other = gateway.Connect();
  CHECK(NumberOf(gateway.Ask(other, logon)) == Number(RejectReason::kNoChallenge));
  CHECK(gateway.ReasonOf(other, "session.challenge") == 0);
  CHECK(NumberOf(gateway.Ask(other, logon)) == Number(RejectReason::kBadSignature));
  // The same for an account.open.
  TestPeer& opener = gateway.Connect();
  const std::string open = gateway.LogonText(opener, AccountId(), Ed25519PrivateKey::Generate());
  CHECK(At(gateway.Ask(opener, open), "/success") == "true");
  CHECK(NumberOf(gateway.Ask(opener, open)) == Number(RejectReason::kNoChallenge));
}

TEST_CASE("A challenge is answered within thirty seconds and at the server's time") {
  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId account = gateway.OpenAccount(key);
  TestPeer& peer = gateway.Connect();
  std::string logon = gateway.LogonText(peer, account, key);
  gateway.real.Advance(kChallengeMicros + 1);
  CHECK(NumberOf(gateway.Ask(peer, logon)) == Number(RejectReason::kChallengeExpired));
  // A clock that is wrong: the challenge is fresh, the timestamp is not.
  gateway.real.Advance(-kTimestampToleranceMicros - 1);
  logon = gateway.LogonText(peer, account, key);
  TestPeer& late = gateway.Connect();
  gateway.real.Advance(kTimestampToleranceMicros + 1);
  CHECK(gateway.ReasonOf(late, "session.challenge") == 0);
  CHECK(NumberOf(gateway.Ask(late, logon)) == Number(RejectReason::kTimestampOutOfRange));
}

TEST_CASE("A key that the account does not have, and an account that is not, get one answer") {
  TestGateway gateway;
  const AccountId account = gateway.OpenAccount(Ed25519PrivateKey::Generate());
  const Ed25519PrivateKey stranger = Ed25519PrivateKey::Generate();
  TestPeer& peer = gateway.Connect();
  CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, account, stranger))) ==
        Number(RejectReason::kUnknownKey));
  CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, AccountId(999), stranger))) ==
        Number(RejectReason::kUnknownKey));
}

TEST_CASE("A node's and a heartbeat's signature must be the device key's") {
  TestGateway gateway;
  AccountId seller_id, buyer_id;
  TestPeer& seller = gateway.Member(&seller_id);
  const Ed25519PrivateKey device = Ed25519PrivateKey::Generate();
  const auto foreign = device.Sign(NodeMessage(kTestServerName, AccountId(seller_id.value() + 1)));
  CHECK(gateway.ReasonOf(
            seller, "capacity.register",
            R"({"hardware_class":"H100-SXM","region":"us-east","gpus":8,"device_key":")" +
                HexOf(device.public_key()) + R"(","signature":")" + HexOf(foreign) + R"("})") ==
        Number(RejectReason::kBadSignature));
  const std::string node = gateway.ApprovedNode(seller, seller_id, device);
  TestPeer& buyer = gateway.Member(&buyer_id);
  gateway.Fund(buyer, buyer_id, 100 * kCreditsPerUsd);
  CHECK(gateway.ReasonOf(
            seller, "order.place",
            R"({"symbol":")" + std::string(kTestSymbol) +
                R"(","side":"sell","order_type":"limit","price":"2.50","gpus":1,"node":")" + node +
                R"("})") == 0);
  CHECK(gateway.ReasonOf(buyer, "order.place", kBid) == 0);
  const int64_t minute = kTestWindowMicros + 3 * kMicrosPerMinute;
  const auto other_minute = device.Sign(
      HeartbeatMessage(kTestServerName, LeaseId(1), Timestamp(minute + kMicrosPerMinute)));
  const size_t submitted = gateway.exchange.submitted();
  CHECK(gateway.ReasonOf(seller, "lease.heartbeat",
                         R"({"lease":"1","minute":)" + std::to_string(minute) +
                             R"(,"signature":")" + HexOf(other_minute) + R"("})") ==
        Number(RejectReason::kBadSignature));
  CHECK(gateway.exchange.submitted() == submitted);  // nothing was journaled
}

TEST_CASE("A key does what its scopes say, and gives no scope that it does not have") {
  TestGateway gateway;
  AccountId account;
  TestPeer& owner = gateway.Member(&account);
  const Ed25519PrivateKey reader = Ed25519PrivateKey::Generate();
  const Ed25519PrivateKey trader = Ed25519PrivateKey::Generate();
  const auto add = [&](const Ed25519PrivateKey& key, const char* scopes) {
    return R"({"public_key":")" + HexOf(key.public_key()) + R"(","scopes":)" + scopes + "}";
  };
  CHECK(gateway.ReasonOf(owner, "key.add", add(reader, R"(["read"])")) == 0);
  CHECK(gateway.ReasonOf(owner, "key.add", add(trader, R"(["trade"])")) == 0);
  TestPeer& reading = gateway.Connect();
  gateway.Logon(reading, account, reader);
  const int missing = Number(RejectReason::kScopeMissing);
  CHECK(gateway.ReasonOf(reading, "account.balances") == 0);
  CHECK(gateway.ReasonOf(reading, "order.place", kBid) == missing);
  CHECK(gateway.ReasonOf(reading, "lease.start", R"({"lease":"1"})") == missing);
  CHECK(gateway.ReasonOf(reading, "key.add",
                         add(Ed25519PrivateKey::Generate(), R"(["read","trade"])")) == missing);
  CHECK(gateway.ReasonOf(reading, "limit.set", R"({"account":"1","limit_usd":"1"})") == missing);
  TestPeer& trading = gateway.Connect();
  gateway.Logon(trading, account, trader);
  CHECK(gateway.ReasonOf(trading, "account.balances") == missing);
  CHECK(gateway.ReasonOf(trading, "subscribe", R"({"channel":"executions"})") == missing);
  CHECK(gateway.ReasonOf(trading, "order.cancel", R"({"order_id":"1"})") ==
        Number(RejectReason::kUnknownOrder));
  // Operators and settlement have scopes of their own, and no others.
  CHECK(gateway.ReasonOf(gateway.Operator(), "order.place", kBid) == missing);
  CHECK(gateway.ReasonOf(gateway.Operator(), "settlement.submit",
                         R"({"number":1,"decision":"post_deposit","request":"1"})") == missing);
  CHECK(gateway.ReasonOf(gateway.Settlement(), "instrument.halt", kSymbolParams) == missing);
}

TEST_CASE("Operators' methods are not served to clients' listener, whoever asks") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect(/*on_admin=*/false);
  gateway.Logon(peer, AccountId(1), gateway.exchange.operator_key());
  CHECK(gateway.ReasonOf(peer, "instrument.halt", kSymbolParams) ==
        Number(RejectReason::kOperatorListenerOnly));
  TestPeer& settling = gateway.Connect(/*on_admin=*/false);
  gateway.Logon(settling, AccountId(2), gateway.exchange.settlement_key());
  CHECK(gateway.ReasonOf(settling, "settlement.submit",
                         R"({"number":1,"decision":"post_deposit","request":"1"})") ==
        Number(RejectReason::kOperatorListenerOnly));
  CHECK(gateway.exchange.submitted() == 0);
}

TEST_CASE("A channel is subscribed to once, left once, and must be one") {
  TestGateway gateway;
  TestPeer& peer = gateway.Member();
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"tape"})") ==
        Number(RejectReason::kUnknownChannel));
  CHECK(gateway.ReasonOf(peer, "subscribe", kBookParams) == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", kBookParams) ==
        Number(RejectReason::kAlreadySubscribed));
  CHECK(gateway.ReasonOf(peer, "unsubscribe", kBookParams) == 0);
  CHECK(gateway.ReasonOf(peer, "unsubscribe", kBookParams) == Number(RejectReason::kNotSubscribed));
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"leases"})") == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"leases"})") ==
        Number(RejectReason::kAlreadySubscribed));
  CHECK(gateway.ReasonOf(peer, "unsubscribe", R"({"channel":"balances"})") ==
        Number(RejectReason::kNotSubscribed));
  CHECK(gateway.ReasonOf(peer, "unsubscribe", R"({"channel":"leases"})") == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"book","symbol":"nothing"})") ==
        Number(RejectReason::kUnknownInstrument));
}

TEST_CASE("A connection's subscriptions are limited over all channels") {
  GatewayLimits limits;
  limits.client.subscriptions_max = 2;
  TestGateway gateway(limits);
  TestPeer& peer = gateway.Member();
  CHECK(gateway.ReasonOf(peer, "subscribe", kBookParams) == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"leases"})") == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"balances"})") ==
        Number(RejectReason::kTooManySubscriptions));
  CHECK(gateway.ReasonOf(peer, "unsubscribe", R"({"channel":"leases"})") == 0);
  CHECK(gateway.ReasonOf(peer, "subscribe", R"({"channel":"balances"})") == 0);
}

TEST_CASE("While it shuts down the exchange answers questions and takes no commands") {
  TestGateway gateway;
  TestPeer& peer = gateway.Member();
  gateway.handler.BeginShutdown();
  const size_t submitted = gateway.exchange.submitted();
  CHECK(gateway.ReasonOf(peer, "order.place", kBid) == Number(RejectReason::kShuttingDown));
  CHECK(gateway.ReasonOf(peer, "account.balances") == 0);
  CHECK(gateway.exchange.submitted() == submitted);
}

TEST_CASE("Too many requests are told how long to wait, and after that they are served") {
  GatewayLimits limits;
  limits.client.requests_per_second = 10;
  limits.client.requests_burst = 3;
  TestGateway gateway(limits);
  TestPeer& peer = gateway.Connect();
  for (int i = 0; i < 3; ++i) CHECK(gateway.ReasonOf(peer, "ping") == 0);
  const std::string refused = gateway.Ask(peer, "ping", "{}");
  CHECK(NumberOf(refused) == Number(RejectReason::kRateLimited));
  CHECK(IntegerAt(refused, "/error/data/retry_after_us") == 100'000);
  gateway.monotonic.Advance(100'000);
  CHECK(gateway.ReasonOf(peer, "ping") == 0);
  // A bad message counts too, and is told its own fault.
  gateway.monotonic.Advance(100'000);
  CHECK(NumberOf(gateway.Ask(peer, "{")) == Number(RejectReason::kMalformedJson));
  CHECK(gateway.ReasonOf(peer, "ping") == Number(RejectReason::kRateLimited));
}

TEST_CASE("Attempts to log on have a rate of their own") {
  GatewayLimits limits;
  limits.client.authentications_burst = 2;
  TestGateway gateway(limits);
  TestPeer& peer = gateway.Connect();
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  for (int i = 0; i < 2; ++i) {
    CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, AccountId(9), key))) ==
          Number(RejectReason::kUnknownKey));
  }
  CHECK(NumberOf(gateway.Ask(peer, gateway.LogonText(peer, AccountId(9), key))) ==
        Number(RejectReason::kRateLimited));
  CHECK(gateway.ReasonOf(peer, "ping") == 0);
}

TEST_CASE("An engine that is busy is said to be, and nothing is left waiting") {
  TestGateway gateway;
  TestPeer& peer = gateway.Member();
  gateway.exchange.SetBusy(true);
  const std::string refused = gateway.Ask(peer, "order.place", kBid);
  CHECK(NumberOf(refused) == Number(RejectReason::kEngineBusy));
  CHECK(IntegerAt(refused, "/error/data/retry_after_us") == 1'000);
  CHECK(At(refused, "/error/outcome") == "rejected");
  CHECK(gateway.publisher.replier().pending().size() == 0);
  gateway.exchange.SetBusy(false);
  CHECK(gateway.ReasonOf(peer, "order.place", kBid) == Number(RejectReason::kInsufficientCredits));
}

TEST_CASE("A connection has so many commands in flight and no more") {
  GatewayLimits limits;
  limits.client.in_flight_max = 2;
  TestGateway gateway(limits);
  TestPeer& peer = gateway.Member();
  gateway.exchange.Hold();
  gateway.Say(peer, RequestText("order.place", kBid));
  gateway.Say(peer, RequestText("order.place", kBid));
  CHECK(peer.messages.empty());
  CHECK(gateway.ReasonOf(peer, "order.place", kBid) == Number(RejectReason::kTooManyInFlight));
  CHECK(gateway.ReasonOf(peer, "ping") == 0);  // no command
  gateway.exchange.LetThrough();
  gateway.Pump();
  CHECK(peer.messages.size() == 2);
  peer.messages.clear();
  CHECK(gateway.ReasonOf(peer, "order.place", kBid) == Number(RejectReason::kInsufficientCredits));
}

TEST_CASE(
    "A request that settlement does not decide in time was accepted, and its late reply is not "
    "sent") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Say(member, RequestText("credits.buy", R"({"burn":"1"})"));
  const uint64_t request = gateway.publisher.last_sequence();
  gateway.monotonic.Advance(gateway.limits.settlement_reply_micros - 1);
  gateway.publisher.replier().AnswerOverdue(gateway.monotonic.NowMicros());
  CHECK(member.messages.empty());
  gateway.monotonic.Advance(1);
  gateway.publisher.replier().AnswerOverdue(gateway.monotonic.NowMicros());
  REQUIRE(member.messages.size() == 1);
  CHECK(At(member.messages[0], "/error/code") == "settlement_delayed");
  CHECK(At(member.messages[0], "/error/outcome") == "accepted");
  member.messages.clear();
  CHECK(gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                         R"({"number":1,"decision":"post_top_up","credits":"5","request":")" +
                             std::to_string(request) + R"("})") == 0);
  CHECK(member.messages.empty());
  CHECK(At(gateway.Ask(member, "account.balances", "{}"), "/result/free") == "5");

  // Not even taken by the engine: nobody knows.
  gateway.exchange.Hold();
  gateway.Say(member, RequestText("credits.buy", R"({"burn":"1"})"));
  gateway.monotonic.Advance(gateway.limits.settlement_reply_micros);
  gateway.publisher.replier().AnswerOverdue(gateway.monotonic.NowMicros());
  REQUIRE(member.messages.size() == 1);
  CHECK(At(member.messages[0], "/error/outcome") == "unknown");
}

TEST_CASE("What a drain's deadline leaves open is answered with an unknown outcome") {
  TestGateway gateway;
  TestPeer& peer = gateway.Member();
  gateway.exchange.Hold();
  gateway.Say(peer, RequestText("order.place", kBid));
  gateway.publisher.replier().AnswerAllUnknown();
  REQUIRE(peer.messages.size() == 1);
  CHECK(At(peer.messages[0], "/error/code") == "shutting_down");
  CHECK(At(peer.messages[0], "/error/outcome") == "unknown");
}

TEST_CASE("A message of the other encoding is refused and the connection lives on") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  const std::string text = RequestText("ping");
  peer.speaks = Encoding::kJson;
  gateway.handler.OnBinary(peer.visitor, peer, *BinaryRequest(text));
  peer.speaks = Encoding::kFlatBuffers;
  gateway.handler.OnText(peer.visitor, peer, text);
  REQUIRE(peer.messages.size() == 2);
  CHECK(At(peer.messages[0], "/error/code") == "binary_not_supported");
  CHECK(At(peer.messages[1], "/error/code") == "text_not_supported");
  for (const Encoding encoding : {Encoding::kJson, Encoding::kFlatBuffers}) {
    peer.messages.clear();
    peer.speaks = encoding;
    CHECK(gateway.ReasonOf(peer, "ping") == 0);
  }
}

TEST_CASE("Bytes that are no FlatBuffer are refused and the connection lives on") {
  TestGateway gateway;
  TestPeer& peer = gateway.Connect();
  peer.speaks = Encoding::kFlatBuffers;
  gateway.handler.OnBinary(peer.visitor, peer, "bytes");
  REQUIRE(peer.messages.size() == 1);
  CHECK(At(peer.messages[0], "/error/code") == "malformed_binary");
  peer.messages.clear();
  CHECK(gateway.ReasonOf(peer, "ping") == 0);
}

TEST_CASE("A decision that the engine cannot read as one is refused by it") {
  TestGateway gateway;
  CHECK(
      gateway.ReasonOf(gateway.Settlement(), "settlement.submit",
                       R"({"number":1,"decision":"refuse_request","request":"1","reason":9999})") ==
      Number(RejectReason::kMalformedCommand));
}

TEST_CASE("The engine's refusals reach the client with number, field and what was there") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  const auto order = [](const char* price, int gpus) {
    return R"({"symbol":")" + std::string(kTestSymbol) +
           R"(","side":"buy","order_type":"limit","price":")" + price + R"(","gpus":)" +
           std::to_string(gpus) + "}";
  };
  CHECK(gateway.ReasonOf(member, "order.place", order("2.50", 0)) ==
        Number(RejectReason::kInvalidQuantity));
  CHECK(gateway.ReasonOf(member, "order.place", order("2.50", -1)) ==
        Number(RejectReason::kInvalidQuantity));
  const std::string off_tick = gateway.Ask(member, "order.place", order("2.51", 1));
  CHECK(NumberOf(off_tick) == Number(RejectReason::kPriceOffTick));
  CHECK(At(off_tick, "/error/data/param") == "price");
  CHECK(Has(off_tick, "/seq"));
  CHECK(gateway.ReasonOf(member, "order.place", order("99.00", 1)) ==
        Number(RejectReason::kPriceOutsideBand));
  CHECK(gateway.ReasonOf(member, "order.place", order("2.50", 1)) ==
        Number(RejectReason::kInsufficientCredits));
  CHECK(gateway.ReasonOf(member, "order.cancel", R"({"order_id":"77"})") ==
        Number(RejectReason::kUnknownOrder));
  CHECK(gateway.ReasonOf(member, "instruments", R"({"region":"mars"})") ==
        Number(RejectReason::kUnknownValue));
}

TEST_CASE("Somebody else's order is answered like none") {
  TestGateway gateway;
  AccountId account;
  TestPeer& member = gateway.Member(&account);
  gateway.Fund(member, account, 100 * kCreditsPerUsd);
  const std::string placed = gateway.Ask(member, "order.place", kBid);
  const std::string mine = R"({"order_id":")" + At(placed, "/result/order_id") + R"("})";
  TestPeer& other = gateway.Member();
  CHECK(gateway.ReasonOf(other, "order.cancel", mine) == Number(RejectReason::kUnknownOrder));
  CHECK(gateway.ReasonOf(member, "order.cancel", mine) == 0);
}

}  // namespace warpbook::gateway
