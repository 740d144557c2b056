// session.resume, from its request to its last message.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

const std::string kAllChannels = R"(["executions","balances","leases"])";

std::string Order(const char* side, const char* price, int gpus, const std::string& extra = "") {
  return R"({"symbol":")" + std::string(kTestSymbol) + R"(","side":")" + side +
         R"(","order_type":"limit","price":")" + price + R"(","gpus":)" + std::to_string(gpus) +
         extra + "}";
}

std::string ResumeParams(int64_t last, const std::string& extra = "") {
  return R"({"last_seq":)" + std::to_string(last) + R"(,"channels":)" + kAllChannels + extra + "}";
}

GatewayLimits WithoutMemory() {
  GatewayLimits limits;
  limits.recent_events.bytes = 0;
  return limits;
}

// A buyer whose first connection listens, and a second one that resumes.
struct Market {
  explicit Market(const GatewayLimits& limits = {}) : gateway(limits) {
    account = gateway.OpenAccount(key);
    control = &Enter();
    gateway.Fund(*control, account, 1'000 * kCreditsPerUsd);
    for (const char* channel : {"executions", "balances", "leases"}) {
      REQUIRE(gateway.ReasonOf(*control, "subscribe",
                               R"({"channel":")" + std::string(channel) + R"("})") == 0);
    }
    last = IntegerAt(control->messages.back(), "/seq");
    control->messages.clear();
  }

  TestPeer& Enter() {
    TestPeer& peer = gateway.Connect();
    gateway.Logon(peer, account, key);
    return peer;
  }
  void Buy(int count = 1) {
    for (int i = 0; i < count; ++i) {
      REQUIRE(gateway.ReasonOf(*control, "order.place", Order("buy", "2.00", 1)) == 0);
    }
  }
  // A fill: one event that two channels are told of.
  void Trade() {
    TestPeer& seller = gateway.Member(&seller_account);
    const std::string node =
        gateway.ApprovedNode(seller, seller_account, Ed25519PrivateKey::Generate());
    REQUIRE(gateway.ReasonOf(seller, "order.place",
                             Order("sell", "2.00", 1, R"(,"node":")" + node + "\"")) == 0);
    Buy();
  }
  int64_t LastSequence() const {
    return static_cast<int64_t>(gateway.publisher.state().FindAccount(account)->last_sequence);
  }

  TestGateway gateway;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  AccountId account, seller_account;
  TestPeer* control = nullptr;
  int64_t last = 0;  // where the control's updates begin
};

}  // namespace

TEST_CASE("What was missed comes from memory, then what happens, in one chain") {
  Market market;
  market.Buy(2);
  TestPeer& peer = market.Enter();
  const std::string answer = market.gateway.Ask(peer, "session.resume", ResumeParams(market.last));
  CHECK(At(answer, "/result/resumed") == "true");
  CHECK(IntegerAt(answer, "/result/from_seq") == market.last + 1);
  CHECK(IntegerAt(answer, "/result/to_seq") == market.last + 4);  // two orders, two locks
  CHECK(IntegerAt(answer, "/result/events") == 4);
  CHECK(At(answer, "/result/source") == "memory");
  market.Trade();
  CHECK(peer.messages.size() == 9);
  CHECK(peer.messages == market.control->messages);
  CHECK(IntegerAt(peer.messages.front(), "/prev_seq") == market.last);
}

TEST_CASE("Who has missed nothing is told so, and hears what comes") {
  Market market;
  TestPeer& peer = market.Enter();
  const std::string answer = market.gateway.Ask(peer, "session.resume", ResumeParams(market.last));
  CHECK(IntegerAt(answer, "/result/events") == 0);
  CHECK(IntegerAt(answer, "/result/to_seq") == market.last);
  market.Buy();
  CHECK(peer.messages == market.control->messages);
}

