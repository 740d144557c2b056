// probe.begin and probe.answer, from the request to the verdict; and what the exchange does by
// itself about proofs that end.
#include <doctest/doctest.h>

#include <optional>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/exchange_probe.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {
namespace {

constexpr int kGpus = 2;

struct Provider {
  explicit Provider(const GatewayLimits& limits = {})
      : gateway(limits), peer(gateway.Member(&account)) {
    const auto signature = device->Sign(NodeMessage(kTestServerName, account));
    node = At(gateway.Ask(peer, "capacity.register",
                          absl::StrCat(R"({"hardware_class":"H100-SXM","region":"us-east","gpus":)",
                                       kGpus, R"(,"device_key":")", HexOf(device->public_key()),
                                       R"(","signature":")", HexOf(signature), R"("})")),
              "/result/node");
  }

  std::string Params(std::string_view more = "") const {
    return absl::StrCat(R"({"node":")", node, R"(")", std::string(more), "}");
  }
  std::string AnswerParams(const std::string& probe, std::string_view step,
                           std::string_view more = "") const {
    return Params(absl::StrCat(R"(,"probe":")", probe, R"(","step":")", std::string(step), R"(")",
                               std::string(more)));
  }
  const NodeRow& row() const {
    return *gateway.publisher.state().FindNode(NodeId(std::stoull(node)));
  }

  // Proves the node as its program would; the verdict.
  absl::StatusOr<JsonValue> Prove(const probe::MakeProver& make = [](const auto& challenge) {
    return std::make_unique<probe::CpuProver>(challenge);
  }) {
    std::optional<absl::StatusOr<JsonValue>> verdict;
    const auto call = [this](std::string_view method, const std::string& params,
                             const std::function<void(const Reply&)>& on_reply) {
      gateway.Say(peer, RequestText(method, params));
      gateway.Pump();
      if (peer.messages.empty()) gateway.AwaitVerdict();
      REQUIRE(peer.messages.size() == 1);
      const JsonValue message = JsonValue::Parse(peer.messages.front()).value();
      peer.messages.clear();
      Reply reply;
      reply.success = message["success"].flag();
      reply.result = message["result"];
      reply.code = message["error"]["code"].text();
      on_reply(reply);
    };
    probe::ProveToExchange(
        call, [](int64_t, const std::function<void()>&) { FAIL("a node alone waits for nobody"); },
        {.id = std::stoull(node),
         .claims = std::vector<probe::GpuClaim>(kGpus),
         .check_size = [](const auto&) { return absl::OkStatus(); },
         .make = make,
         .prover = "test",
         .device_key = device},
        [](std::string_view, int64_t, int64_t) {},
        [&](const absl::StatusOr<JsonValue>& came) { verdict = came; });
    REQUIRE(verdict.has_value());
    return *verdict;
  }

  TestGateway gateway;
  AccountId account;
  std::shared_ptr<const Ed25519PrivateKey> device =
      std::make_shared<const Ed25519PrivateKey>(Ed25519PrivateKey::Generate());
  TestPeer& peer;
  std::string node;
};

TEST_CASE("A node that proves itself may offer its GPUs") {
  Provider provider;
  const JsonValue verdict = provider.Prove().value();
  CHECK(verdict["passed"].flag());
  CHECK(verdict["reason"].text() == "none");
  CHECK(verdict["flags"].items().size() == 1);
  CHECK(verdict["gpus"].integer() == kGpus);
  CHECK(provider.row().assurance == Assurance::kVerified);
  CHECK(provider.row().capacity == Quantity(kGpus));
  CHECK(provider.row().proved_until.micros() == verdict["proved_until"].integer());
  CHECK(provider.row().probe == Sequence());
  CHECK(provider.gateway.handler.idle());
}

// Its products are those of another GPU.
class WrongProver : public probe::CpuProver {
 public:
  using CpuProver::CpuProver;

 protected:
  probe::Seed SeedOfRound(int32_t) const override { return {}; }
};

TEST_CASE("A proof that does not hold takes what the node may offer") {
  Provider provider;
  REQUIRE(provider.Prove().value()["passed"].flag());
  const JsonValue verdict =
      provider.Prove([](const auto& challenge) { return std::make_unique<WrongProver>(challenge); })
          .value();
  CHECK_FALSE(verdict["passed"].flag());
  CHECK(verdict["reason"].text() == "wrong_product");
  CHECK(provider.row().assurance == Assurance::kListed);
  CHECK(provider.row().capacity == Quantity(0));
  CHECK(provider.row().proved_until == Timestamp());
}

