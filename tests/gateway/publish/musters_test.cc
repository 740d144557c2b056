// Nodes of one owner prove themselves together: from the request to the verdict, with the
// exchange's own calls, over a clock set by hand.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/exchange_probe.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

constexpr int64_t kTick = kMicrosPerSecond / 10;

// A provider with some nodes, each with a connection of its own, and all their proofs in turns.
struct Fleet {
  struct Machine {
    TestPeer* peer = nullptr;
    std::string node;
    std::shared_ptr<const Ed25519PrivateKey> device;
    std::optional<absl::StatusOr<JsonValue>> verdict;
    // Whether it holds back an answer of that step, for now.
    std::function<bool(std::string_view step)> holds_back = [](std::string_view) { return false; };

    bool passed() const { return verdict && verdict->ok() && (**verdict)["passed"].flag(); }
    std::string failure() const {
      return verdict && !verdict->ok() ? std::string(verdict->status().message()) : "";
    }
  };

  explicit Fleet(size_t nodes, const GatewayLimits& limits = {}) : gateway(limits) {
    const auto key = Ed25519PrivateKey::Generate();
    account = gateway.OpenAccount(key);
    for (size_t i = 0; i < nodes; ++i) {
      Machine& machine = machines.emplace_back();
      machine.peer = &gateway.Connect();
      gateway.Logon(*machine.peer, account, key);
      machine.device = std::make_shared<const Ed25519PrivateKey>(Ed25519PrivateKey::Generate());
      const auto signature = machine.device->Sign(NodeMessage(kTestServerName, account));
      machine.node = At(
          gateway.Ask(*machine.peer, "capacity.register",
                      absl::StrCat(R"({"hardware_class":"H100-SXM","region":"us-east","gpus":1,)",
                                   R"("device_key":")", HexOf(machine.device->public_key()),
                                   R"(","signature":")", HexOf(signature), R"("})")),
          "/result/node");
    }
  }

  const NodeRow& row(size_t i) const {
    return *gateway.publisher.state().FindNode(NodeId(std::stoull(machines[i].node)));
  }
  bool is_proved(size_t i) const { return row(i).assurance == Assurance::kVerified; }
  bool is_called(size_t i) const { return row(i).probe_due != Timestamp(); }

  void Begin(size_t i) {
    Machine& machine = machines[i];
    machine.verdict.reset();
    probe::ProveToExchange(
        [this, &machine](std::string_view method, const std::string& params,
                         std::function<void(const Reply&)> on_reply) {
          calls.push_back([this, &machine, text = RequestText(method, params),
                           on_reply = std::move(on_reply)] { Ask(machine, text, on_reply); });
        },
        [this](int64_t micros, std::function<void()> function) {
          timers.emplace_back(gateway.monotonic.NowMicros() + micros, std::move(function));
        },
        {.id = std::stoull(machine.node),
         .claims = std::vector<probe::GpuClaim>(1),
         .check_size = [](const auto&) { return absl::OkStatus(); },
         .make =
             [](const auto& challenge) { return std::make_unique<probe::CpuProver>(challenge); },
         .prover = "test",
         .device_key = machine.device},
        [](std::string_view, int64_t, int64_t) {},
        [&machine](const absl::StatusOr<JsonValue>& came) { machine.verdict = came; });
  }

  void Ask(Machine& machine, const std::string& text,
           const std::function<void(const Reply&)>& on_reply) {
    if (machine.holds_back(At(text, "/params/step"))) {
      timers.emplace_back(gateway.monotonic.NowMicros() + kTick,
                          [this, &machine, text, on_reply] { Ask(machine, text, on_reply); });
      return;
    }
    gateway.Say(*machine.peer, text);
    while (machine.peer->messages.empty()) gateway.AwaitVerdict();
    const JsonValue message = JsonValue::Parse(machine.peer->messages.front()).value();
    machine.peer->messages.pop_front();
    Reply reply;
    reply.success = message["success"].flag();
    reply.result = message["result"];
    reply.code = message["error"]["code"].text();
    on_reply(reply);
  }

  void Advance(int64_t micros) {
    gateway.monotonic.Advance(micros);
    gateway.real.Advance(micros);
    gateway.exchange.clock().Advance(micros);
    gateway.Pump();
  }

  // Lets so much time pass, or until that is so, with all that happens meanwhile.
  void Run(
      int64_t seconds, const std::function<bool()>& until = [] { return false; }) {
    const int64_t end = gateway.monotonic.NowMicros() + seconds * kMicrosPerSecond;
    while (!until() && gateway.monotonic.NowMicros() < end) {
      while (!calls.empty()) {
        const auto call = std::move(calls.front());
        calls.pop_front();
        call();
      }
      Advance(kTick);
      const auto due = std::stable_partition(timers.begin(), timers.end(), [&](const auto& timer) {
        return timer.first > gateway.monotonic.NowMicros();
      });
      std::vector<std::pair<int64_t, std::function<void()>>> ready(
          std::make_move_iterator(due), std::make_move_iterator(timers.end()));
      timers.erase(due, timers.end());
      for (const auto& [at, function] : ready) function();
    }
  }

  TestGateway gateway;
  AccountId account;
  std::deque<Machine> machines;
  std::deque<std::function<void()>> calls;
  std::vector<std::pair<int64_t, std::function<void()>>> timers;
};