TEST_CASE("Only the channels that are asked for are told") {
  Market market;
  market.Trade();
  TestPeer& peer = market.Enter();
  REQUIRE(market.gateway.ReasonOf(
              peer, "session.resume",
              R"({"last_seq":)" + std::to_string(market.last) + R"(,"channels":["leases"]})") == 0);
  REQUIRE(peer.messages.size() == 1);
  CHECK(At(peer.messages[0], "/channel") == "leases");
  CHECK(IntegerAt(peer.messages[0], "/prev_seq") == market.last);
  CHECK(IntegerAt(peer.messages[0], "/seq") > market.last + 1);
}

TEST_CASE("The last channel tells who was cut inside an event from who saw all of it") {
  Market market;
  market.Trade();
  const auto& told = market.control->messages;
  const auto fill = std::ranges::find_if(
      told, [](const std::string& message) { return At(message, "/data/0/event") == "filled"; });
  REQUIRE(fill != told.end());
  REQUIRE(At(*(fill + 1), "/channel") == "leases");
  const int64_t sequence = IntegerAt(*fill, "/seq");
  REQUIRE(IntegerAt(*(fill + 1), "/seq") == sequence);
  const auto resumed = [&](const std::string& extra) {
    TestPeer& peer = market.Enter();
    const std::string answer =
        market.gateway.Ask(peer, "session.resume", ResumeParams(sequence, extra));
    CHECK(IntegerAt(answer, "/result/from_seq") == sequence + 1);
    return peer.messages;
  };
  CHECK(resumed(R"(,"last_channel":"executions")") ==
        std::deque<std::string>(fill + 1, told.end()));
  CHECK(resumed(R"(,"last_channel":"leases")") == std::deque<std::string>(fill + 2, told.end()));
  CHECK(resumed("") == std::deque<std::string>(fill + 2, told.end()));
}

TEST_CASE("What is no longer in memory comes from the journal, without a hole or a repeat") {
  Market market(WithoutMemory());
  market.Trade();
  TestPeer& peer = market.Enter();
  market.gateway.exchange.HoldHistory(true);
  market.gateway.Say(peer, RequestText("session.resume", ResumeParams(market.last)));
  CHECK(peer.messages.empty());
  market.Buy(3);  // meanwhile
  CHECK(peer.messages.empty());
  market.gateway.exchange.HoldHistory(false);
  market.gateway.Pump();
  REQUIRE(!peer.messages.empty());
  const std::string answer = peer.messages.front();
  peer.messages.pop_front();
  CHECK(At(answer, "/result/source") == "journal");
  CHECK(IntegerAt(answer, "/result/to_seq") == market.LastSequence());
  market.Buy();
  CHECK(peer.messages == market.control->messages);
}

TEST_CASE("A replay waits for a reader that has no room, and does not end it") {
  for (const bool from_memory : {true, false}) {
    CAPTURE(from_memory);
    GatewayLimits limits = from_memory ? GatewayLimits() : WithoutMemory();
    limits.history.page_events = 3;
    Market market(limits);
    market.Trade();
    TestPeer& peer = market.Enter();
    peer.room = 0;
    market.gateway.Say(peer, RequestText("session.resume", ResumeParams(market.last)));
    REQUIRE(peer.messages.size() == 1);  // the answer
    peer.messages.clear();
    for (int turn = 0; peer.messages.size() < market.control->messages.size(); ++turn) {
      REQUIRE(turn < 100);
      CHECK(peer.messages.size() <= static_cast<size_t>(turn));
      if (turn == 2) market.Buy();
      peer.room = 1;
      market.gateway.handler.OnRoom(peer.visitor.connection_id);
      market.gateway.Pump();
    }
    CHECK(peer.messages == market.control->messages);
  }
}

