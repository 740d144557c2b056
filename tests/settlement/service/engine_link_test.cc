// The link over real sockets: to a real gateway with a real engine, and to one that answers as
// told.
#include "settlement/service/engine_link.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "gateway/net/server.h"
#include "schema/base/log.h"
#include "schema/types/reject_reason.h"
#include "settlement/service/decision_json.h"
#include "tests/gateway/client/scripted_gateway.h"
#include "tests/gateway/support/direct_exchange.h"
#include "tests/gateway/support/json_text.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::settlement {
namespace {

using gateway::DirectExchange;
using gateway::GatewayServer;
using std::chrono::milliseconds;

constexpr const char* kServerName = "warpbook-test";
constexpr AccountId kOperator = AccountId(1);
constexpr AccountId kSettlement = AccountId(2);

bool Await(const std::function<bool()>& condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

// The same key again: a link keeps its own.
Ed25519PrivateKey Copy(const Ed25519PrivateKey& key) {
  test::TemporaryDirectory directory;
  REQUIRE(key.SavePem(directory / "key.pem").ok());
  return *Ed25519PrivateKey::LoadPem(directory / "key.pem");
}

// A real engine behind a real gateway that can be stopped and started again on its port.
class Exchange {
 public:
  Exchange() {
    SetLogLevel(LogLevel::kError);
    StartServer("127.0.0.1:0");
    admin_address_ = "127.0.0.1:" + std::to_string(server_->admin_port());
    wire::OpenAccount open;
    open.mutable_public_key()->Mutate(0, 7);
    exchange_.Apply(open);
  }
  ~Exchange() { StopServer(); }

  void StopServer() {
    if (server_ != nullptr) server_->Stop();
    server_.reset();
  }
  void StartServer(const std::string& admin_listen = "") {
    GatewayServer::Options options;
    options.listen = "127.0.0.1:0";
    options.admin_listen = admin_listen.empty() ? admin_address_ : admin_listen;
    options.server_name = kServerName;
    auto server = GatewayServer::Create(std::move(options), exchange_.catalogue());
    CAPTURE(server.status().ToString());
    REQUIRE(server.ok());
    server_ = *std::move(server);
    for (const auto& batch : exchange_.History()) REQUIRE(server_->ApplyReplayed(*batch).ok());
    REQUIRE(server_->Start(exchange_.CreatePorts(), exchange_.clock()).ok());
  }

  // Deposits that wait for settlement, and the decisions to post them.
  std::vector<Decision> RequestDeposits(int count) {
    std::vector<Decision> decisions;
    for (int i = 0; i < count; ++i) {
      const std::string reference = "r" + std::to_string(++requests_);
      wire::RequestDeposit request;
      request.mutable_header().mutate_account_id(kOperator.value());
      request.mutate_target_account_id(3);
      request.mutate_amount_utok(1);
      for (uint16_t c = 0; c < reference.size(); ++c) {
        request.mutable_reference()->Mutate(c, static_cast<uint8_t>(reference[c]));
      }
      exchange_.Apply(request);
      Decision decision;
      decision.number = ++decisions_;
      decision.request = Sequence(exchange_.History().back()->first_sequence);
      decisions.push_back(decision);
    }
    return decisions;
  }
  // The numbers of the decisions that the engine took, in order.
  std::vector<uint64_t> Taken() const {
    std::vector<uint64_t> numbers;
    for (const auto& batch : exchange_.History()) {
      uint64_t number = 0;
      for (const wire::RecordView record : wire::Records(batch->records)) {
        if (wire::IsCommand(record.type())) {
          const auto decision = DecisionOf(record);
          number = decision ? decision->number : 0;
        } else if (record.type() == wire::RecordType::kRequestDecided) {
          numbers.push_back(number);
        }
      }
    }
    return numbers;
  }
  bool TookAll(uint64_t count) const {
    const std::vector<uint64_t> numbers = Taken();
    for (size_t i = 0; i < numbers.size(); ++i) CHECK(numbers[i] == i + 1);
    return numbers.size() == count;
  }
  size_t submitted() const { return exchange_.submitted(); }
  DirectExchange& direct() { return exchange_; }
  EngineLink::Options LinkOptions() const {
    return {.address = admin_address_,
            .server_name = kServerName,
            .timeout = milliseconds(2'000),
            .retry_min = milliseconds(20),
            .retry_max = milliseconds(100)};
  }
  Ed25519PrivateKey key() const { return Copy(exchange_.settlement_key()); }

 private:
  DirectExchange exchange_;
  std::unique_ptr<GatewayServer> server_;
  std::string admin_address_;
  int requests_ = 0;
  uint64_t decisions_ = 0;
};

TEST_CASE("Decisions reach the engine in their order, once the account is known") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  link.Add(exchange.RequestDeposits(300));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(exchange.Taken().empty());
  CHECK_FALSE(link.HeardEngine());
  link.SetAccount(kSettlement);
  CHECK(Await([&] { return exchange.TookAll(300); }));
  CHECK(link.HeardEngine());
  CHECK(link.connected());
  CHECK(link.status().ok());
  link.Confirm(300);
  link.Add(exchange.RequestDeposits(20));
  CHECK(Await([&] { return exchange.TookAll(320); }));
}

TEST_CASE("After a lost connection what is not confirmed is sent again, and taken once") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  link.SetAccount(kSettlement);
  link.Add(exchange.RequestDeposits(50));
  CHECK(Await([&] { return exchange.TookAll(50); }));
  link.Confirm(30);
  exchange.StopServer();
  CHECK(Await([&] { return !link.connected(); }));
  CHECK_FALSE(link.last_fault().empty());
  const std::vector<Decision> more = exchange.RequestDeposits(10);
  link.Add(more);
  const size_t before = exchange.submitted();
  exchange.StartServer();
  CHECK(Await([&] { return exchange.TookAll(60); }));
  // The twenty that were not confirmed came again.
  CHECK(Await([&] { return exchange.submitted() >= before + 30; }));
  CHECK(link.status().ok());
}

TEST_CASE("While the engine is busy decisions wait, and go in order") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  link.SetAccount(kSettlement);
  CHECK(Await([&] { return link.connected(); }));
  exchange.direct().SetBusy(true);
  link.Add(exchange.RequestDeposits(200));
  std::this_thread::sleep_for(milliseconds(150));
  CHECK(exchange.Taken().empty());
  exchange.direct().SetBusy(false);
  CHECK(Await([&] { return exchange.TookAll(200); }));
  CHECK(link.status().ok());
}