TEST_CASE("A challenge that has expired takes no answer, and the node may begin again") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  const std::string probe =
      At(gateway.Ask(provider.peer, "probe.begin", provider.Params()), "/result/probe");
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.answer", provider.AnswerParams(probe, "ready")) ==
          0);
  gateway.monotonic.Advance(gateway.limits.probe_patience_micros + 1);
  CHECK(gateway.ReasonOf(provider.peer, "probe.answer", provider.AnswerParams(probe, "products")) ==
        static_cast<int>(RejectReason::kChallengeExpired));
  gateway.Pump();
  CHECK(provider.row().probe == Sequence());  // decided: too late
  CHECK(provider.Prove().value()["passed"].flag());
}

TEST_CASE("What is begun and left is ended by time, or with its connection") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  const auto begin = [&] {
    const std::string probe =
        At(gateway.Ask(provider.peer, "probe.begin", provider.Params()), "/result/probe");
    gateway.Ask(provider.peer, "probe.answer", provider.AnswerParams(probe, "ready"));
    CHECK(provider.row().probe != Sequence());
  };
  begin();
  gateway.real.Advance(gateway.limits.probe_patience_micros + 1);
  gateway.monotonic.Advance(gateway.limits.probe_patience_micros + 1);
  gateway.Pump();
  gateway.Pump();
  CHECK(provider.row().probe == Sequence());
  begin();
  gateway.Disconnect(provider.peer);
  gateway.Pump();
  gateway.Pump();
  CHECK(provider.row().probe == Sequence());
}

TEST_CASE("What is begun and never asked for is ended likewise") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
  CHECK(provider.row().probe != Sequence());
  gateway.monotonic.Advance(gateway.limits.probe_patience_micros + 1);
  gateway.Pump();
  CHECK(provider.row().probe == Sequence());
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
  gateway.Disconnect(provider.peer);
  gateway.Pump();
  CHECK(provider.row().probe == Sequence());
}

TEST_CASE("An account has so many probes under way at once, and no more") {
  GatewayLimits limits;
  limits.probes_per_account_max = 1;
  Provider provider(limits);
  TestGateway& gateway = provider.gateway;
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
  const std::string refused = gateway.Ask(provider.peer, "probe.begin", provider.Params());
  CHECK(At(refused, "/error/code") == "rate_limited");
  CHECK(IntegerAt(refused, "/error/data/retry_after_us") > 0);
}

TEST_CASE("Nodes that have proved nothing leave room for those that have") {
  GatewayLimits limits;
  limits.first_probes_max = 1;
  Provider provider(limits);
  TestGateway& gateway = provider.gateway;
  REQUIRE(provider.Prove().value()["passed"].flag());
  AccountId other;
  TestPeer& peer = gateway.Member(&other);
  const auto begin = [&](const Ed25519PrivateKey& device) {
    const std::string node = gateway.ApprovedNode(peer, other, device);
    return gateway.ReasonOf(peer, "probe.begin", absl::StrCat(R"({"node":")", node, R"("})"));
  };
  CHECK(begin(Ed25519PrivateKey::Generate()) == 0);
  CHECK(begin(Ed25519PrivateKey::Generate()) == static_cast<int>(RejectReason::kRateLimited));
  CHECK(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
}

TEST_CASE("The sizes are told before the challenge, and its nonce is not") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  const std::string probe =
      At(gateway.Ask(provider.peer, "probe.begin", provider.Params()), "/result/probe");
  const auto ask = [&](std::string_view step) {
    const std::string reply =
        gateway.Ask(provider.peer, "probe.answer", provider.AnswerParams(probe, step));
    std::string document;
    REQUIRE(absl::Base64Unescape(At(reply, "/result/challenge"), &document));
    CHECK(At(reply, "/result/awaits") == (step == "sizes" ? "ready" : "products"));
    return probe::DecodeChallenge(document).value();
  };
  const probe::Challenge sizes = ask("sizes");
  CHECK(sizes.nonce == probe::Seed{});
  gateway.monotonic.Advance(gateway.limits.probe_patience_micros / 2);
  CHECK(ask("sizes").nonce == probe::Seed{});
  // Each time that it is heard of it has its time again, before the clock runs.
  gateway.monotonic.Advance(gateway.limits.probe_patience_micros / 2 + 1);
  gateway.Pump();
  const probe::Challenge challenge = ask("ready");
  CHECK(challenge.nonce != probe::Seed{});
  CHECK(challenge.size == sizes.size);
  CHECK(challenge.hardware_class == sizes.hardware_class);
  CHECK(gateway.ReasonOf(provider.peer, "probe.answer", provider.AnswerParams(probe, "sizes")) ==
        static_cast<int>(RejectReason::kProbeAnswerUnexpected));
}

