// The prover's side of a proof to the exchange, against a made-up one: the order of its calls, what
// it waits for, and what a fault is said to be of.
#include "gpu_probe/prover/exchange_probe.h"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gpu_probe/verifier/verdict.h"
#include "schema/base/json_object.h"
#include "tests/gpu_probe/support/proving.h"

namespace warpbook::probe {
namespace {

using gateway::JsonValue;
using gateway::Reply;

const Progress kSilent = [](std::string_view, int64_t, int64_t) {};

Reply Success(JsonObject result) {
  Reply reply;
  reply.success = true;
  reply.result = JsonValue::Parse(result.Build()).value();
  return reply;
}

Reply Refusal(const std::string& code) {
  Reply reply;
  reply.code = code;
  return reply;
}

// Answers each call at once, within it, as a blocking client does.
class MadeUpExchange {
 public:
  Challenge challenge = test::SmallChallenge();
  std::function<void(Challenge&)> edit_challenge;
  std::string refuses;             // the step that is refused
  int waits_each = 0;              // how often it says to ask again, for ready and for filled
  std::vector<std::string> steps;  // as they came, each with its number of parts
  std::vector<int64_t> waits;      // as they were asked for
  size_t depth_max = 0;            // of calls within calls
  std::optional<ProbeSession> session;

  absl::StatusOr<JsonValue> Prove(const MakeProver& make) {
    absl::StatusOr<JsonValue> verdict = absl::UnknownError("nothing came");
    ProveToExchange(
        [this](std::string_view method, const std::string& params,
               const std::function<void(const Reply&)>& on_reply) {
          ++depth_;
          depth_max = std::max(depth_max, depth_);
          on_reply(Call(method, JsonValue::Parse(params).value()));
          --depth_;
        },
        [this](int64_t micros, const std::function<void()>& function) {
          waits.push_back(micros);
          function();
        },
        {.id = 5,
         .claims = test::Claims(challenge.gpus),
         .check_size = CheckForCpu,
         .make = make,
         .prover = "test",
         .device_key = KeyOfTest()},
        kSilent, [&verdict](const absl::StatusOr<JsonValue>& came) { verdict = came; });
    return verdict;
  }

 private:
  // The tests' key, which is not ours to keep.
  static std::shared_ptr<const Ed25519PrivateKey> KeyOfTest() {
    return {&test::DeviceKey(), [](const Ed25519PrivateKey*) {}};
  }