TEST_CASE("Replaced decisions are no longer sent") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  exchange.direct().SetBusy(true);
  link.SetAccount(kSettlement);
  std::vector<Decision> old = exchange.RequestDeposits(100);
  link.Add(old);
  std::vector<Decision> replacement;
  for (size_t i = 0; i < 100; ++i) {
    replacement.push_back(old[99 - i]);
    replacement.back().number = i + 1;
  }
  CHECK(Await([&] { return link.connected(); }));
  // What is on its way on the old connection ends with it.
  exchange.StopServer();
  link.Replace(replacement);
  exchange.direct().SetBusy(false);
  exchange.StartServer();
  CHECK(Await([&] { return exchange.TookAll(100); }));
  // The first that was taken is the replacement's first.
  for (const auto& batch : exchange.direct().History()) {
    const wire::RecordView command = *wire::Records(batch->records).begin();
    if (const auto decision = DecisionOf(command)) {
      CHECK(decision->request == old[99].request);
      break;
    }
  }
}

TEST_CASE("A decision that the engine refuses ends the link") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  link.SetAccount(kSettlement);
  Decision decision = exchange.RequestDeposits(1).front();
  decision.request = Sequence(1);
  link.Add({decision});
  CHECK(Await([&] { return !link.status().ok(); }));
  CHECK(absl::IsFailedPrecondition(link.status()));
  CHECK(std::string(link.status().message()).find("unknown_request") != std::string::npos);
  const size_t submitted = exchange.submitted();
  link.Add(exchange.RequestDeposits(1));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(exchange.submitted() == submitted);
}

TEST_CASE("A gap in the numbers is a fault") {
  Exchange exchange;
  EngineLink link(exchange.LinkOptions(), exchange.key());
  link.SetAccount(kSettlement);
  exchange.RequestDeposits(1);
  link.Add(exchange.RequestDeposits(1));
  CHECK(Await([&] { return !link.status().ok(); }));
  CHECK(std::string(link.status().message()).find("number_gap") != std::string::npos);
}

TEST_CASE("Another key or another exchange is never sent to") {
  Exchange exchange;
  EngineLink stranger(exchange.LinkOptions(), Ed25519PrivateKey::Generate());
  stranger.SetAccount(kSettlement);
  EngineLink::Options elsewhere = exchange.LinkOptions();
  elsewhere.server_name = "another";
  EngineLink other(elsewhere, exchange.key());
  other.SetAccount(kSettlement);
  const std::vector<Decision> decisions = exchange.RequestDeposits(1);
  stranger.Add(decisions);
  other.Add(decisions);
  CHECK(Await([&] { return !stranger.last_fault().empty() && !other.last_fault().empty(); }));
  CHECK(other.last_fault().find("server name") != std::string::npos);
  CHECK_FALSE(stranger.HeardEngine());
  CHECK_FALSE(other.HeardEngine());
  CHECK(exchange.Taken().empty());
  // Neither is a reason to stop: the right exchange may come back.
  CHECK(stranger.status().ok());
  CHECK(other.status().ok());
}

