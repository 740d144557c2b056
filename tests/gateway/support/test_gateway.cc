#include "tests/gateway/support/test_gateway.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "schema/base/log.h"
#include "schema/types/signed_messages.h"
#include "tests/gateway/support/client_json.h"
#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {
namespace {

void Record(std::string_view message) {
  static std::FILE* const kFile = [] {
    const char* const path = std::getenv("WARPBOOK_TEST_MESSAGES");
    return path == nullptr ? nullptr : std::fopen(path, "w");
  }();
  if (kFile == nullptr) return;
  std::fwrite(message.data(), 1, message.size(), kFile);
  std::fputc('\n', kFile);
}

bool IsReply(std::string_view message) { return Has(message, "/success"); }

}  // namespace

std::string HexOf(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

std::string RequestText(std::string_view method, std::string_view params) {
  return R"({"method":")" + std::string(method) + R"(","req_id":1,"params":)" +
         std::string(params) + "}";
}

std::string SignedLogonText(std::string_view challenge, AccountId account,
                            const Ed25519PrivateKey& key, Timestamp now) {
  const std::string nonce_hex = At(challenge, "/result/nonce");
  REQUIRE(nonce_hex.size() == 64);
  LogonNonce nonce{};
  for (size_t i = 0; i < nonce.size(); ++i) {
    nonce[i] = static_cast<uint8_t>(std::stoi(nonce_hex.substr(2 * i, 2), nullptr, 16));
  }
  const auto signature = key.Sign(LogonMessage(kTestServerName, nonce, account, now));
  std::string params = "{";
  if (account) params += R"("account":")" + std::to_string(account.value()) + R"(",)";
  params += R"("public_key":")" + HexOf(key.public_key()) + R"(","timestamp":)" +
            std::to_string(now.micros()) + R"(,"signature":")" + HexOf(signature) + R"("})";
  return RequestText(account ? "session.logon" : "account.open", params);
}

Encoding TestEncoding() {
  static const Encoding kEncoding = [] {
    const char* const name = std::getenv("WARPBOOK_TEST_ENCODING");
    return name != nullptr && std::string_view(name) == "flatbuffers" ? Encoding::kFlatBuffers
                                                                      : Encoding::kJson;
  }();
  return kEncoding;
}

void TestPeer::Keep(Encoding encoding, std::string_view message) {
  messages.push_back(encoding == Encoding::kJson ? std::string(message) : JsonMessage(message));
  Record(messages.back());
}

std::vector<std::string> TestPeer::Take(std::string_view channel) {
  std::vector<std::string> taken;
  std::deque<std::string> kept;
  for (std::string& message : messages) {
    if (At(message, "/channel") == channel) {
      taken.push_back(std::move(message));
    } else {
      kept.push_back(std::move(message));
    }
  }
  messages = std::move(kept);
  return taken;
}

TestGateway::TestGateway(const GatewayLimits& the_limits)
    : limits(the_limits),
      publisher(exchange.catalogue(), real, limits.recent_events),
      port(exchange.CreatePort()),
      handler(kTestServerName, limits, admission, publisher, *port, probes,
              {.real = real, .monotonic = monotonic, .market = exchange.clock()},
              {.on_drain = [this](int64_t micros) { drain_asked = micros; },
               .post =
                   [this](std::function<void()> act) {
                     const std::lock_guard lock(posted_mutex);
                     posted.push_back(std::move(act));
                     posted_changed.notify_one();
                   }}) {
  SetLogLevel(LogLevel::kError);
  for (const auto& batch : exchange.History()) publisher.Publish(*batch);
}

void TestGateway::AwaitVerdict() {
  std::function<void()> act;
  {
    std::unique_lock lock(posted_mutex);
    posted_changed.wait(lock, [this] { return !posted.empty(); });
    act = std::move(posted.front());
    posted.pop_front();
  }
  act();
  Pump();
}

TestPeer& TestGateway::Connect(bool on_admin) {
  peers_.push_back(std::make_unique<TestPeer>(peers_.size() + 1, on_admin,
                                              on_admin ? limits.admin : limits.client));
  publisher.AddConnection(peers_.back()->visitor.connection_id, *peers_.back());
  return *peers_.back();
}

void TestGateway::Say(TestPeer& peer, std::string_view text) {
  const Encoding encoding = peer.speaks;
  const auto binary = encoding == Encoding::kJson ? std::nullopt : BinaryRequest(text);
  if (binary) {
    handler.OnBinary(peer.visitor, peer, *binary);
  } else {
    peer.speaks = Encoding::kJson;
    handler.OnText(peer.visitor, peer, text);
    peer.speaks = encoding;
  }
  Pump();
}

std::string TestGateway::Ask(TestPeer& peer, std::string_view text) {
  Say(peer, text);
  std::string answer;
  std::deque<std::string> others;
  for (std::string& message : peer.messages) {
    if (!IsReply(message)) {
      others.push_back(std::move(message));
      continue;
    }
    REQUIRE_MESSAGE(answer.empty(), "two answers to ", std::string(text));
    answer = std::move(message);
  }
  REQUIRE_MESSAGE(!answer.empty(), "no answer to ", std::string(text));
  peer.messages = std::move(others);
  return answer;
}

int TestGateway::ReasonOf(TestPeer& peer, std::string_view method, std::string_view params) {
  const std::string answer = Ask(peer, method, params);
  if (At(answer, "/success") == "true") return 0;
  return static_cast<int>(IntegerAt(answer, "/error/number"));
}

void TestGateway::Pump() {
  bool more = true;
  while (std::exchange(more, false)) {
    handler.GoOn();
    while (const auto batch = port->Poll()) {
      publisher.Publish(*batch);
      more = true;
    }
  }
  handler.OnHistory();
  publisher.DeliverAll();
}

void TestGateway::Disconnect(TestPeer& peer) {
  publisher.RemoveConnection(peer.visitor.connection_id);
  handler.RemoveConnection(peer.visitor.connection_id);
  handler.OnLogonEnded(peer.visitor);
  Pump();
}

std::string TestGateway::LogonText(TestPeer& peer, AccountId account,
                                   const Ed25519PrivateKey& key) {
  return SignedLogonText(Ask(peer, "session.challenge", "{}"), account, key,
                         Timestamp(real.NowMicros()));
}

void TestGateway::Logon(TestPeer& peer, AccountId account, const Ed25519PrivateKey& key) {
  const std::string answer = Ask(peer, LogonText(peer, account, key));
  REQUIRE_MESSAGE(At(answer, "/success") == "true", answer);
}

AccountId TestGateway::OpenAccount(const Ed25519PrivateKey& key) {
  TestPeer& peer = Connect();
  const std::string answer = Ask(peer, LogonText(peer, AccountId(), key));
  REQUIRE_MESSAGE(At(answer, "/success") == "true", answer);
  Disconnect(peer);
  return AccountId(std::stoull(At(answer, "/result/account")));
}

TestPeer& TestGateway::Member(AccountId* account) {
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  const AccountId id = OpenAccount(key);
  TestPeer& peer = Connect();
  Logon(peer, id, key);
  if (account != nullptr) *account = id;
  return peer;
}

TestPeer& TestGateway::Operator() {
  if (operator_ == nullptr) {
    operator_ = &Connect(true);
    Logon(*operator_, AccountId(1), exchange.operator_key());
  }
  return *operator_;
}

TestPeer& TestGateway::Settlement() {
  if (settlement_ == nullptr) {
    settlement_ = &Connect(true);
    Logon(*settlement_, AccountId(2), exchange.settlement_key());
  }
  return *settlement_;
}

void TestGateway::Fund(TestPeer& member, AccountId account, int64_t credits) {
  // As settlement would: it reads the requests' sequences and decides with the next numbers.
  const auto decide = [this](const std::string& decision) {
    const std::string params = R"({"number":)" + std::to_string(++decision_number_) + "," +
                               decision + R"(,"request":")" +
                               std::to_string(publisher.last_sequence()) + R"("})";
    REQUIRE(ReasonOf(Settlement(), "settlement.submit", params) == 0);
  };
  Settlement();
  Say(Operator(), RequestText("token.deposit", R"({"account":")" + std::to_string(account.value()) +
                                                   R"(","amount":"10","reference":"r)" +
                                                   std::to_string(decision_number_) + R"("})"));
  decide(R"("decision":"post_deposit")");
  Operator().messages.clear();
  Say(member, RequestText("credits.buy", R"({"burn":"10"})"));
  decide(R"("decision":"post_top_up","credits":")" + std::to_string(credits) + R"(")");
  member.messages.clear();
}