constexpr int64_t kAnswerSeconds = 300;

// Both proved, at the same time.
void ProveBoth(Fleet& fleet) {
  fleet.Begin(0);
  fleet.Begin(1);
  fleet.Run(kAnswerSeconds, [&] { return fleet.is_proved(0) && fleet.is_proved(1); });
  fleet.Run(2);
  REQUIRE(fleet.row(0).proved_until == fleet.row(1).proved_until);
}

TEST_CASE("Nodes of an owner that begin together prove themselves at the same time, at once") {
  Fleet fleet(3);
  for (size_t i = 0; i < 3; ++i) fleet.Begin(i);
  const int64_t begun = fleet.gateway.monotonic.NowMicros();
  fleet.Run(20, [&] { return fleet.is_proved(0) && fleet.is_proved(1) && fleet.is_proved(2); });
  for (size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(fleet.machines[i].passed());
    CHECK(fleet.row(i).proved_until == fleet.row(0).proved_until);
    CHECK(fleet.row(i).proved_until != Timestamp());
  }
  // All are there: nobody waits for a time to be over.
  CHECK(fleet.gateway.monotonic.NowMicros() - begun < 10 * kMicrosPerSecond);
  fleet.Run(kAnswerSeconds);
  for (size_t i = 0; i < 3; ++i) CHECK_FALSE(fleet.is_called(i));
}

TEST_CASE("A node alone proves itself at once; where another one begins it is called again") {
  Fleet fleet(2);
  fleet.Begin(0);
  fleet.Run(1);
  CHECK(fleet.is_proved(0));
  fleet.Run(5);
  CHECK_FALSE(fleet.is_called(0));
  fleet.Begin(1);
  fleet.Run(2);
  CHECK(fleet.is_called(0));
  CHECK(fleet.is_called(1));
  CHECK_FALSE(fleet.is_proved(1));
  fleet.Run(60);
  CHECK_FALSE(fleet.is_proved(1));  // it waits
  fleet.Begin(0);
  fleet.Run(10);
  CHECK(fleet.machines[0].passed());
  CHECK(fleet.machines[1].passed());
  CHECK(fleet.row(0).proved_until == fleet.row(1).proved_until);
  CHECK_FALSE(fleet.is_called(0));
}

TEST_CASE("Who does not come when all are called is listed; the others pass") {
  Fleet fleet(2);
  fleet.Begin(0);
  fleet.Run(1);
  fleet.Begin(1);
  fleet.Run(kAnswerSeconds + 5);
  CHECK(fleet.machines[1].passed());
  CHECK(fleet.is_proved(1));
  CHECK_FALSE(fleet.is_proved(0));
  CHECK(fleet.row(0).proved_until == Timestamp());
  CHECK(fleet.row(0).capacity == Quantity(1));
}

TEST_CASE("A machine cannot prove one node after the other") {
  Fleet fleet(2);
  ProveBoth(fleet);
  // All are called. The machine answers for the first, and then for the second.
  fleet.Begin(0);
  fleet.Run(2);
  REQUIRE(fleet.is_called(1));
  fleet.Run(kAnswerSeconds, [&] { return fleet.machines[0].verdict.has_value(); });
  REQUIRE(fleet.machines[0].passed());
  fleet.Run(2);  // which the first proof took, had it been of a GPU
  fleet.Begin(1);
  fleet.Run(5);
  CHECK(fleet.machines[1].failure() == "challenge_expired");
  fleet.Run(kAnswerSeconds);
  CHECK(fleet.is_proved(0));
  CHECK_FALSE(fleet.is_proved(1));
}

TEST_CASE("A machine cannot fill one node's arena after it has gathered from the other's") {
  Fleet fleet(2);
  ProveBoth(fleet);
  // It fills for as long as the other's proof takes, and two seconds more.
  fleet.machines[1].holds_back = [&, until = int64_t{0}](std::string_view step) mutable {
    const int64_t now = fleet.gateway.monotonic.NowMicros();
    if (!fleet.machines[0].verdict) until = now + 2 * kMicrosPerSecond;
    return step == "filled" && now < until;
  };
  fleet.Begin(0);
  fleet.Begin(1);
  fleet.Run(kAnswerSeconds, [&] { return fleet.machines[0].verdict.has_value(); });
  CHECK(fleet.machines[0].passed());
  fleet.Run(5);
  CHECK(fleet.machines[1].failure() == "challenge_expired");
  fleet.Run(kAnswerSeconds);
  CHECK(fleet.is_proved(0));
  CHECK_FALSE(fleet.is_proved(1));
}

