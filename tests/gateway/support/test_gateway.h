// TestGateway: everything between a client's bytes and the engine, without sockets: decoder,
// admission, the real engine, publisher. Peers stand for connections.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/admission/limits.h"
#include "gateway/net/request_handler.h"
#include "gateway/publish/publisher.h"
#include "schema/base/clock.h"
#include "schema/base/crypto.h"
#include "tests/gateway/support/direct_exchange.h"

namespace warpbook::gateway {

inline constexpr const char* kTestServerName = "warpbook-test";

// What connections speak: JSON, or what WARPBOOK_TEST_ENCODING says, so that all tests can be run
// in both encodings (encodings_test.py).
Encoding TestEncoding();

// A connection's other end: keeps what is sent to it, as JSON whatever it speaks. Adds it to the
// file that WARPBOOK_TEST_MESSAGES names.
class TestPeer final : public Subscriber {
 public:
  TestPeer(uint64_t id, bool on_admin, const RateLimits& limits)
      : visitor(id, "127.0.0.1", on_admin, limits) {}
  Encoding encoding() const override { return speaks; }
  void Send(std::string_view message) override { Keep(speaks, message); }
  bool SendPublic(const SharedMessage& message) override {
    if (is_slow || (room && (*room)-- == 0)) {
      room = room ? std::optional<size_t>(0) : std::nullopt;
      return false;
    }
    Keep(message->encoding, message->payload);
    return true;
  }
  void OnLogonEnded() override { visitor.logged_on.reset(); }
  // Takes the messages of a channel out of those that came.
  std::vector<std::string> Take(std::string_view channel);

  Visitor visitor;
  std::deque<std::string> messages;
  bool is_slow = false;        // takes no market data
  std::optional<size_t> room;  // so many more messages of it
  Encoding speaks = TestEncoding();

 private:
  void Keep(Encoding encoding, std::string_view message);
};

// `{"method":method,"req_id":1,"params":params}`.
std::string RequestText(std::string_view method, std::string_view params = "{}");
std::string HexOf(std::span<const uint8_t> bytes);
// session.logon (account 0: account.open), signed for the nonce of that answer to
// session.challenge.
std::string SignedLogonText(std::string_view challenge, AccountId account,
                            const Ed25519PrivateKey& key, Timestamp now);

class TestGateway {
 public:
  explicit TestGateway(const GatewayLimits& limits = {});

  TestPeer& Connect(bool on_admin = false);
  // As the server does when the connection ends.
  void Disconnect(TestPeer& peer);

  // One message, and all that it causes at once. Where the peer speaks FlatBuffers and these cannot
  // say it, it speaks JSON this once.
  void Say(TestPeer& peer, std::string_view text);
  // Says it and takes the one answer out; fails the test where there is none or more than one.
  std::string Ask(TestPeer& peer, std::string_view text);
  std::string Ask(TestPeer& peer, std::string_view method, std::string_view params) {
    return Ask(peer, RequestText(method, params));
  }
  // The reason's number of the one answer; 0: success.
  int ReasonOf(TestPeer& peer, std::string_view method, std::string_view params = "{}");
  // Waits for the judge of probes to hand over its next verdict, and lets it take effect.
  void AwaitVerdict();
  // Publishes what the engine has made durable, and lets the gateway do what follows from it.
  void Pump();

  // Sessions. The key signs at the real clock's time.
  std::string LogonText(TestPeer& peer, AccountId account, const Ed25519PrivateKey& key);
  void Logon(TestPeer& peer, AccountId account, const Ed25519PrivateKey& key);
  AccountId OpenAccount(const Ed25519PrivateKey& key);
  // A new member, logged on.
  TestPeer& Member(AccountId* account = nullptr);
  TestPeer& Operator();
  TestPeer& Settlement();

  // Gives the account so many TOK and burns them all for credits.
  void Fund(TestPeer& member, AccountId account, int64_t credits);
  // A node of 8 GPUs that is approved as verified, and a limit for its owner.
  std::string ApprovedNode(TestPeer& provider, AccountId account, const Ed25519PrivateKey& device);

  DirectExchange exchange;
  ManualClock real{1'700'000'000'000'000};
  ManualClock monotonic{1'000'000'000};
  const GatewayLimits limits;
  SharedAdmission admission{limits};
  Publisher publisher;
  std::unique_ptr<engine::EnginePort> port;
  // What the judge has for the gateway's thread; it may have some until its end.
  std::mutex posted_mutex;
  std::condition_variable posted_changed;
  std::deque<std::function<void()>> posted;
  SharedProbes probes{exchange.catalogue(), {.small_profile = true}};
  int64_t drain_asked = -1;  // microseconds; -1: nobody has asked
  RequestHandler handler;

 private:
  std::vector<std::unique_ptr<TestPeer>> peers_;
  TestPeer* operator_ = nullptr;
  TestPeer* settlement_ = nullptr;
  uint64_t decision_number_ = 0;
};

// A gateway that starts on the same exchange as another one did before: it knows what was durable,
// and nothing more.
class RestartedGateway {
 public:
  explicit RestartedGateway(TestGateway& before);
  // So many turns of its I/O thread.
  void Pump(int turns = 4);

  Publisher publisher;
  std::unique_ptr<engine::EnginePort> port;
  SharedProbes probes;
  RequestHandler handler;
};

}  // namespace warpbook::gateway