TEST_CASE("A resume is refused ahead of the account, beside a subscription, and beside another") {
  Market market(WithoutMemory());
  const auto reason = [&](TestPeer& peer, const char* method, const std::string& params) {
    return market.gateway.ReasonOf(peer, method, params);
  };
  const std::string behind = ResumeParams(market.last - 1);
  TestPeer& stranger = market.gateway.Connect();
  CHECK(reason(stranger, "session.resume", behind) == static_cast<int>(RejectReason::kNotLoggedOn));
  TestPeer& peer = market.Enter();
  CHECK(reason(peer, "session.resume", ResumeParams(market.last + 1)) ==
        static_cast<int>(RejectReason::kResumeAhead));
  CHECK(reason(peer, "session.resume", R"({"last_seq":0,"channels":[]})") ==
        static_cast<int>(RejectReason::kOutOfRange));
  CHECK(reason(peer, "session.resume", R"({"last_seq":0,"channels":["book"]})") ==
        static_cast<int>(RejectReason::kUnknownChannel));
  CHECK(reason(peer, "session.resume", ResumeParams(0, R"(,"last_channel":"book")")) ==
        static_cast<int>(RejectReason::kUnknownChannel));
  CHECK(reason(*market.control, "session.resume", behind) ==
        static_cast<int>(RejectReason::kAlreadySubscribed));
  market.gateway.exchange.HoldHistory(true);
  market.gateway.Say(peer, RequestText("session.resume", behind));
  CHECK(peer.messages.empty());
  CHECK(reason(peer, "session.resume", behind) == static_cast<int>(RejectReason::kResumeUnderWay));
  CHECK(reason(peer, "subscribe", R"({"channel":"leases"})") ==
        static_cast<int>(RejectReason::kResumeUnderWay));
  market.gateway.exchange.HoldHistory(false);
  market.gateway.Pump();
  CHECK(At(peer.messages.front(), "/result/resumed") == "true");
  peer.messages.clear();
  CHECK(reason(peer, "subscribe", R"({"channel":"leases"})") ==
        static_cast<int>(RejectReason::kAlreadySubscribed));
}

TEST_CASE("Subscriptions that a resume would make count before and while it runs") {
  GatewayLimits limits = WithoutMemory();
  limits.client.subscriptions_max = 3;
  Market market(limits);
  TestPeer& peer = market.Enter();
  const std::string trades = R"({"channel":"trades","symbol":")" + std::string(kTestSymbol) + "\"}";
  REQUIRE(market.gateway.ReasonOf(peer, "subscribe", trades) == 0);
  CHECK(market.gateway.ReasonOf(peer, "session.resume", ResumeParams(market.last)) ==
        static_cast<int>(RejectReason::kTooManySubscriptions));
  REQUIRE(market.gateway.ReasonOf(peer, "unsubscribe", trades) == 0);
  market.gateway.exchange.HoldHistory(true);
  market.gateway.Say(peer, RequestText("session.resume", ResumeParams(market.last - 1)));
  CHECK(market.gateway.ReasonOf(peer, "subscribe", trades) ==
        static_cast<int>(RejectReason::kTooManySubscriptions));
}

TEST_CASE("A place older than a day is a gap, which says what to fetch and what there is") {
  Market market(WithoutMemory());
  market.gateway.exchange.clock().Advance(25 * kMicrosPerHour);
  TestPeer& peer = market.Enter();
  const std::string answer =
      market.gateway.Ask(peer, "session.resume", ResumeParams(market.last - 1));
  CHECK(At(answer, "/success") == "true");
  CHECK(At(answer, "/result/resumed") == "false");
  CHECK(At(answer, "/result/gap") == "true");
  CHECK(At(answer, "/result/reason") == "too_old");
  CHECK(IntegerAt(answer, "/result/last_seq") == market.last);
  CHECK(IntegerAt(answer, "/result/oldest_seq") == market.last + 1);
  CHECK(At(answer, "/result/fetch") == R"(["account.orders","account.balances","account.leases"])");
  // It listens to nothing, and may begin anew.
  CHECK(market.gateway.ReasonOf(peer, "subscribe", R"({"channel":"leases"})") == 0);
}