std::string TestGateway::ApprovedNode(TestPeer& provider, AccountId account,
                                      const Ed25519PrivateKey& device) {
  const auto signature = device.Sign(NodeMessage(kTestServerName, account));
  const std::string answer =
      Ask(provider, "capacity.register",
          R"({"hardware_class":"H100-SXM","region":"us-east","gpus":8,"device_key":")" +
              HexOf(device.public_key()) + R"(","signature":")" + HexOf(signature) + R"("})");
  const std::string node = At(answer, "/result/node");
  REQUIRE_MESSAGE(!node.empty(), answer);
  REQUIRE(ReasonOf(Operator(), "capacity.set",
                   R"({"node":")" + node + R"(","gpus":8,"assurance":"verified"})") == 0);
  REQUIRE(ReasonOf(Operator(), "limit.set",
                   R"({"account":")" + std::to_string(account.value()) +
                       R"(","limit_usd":"100000"})") == 0);
  return node;
}

namespace {

// The port of a publisher that has been told everything so far: a handler looks at it when it is
// made.
std::unique_ptr<engine::EnginePort> PortAfterReplay(DirectExchange& exchange,
                                                    Publisher& publisher) {
  for (const auto& batch : exchange.History()) publisher.Publish(*batch);
  return exchange.CreatePort();
}

}  // namespace

RestartedGateway::RestartedGateway(TestGateway& before)
    : publisher(before.exchange.catalogue(), before.real),
      port(PortAfterReplay(before.exchange, publisher)),
      probes(before.exchange.catalogue(), before.probes.judge.policy()),
      handler(
          kTestServerName, before.limits, before.admission, publisher, *port, probes,
          {.real = before.real, .monotonic = before.monotonic, .market = before.exchange.clock()},
          {.is_first = true}) {}

void RestartedGateway::Pump(int turns) {
  for (int i = 0; i < turns; ++i) {
    handler.GoOn();
    while (const auto batch = port->Poll()) publisher.Publish(*batch);
  }
}

}  // namespace warpbook::gateway