TEST_CASE("The clock of a gather runs for all from the same time on") {
  Fleet fleet(2);
  ProveBoth(fleet);
  // It comes when the first has begun, and not too late to be let in.
  fleet.machines[1].holds_back = [&, since = int64_t{0}](std::string_view step) mutable {
    if (step != "filled") return false;
    if (since == 0) since = fleet.gateway.monotonic.NowMicros();
    return fleet.gateway.monotonic.NowMicros() <
           since + fleet.gateway.probes.judge.policy().gather_after_micros;
  };
  fleet.Begin(0);
  fleet.Begin(1);
  fleet.Run(kAnswerSeconds, [&] { return fleet.machines[1].verdict.has_value(); });
  CHECK(fleet.machines[0].passed());
  CHECK(fleet.machines[1].passed());
  CHECK(fleet.row(0).proved_until == fleet.row(1).proved_until);
}

TEST_CASE("A proof that was under way when the node was called does not answer the call") {
  Fleet fleet(2);
  fleet.machines[0].holds_back = [&](std::string_view step) {
    return step == "gathered" && !fleet.is_called(0);
  };
  fleet.Begin(0);
  fleet.Run(3);
  fleet.Begin(1);
  fleet.Run(5);
  CHECK(fleet.machines[0].passed());
  CHECK(fleet.is_proved(0));
  CHECK(fleet.is_called(0));
  CHECK_FALSE(fleet.is_proved(1));
  fleet.Begin(0);
  fleet.Run(10);
  CHECK(fleet.row(0).proved_until == fleet.row(1).proved_until);
  CHECK(fleet.is_proved(1));
}

TEST_CASE("Before their proofs lapse all are called; the first that begins calls for the others") {
  Fleet fleet(2);
  ProveBoth(fleet);
  const ProbePolicy& policy = fleet.gateway.probes.judge.policy();
  fleet.Advance(policy.valid_micros - policy.call_lead_micros);
  fleet.Run(3);
  CHECK(fleet.row(0).probe_due == fleet.row(0).proved_until);
  CHECK(fleet.row(1).probe_due == fleet.row(0).proved_until);
  fleet.Begin(0);
  fleet.Run(3);
  CHECK(fleet.row(0).probe_due < fleet.row(0).proved_until);
  CHECK(fleet.row(1).probe_due == fleet.row(0).probe_due);
  fleet.Begin(1);
  fleet.Run(10);
  CHECK(fleet.row(0).proved_until == fleet.row(1).proved_until);
  CHECK_FALSE(fleet.is_called(0));
  CHECK_FALSE(fleet.is_called(1));
}

TEST_CASE("A newcomer waits until the proof that has begun is over") {
  Fleet fleet(3);
  ProveBoth(fleet);
  fleet.machines[1].holds_back = [&](std::string_view step) {
    return step == "openings" && fleet.row(2).probe == Sequence();
  };
  fleet.Begin(0);
  fleet.Begin(1);
  fleet.Run(10, [&] { return fleet.machines[0].verdict.has_value(); });
  REQUIRE(fleet.machines[0].passed());
  fleet.Begin(2);
  fleet.Run(1);
  fleet.Begin(0);
  fleet.Run(5);
  CHECK(fleet.machines[1].passed());
  CHECK_FALSE(fleet.is_proved(2));
  fleet.machines[1].holds_back = [](std::string_view) { return false; };
  fleet.Begin(1);
  fleet.Run(10);
  for (size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    CHECK(fleet.is_proved(i));
    CHECK(fleet.row(i).proved_until == fleet.row(0).proved_until);
  }
}

TEST_CASE("Nodes of different owners do not wait for each other") {
  Fleet fleet(1);
  TestGateway& gateway = fleet.gateway;
  AccountId other;
  TestPeer& peer = gateway.Member(&other);
  const auto device = Ed25519PrivateKey::Generate();
  const std::string node = gateway.ApprovedNode(peer, other, device);
  REQUIRE(gateway.ReasonOf(peer, "probe.begin", absl::StrCat(R"({"node":")", node, R"("})")) == 0);
  fleet.Begin(0);
  fleet.Run(1);
  CHECK(fleet.is_proved(0));
}

TEST_CASE("An owner proves so many nodes, and no more") {
  GatewayLimits limits;
  limits.proved_nodes_max = 2;
  Fleet fleet(3, limits);
  ProveBoth(fleet);
  fleet.Begin(2);
  fleet.Run(1);
  CHECK(fleet.machines[2].failure() == "too_many_nodes");
  fleet.Begin(0);
  fleet.Run(1);
  CHECK(fleet.is_called(1));
}

}  // namespace
}  // namespace warpbook::gateway