  Reply Call(std::string_view method, const JsonValue& params) {
    if (method == "probe.begin") {
      steps.emplace_back("begin");
      return Success(JsonObject().Id("probe", challenge.id));
    }
    const std::string step = params["step"].text();
    if (steps.back() != step) steps.push_back(step);
    if (step == refuses) return Refusal("PROBE_ANSWER_UNEXPECTED");
    Challenge told = challenge;
    if (step == "sizes") {
      told.nonce = {};
      told.expires_us = 0;
      return HandedOut("ready", told);
    }
    if ((step == "ready" || step == "filled") && waited_ < waits_each) {
      ++waited_;
      return Success(JsonObject().Text("awaits", step).Integer("wait_us", 1'000 + waited_));
    }
    waited_ = 0;
    if (step == "ready") {
      session.emplace(challenge, test::kStartUs);
      if (edit_challenge) edit_challenge(told);
      return HandedOut("products", told);
    }
    return Answered(*ParseStage(step), params);
  }

  static Reply HandedOut(const char* awaits, const Challenge& told) {
    return Success(JsonObject()
                       .Text("awaits", awaits)
                       .Text("challenge", absl::Base64Escape(EncodeChallenge(told))));
  }

  Reply Answered(ProbeStage stage, const JsonValue& params) {
    std::string part;
    REQUIRE(absl::Base64Unescape(params["data"].text(), &part));
    bytes_ += part;
    if (params["part"].integer() < params["parts"].integer()) {
      return Success(
          JsonObject().Text("awaits", Name(stage)).Integer("part", params["part"].integer()));
    }
    const auto seed = session->Answer(stage, std::exchange(bytes_, {}), ++now_us_, Seed{9});
    REQUIRE(seed.ok());
    if (!session->awaited()) return Verdict();
    JsonObject next;
    next.Text("awaits", Name(*session->awaited()));
    if (*seed) {
      next.Text("seed", absl::BytesToHexString(absl::string_view(
                            reinterpret_cast<const char*>((*seed)->data()), (*seed)->size())));
    }
    return Success(next);
  }

  Reply Verdict() const {
    const probe::Verdict verdict =
        Verify(session->record(), session->transcript(), ClassTable({test::TestRow("H100-SXM")}),
               test::SecretVectors());
    return Success(JsonObject().Raw(
        "verdict", JsonObject().Text("reason", warpbook::Name(verdict.refusal())).Build()));
  }

  size_t depth_ = 0;
  int waited_ = 0;
  int64_t now_us_ = 0;
  std::string bytes_;
};

TEST_CASE("The sizes are asked for, and the provers made, before the exchange hears of readiness") {
  MadeUpExchange exchange;
  const auto verdict = exchange.Prove([&](const GpuChallenge& challenge) {
    CHECK(exchange.steps == std::vector<std::string>{"begin", "sizes"});
    CHECK(challenge.nonce == Seed{});
    return std::make_unique<CpuProver>(challenge);
  });
  REQUIRE(verdict.ok());
  CHECK((*verdict)["reason"].text() == warpbook::Name(ProbeReason::kNone));
  CHECK(exchange.steps == std::vector<std::string>{"begin", "sizes", "ready", "products", "filled",
                                                   "gathered", "openings"});
}

TEST_CASE("Where the owner's other nodes are awaited, the step is asked for again") {
  MadeUpExchange exchange;
  exchange.waits_each = 3;
  const auto verdict = exchange.Prove(test::Make());
  REQUIRE(verdict.ok());
  CHECK((*verdict)["reason"].text() == warpbook::Name(ProbeReason::kNone));
  CHECK(exchange.waits == std::vector<int64_t>{1'001, 1'002, 1'003, 1'001, 1'002, 1'003});
}

TEST_CASE("Replies that come within the calls lie in no calls that wait for them") {
  MadeUpExchange exchange;
  exchange.waits_each = 200;
  // Some parts of openings.
  exchange.challenge.size.compute.opened = 4;
  REQUIRE(exchange.Prove(test::Make()).ok());
  CHECK(exchange.depth_max <= 2);
}

TEST_CASE("A challenge of other sizes than the exchange announced is not answered") {
  MadeUpExchange exchange;
  exchange.edit_challenge = [](Challenge& challenge) { challenge.size.compute.rounds += 1; };
  const auto verdict = exchange.Prove(test::Make());
  CHECK(absl::IsInvalidArgument(verdict.status()));
  CHECK_FALSE(IsOfDevice(verdict.status()));
  CHECK(exchange.steps.back() == "ready");
}

TEST_CASE("A call that is refused is not taken for a driver that is too old, nor the other way") {
  for (const char* step : {"sizes", "ready", "products", "openings"}) {
    MadeUpExchange exchange;
    exchange.refuses = step;
    const absl::Status refused = exchange.Prove(test::Make()).status();
    CHECK(absl::IsFailedPrecondition(refused));
    CHECK(refused.message() == "PROBE_ANSWER_UNEXPECTED");
    CHECK_FALSE(IsOfDevice(refused));
  }
  class Failing : public CpuProver {
   public:
    using CpuProver::CpuProver;
    absl::Status FillMemory(const Progress&) override {
      return absl::DataLossError("hardware error");
    }
  };
  const absl::Status failed = MadeUpExchange().Prove(test::Make<Failing>()).status();
  CHECK(absl::IsDataLoss(failed));
  CHECK(IsOfDevice(failed));
  const absl::Status old = MadeUpExchange()
                               .Prove([](const GpuChallenge&) {
                                 return absl::FailedPreconditionError("driver too old");
                               })
                               .status();
  CHECK(absl::IsFailedPrecondition(old));
  CHECK(IsOfDevice(old));
}

}  // namespace
}  // namespace warpbook::probe