TEST_CASE("A begin that the engine refuses takes no room") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  const std::string probe =
      At(gateway.Ask(provider.peer, "probe.begin", provider.Params()), "/result/probe");
  for (size_t i = 0; i < 2 * gateway.limits.probes_max; ++i) {
    CHECK(At(gateway.Ask(provider.peer, "probe.begin", provider.Params()), "/error/code") ==
          "probe_under_way");
    gateway.Pump();
  }
  CHECK(gateway.ReasonOf(provider.peer, "probe.answer", provider.AnswerParams(probe, "ready")) ==
        0);
}

TEST_CASE("Validated, nothing is begun") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  CHECK(At(gateway.Ask(provider.peer, "probe.begin", provider.Params(R"(,"validate":true)")),
           "/result/validated") == "true");
  CHECK(provider.row().probe == Sequence());
}

// ---- What the exchange does by itself ----------------------------------------------------------

constexpr int64_t kHour = 60 * kMicrosPerMinute;

TEST_CASE("A node is called before its proof lapses, and listed when it does") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  REQUIRE(provider.Prove().value()["passed"].flag());
  const Timestamp end = provider.row().proved_until;
  gateway.exchange.clock().Advance(21 * kHour);
  gateway.Pump();
  CHECK(provider.row().probe_due == Timestamp());
  gateway.exchange.clock().Advance(2 * kHour);
  gateway.Pump();
  CHECK(provider.row().probe_due == end);
  CHECK(provider.row().assurance == Assurance::kVerified);
  // Proved again: the call is answered, and the proof holds for as long again.
  REQUIRE(provider.Prove().value()["passed"].flag());
  CHECK(provider.row().probe_due == Timestamp());
  CHECK(provider.row().proved_until == end.PlusMicros(23 * kHour));
  gateway.exchange.clock().Advance(24 * kHour);
  gateway.Pump();
  CHECK(provider.row().proved_until == Timestamp());
  CHECK(provider.row().assurance == Assurance::kListed);
  CHECK(provider.row().capacity == Quantity(kGpus));
}

TEST_CASE(
    "A node whose probe is open keeps what it has for a while: the verdict may be on its way") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  REQUIRE(provider.Prove().value()["passed"].flag());
  gateway.exchange.clock().Advance(24 * kHour - kMicrosPerSecond);
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
  gateway.exchange.clock().Advance(5 * kMicrosPerMinute);
  gateway.Pump();
  CHECK(provider.row().assurance == Assurance::kVerified);
  gateway.exchange.clock().Advance(6 * kMicrosPerMinute);
  gateway.Pump();
  CHECK(provider.row().assurance == Assurance::kListed);
}

TEST_CASE(
    "After a start the probes left open are ended, and nodes have time before they lose anything") {
  Provider provider;
  TestGateway& gateway = provider.gateway;
  REQUIRE(provider.Prove().value()["passed"].flag());
  REQUIRE(gateway.ReasonOf(provider.peer, "probe.begin", provider.Params()) == 0);
  gateway.exchange.clock().Advance(25 * kHour);

  RestartedGateway restarted(gateway);
  const auto pump = [&] {
    restarted.Pump();
    gateway.exchange.clock().Advance(2 * kMicrosPerSecond);
    restarted.Pump();
  };
  const NodeRow& row = *restarted.publisher.state().FindNode(NodeId(std::stoull(provider.node)));
  CHECK(row.probe != Sequence());
  pump();
  CHECK(row.probe == Sequence());
  CHECK(row.assurance == Assurance::kVerified);
  gateway.exchange.clock().Advance(5 * kMicrosPerMinute);
  pump();
  CHECK(row.assurance == Assurance::kListed);
}

}  // namespace
}  // namespace warpbook::gateway