TEST_CASE("A link ends at once while nobody answers, whatever it waits for") {
  const auto start = std::chrono::steady_clock::now();
  {
    EngineLink link({.address = "127.0.0.1:1", .server_name = kServerName},
                    Ed25519PrivateKey::Generate());
    link.SetAccount(kSettlement);
    CHECK(Await([&] { return !link.last_fault().empty(); }));
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(4));
}

TEST_CASE("A decision whose answer never came is sent again on the next connection") {
  std::atomic<int> submits = 0;
  gateway::ScriptedGateway scripted([&](const std::string& message) {
    const std::string id = gateway::At(message, "/req_id");
    const std::string method = gateway::At(message, "/method");
    gateway::Answer answer;
    std::string result = "{}";
    if (method == "session.challenge") {
      result = R"({"nonce":")" + std::string(64, 'a') + R"(","server_name":")" + kServerName +
               R"(","time":1})";
    }
    if (method == "settlement.submit") {
      ++submits;
      CHECK(gateway::At(message, "/params/number") == "1");
      if (submits < 3) {
        answer.cut = submits == 1;  // then silence, until the time for an answer is over
        return answer;
      }
    }
    answer.messages = {R"({"method":")" + method + R"(","req_id":)" + id +
                       R"(,"success":true,"result":)" + result + "}"};
    return answer;
  });
  EngineLink link({.address = scripted.address(),
                   .server_name = kServerName,
                   .timeout = milliseconds(200),
                   .retry_min = milliseconds(10)},
                  Ed25519PrivateKey::Generate());
  link.SetAccount(kSettlement);
  Decision decision;
  decision.number = 1;
  decision.request = Sequence(5);
  link.Add({decision});
  CHECK(Await([&] { return submits == 3; }));
  std::this_thread::sleep_for(milliseconds(400));
  CHECK(submits == 3);
  CHECK(link.status().ok());
}

TEST_CASE("A decision is written as the API's letter says") {
  Decision settle;
  settle.number = 9;
  settle.kind = DecisionKind::kSettleLease;
  settle.lease = LeaseId(7);
  settle.settlement = {Credits(1), Credits(2), Credits(3), Credits(4), Credits(5),
                       Tokens(6),  Tokens(7),  Tokens(8),  Tokens(9),  Tokens(12)};
  settle.weight = 11;
  settle.delivered = Minutes(10);
  CHECK(DecisionParameters(settle) ==
        R"({"number":9,"decision":"settle_lease","lease":"7","consumed":"2","gross_utok":"6",)"
        R"("provider_utok":"7","fee_utok":"8","retire_utok":"9","emitted_utok":"12",)"
        R"("verified_weight":"11","burned":"3","owed":"5","delivered_minutes":10,)"
        R"("verdict":"none"})");
  Decision deferred = settle;
  deferred.kind = DecisionKind::kPayDeferred;
  CHECK(DecisionParameters(deferred) ==
        R"({"number":9,"decision":"pay_deferred","lease":"7","consumed":"2","gross_utok":"6",)"
        R"("provider_utok":"7","fee_utok":"8","retire_utok":"9","emitted_utok":"12"})");
  Decision close;
  close.number = 10;
  close.kind = DecisionKind::kCloseEpoch;
  close.epoch = {20'791, Tokens(1), Tokens(2), Tokens(3), Tokens(4), Tokens(5)};
  CHECK(DecisionParameters(close) ==
        R"({"number":10,"decision":"close_epoch","day":20791,"budget_utok":"1",)"
        R"("emitted_utok":"2","bonus_utok":"3","gross_utok":"4","retire_utok":"5"})");
  Decision bonus = close;
  bonus.kind = DecisionKind::kPayBonus;
  bonus.account = AccountId(8);
  CHECK(DecisionParameters(bonus) ==
        R"({"number":10,"decision":"pay_bonus","day":20791,"account":"8","gross_utok":"4",)"
        R"("bonus_utok":"3"})");
  Decision mark;
  mark.number = 11;
  mark.kind = DecisionKind::kMarkOwner;
  mark.owner = OwnerId(3);
  mark.large = true;
  CHECK(DecisionParameters(mark) ==
        R"({"number":11,"decision":"mark_owner","owner":"3","large":true})");
  Decision refuse;
  refuse.number = 2;
  refuse.kind = DecisionKind::kRefuseRequest;
  refuse.request = Sequence(3);
  refuse.reason = RejectReason::kTopUpTooSmall;
  CHECK(DecisionParameters(refuse) ==
        R"({"number":2,"decision":"refuse_request","reason":3104,"request":"3"})");
  Decision top_up;
  top_up.number = 3;
  top_up.kind = DecisionKind::kPostTopUp;
  top_up.request = Sequence(4);
  top_up.credits = Credits(1'197'000'000);
  CHECK(DecisionParameters(top_up) ==
        R"({"number":3,"decision":"post_top_up","credits":"1197000000","request":"4"})");
}

}  // namespace
}  // namespace warpbook::settlement