TEST_CASE("A journal that cannot be read is a gap too, also in the middle of a replay") {
  GatewayLimits limits = WithoutMemory();
  limits.history.page_events = 1;
  Market market(limits);
  market.Buy(2);
  TestPeer& peer = market.Enter();
  market.gateway.exchange.FailHistory(absl::DataLossError("damaged"));
  const std::string params = ResumeParams(market.last);
  CHECK(At(market.gateway.Ask(peer, "session.resume", params), "/result/reason") == "unavailable");
  market.gateway.exchange.FailHistory(absl::OkStatus());
  peer.room = 1;
  CHECK(At(market.gateway.Ask(peer, "session.resume", params), "/result/resumed") == "true");
  REQUIRE(peer.messages.size() == 1);
  market.gateway.exchange.FailHistory(absl::DataLossError("damaged"));
  peer.room = 10;
  market.gateway.handler.OnRoom(peer.visitor.connection_id);
  market.gateway.Pump();
  REQUIRE(peer.messages.size() == 3);
  CHECK(At(peer.messages[2], "/data/event") == "resume_gap");
  CHECK(At(peer.messages[2], "/data/reason") == "unavailable");
  CHECK(IntegerAt(peer.messages[2], "/data/last_seq") == market.LastSequence());
  market.Buy();
  CHECK(peer.messages.size() == 3);
}

TEST_CASE("Who leaves in the middle costs nothing and gets no more; who logs out gets an answer") {
  Market market(WithoutMemory());
  TestPeer& gone = market.Enter();
  TestPeer& out = market.Enter();
  TestPeer& stays = market.Enter();
  market.gateway.exchange.HoldHistory(true);
  for (TestPeer* peer : {&gone, &out, &stays}) {
    market.gateway.Say(*peer, RequestText("session.resume", ResumeParams(market.last - 1)));
  }
  market.gateway.Disconnect(gone);
  market.gateway.Say(out, RequestText("session.logout"));
  REQUIRE(out.messages.size() == 2);
  CHECK(At(out.messages[0], "/method") == "session.resume");
  CHECK(At(out.messages[0], "/error/code") == "not_logged_on");
  market.gateway.handler.BeginShutdown();
  REQUIRE(stays.messages.size() == 1);
  CHECK(At(stays.messages[0], "/error/code") == "shutting_down");
  market.gateway.exchange.HoldHistory(false);
  market.gateway.Pump();
  market.gateway.exchange.Tick();
  market.gateway.Pump();
  CHECK(gone.messages.empty());
  CHECK(out.messages.size() == 2);
  CHECK(stays.messages.size() == 1);
}

TEST_CASE("So many read the journal at once; a port without room is asked again") {
  GatewayLimits limits = WithoutMemory();
  limits.history.readers_max = 2;
  Market market(limits);
  market.gateway.exchange.SetQuestionsMax(0);
  TestPeer& first = market.Enter();
  TestPeer& second = market.Enter();
  TestPeer& third = market.Enter();
  const std::string params = ResumeParams(market.last - 1);
  for (TestPeer* peer : {&first, &second}) {
    market.gateway.Say(*peer, RequestText("session.resume", params));
    CHECK(peer->messages.empty());
  }
  const std::string refused = market.gateway.Ask(third, "session.resume", params);
  CHECK(At(refused, "/error/code") == "history_busy");
  CHECK(IntegerAt(refused, "/error/data/retry_after_us") == 1'000'000);
  market.gateway.exchange.SetQuestionsMax(1);
  for (int i = 0; i < 4; ++i) market.gateway.Pump();
  for (TestPeer* peer : {&first, &second}) {
    REQUIRE(!peer->messages.empty());
    CHECK(At(peer->messages.front(), "/result/source") == "journal");
  }
  CHECK(market.gateway.ReasonOf(third, "session.resume", params) == 0);
}

}  // namespace warpbook::gateway
