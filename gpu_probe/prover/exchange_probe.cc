#include "gpu_probe/prover/exchange_probe.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"

namespace warpbook::probe {
namespace {

using gateway::JsonValue;
using gateway::Reply;

constexpr size_t kPartBytes = 32 * 1024;
// Marks an error as one of the device's.
constexpr absl::string_view kDeviceFault = "warpbook.probe.device";

// Lives in the handlers of its calls.
class Proving : public std::enable_shared_from_this<Proving> {
 public:
  Proving(CallMethod call, After after, ProvingNode node, Progress progress, OnVerdict done)
      : call_(std::move(call)),
        after_(std::move(after)),
        node_(std::move(node)),
        progress_(std::move(progress)),
        done_(std::move(done)) {}

  void Begin() {
    Call("probe.begin", JsonObject().Id("node", node_.id).Build(), [this](const Reply& reply) {
      probe_ = reply.result["probe"].id();
      Call("probe.answer", AnswerParams("sizes").Build(),
           [this](const Reply& sizes) { OnSizes(sizes.result); });
    });
  }

 private:
  // Runs what comes next, after what is running now: replies can come within the call, and an
  // answer can have hundreds of parts.
  void Next(std::function<void()> next) {
    next_ = std::move(next);
    if (is_running_) return;
    is_running_ = true;
    while (next_) std::exchange(next_, nullptr)();
    is_running_ = false;
  }

  void Call(std::string_view method, const std::string& params,
            std::function<void(const Reply&)> on_success) {
    call_(method, params,
          [self = shared_from_this(), on_success = std::move(on_success)](const Reply& reply) {
            if (!reply.success) return self->done_(absl::FailedPreconditionError(reply.code));
            self->Next([on_success, reply] { on_success(reply); });
          });
  }

  // The end, for what a GPU says.
  void FailOfDevice(absl::Status status) {
    status.SetPayload(kDeviceFault, absl::Cord());
    done_(status);
  }

  JsonObject AnswerParams(std::string_view step) const {
    JsonObject params;
    params.Id("node", node_.id).Id("probe", probe_).Text("step", step);
    return params;
  }

  // What is to be proved: all that takes time is got ready before the exchange's clock runs.
  void OnSizes(const JsonValue& result) {
    const std::optional<std::string> sizes = ChallengeOf(result);
    if (!sizes) return;
    absl::StatusOr<NodeProver> prover =
        NodeProver::Create(*sizes, node_.claims, node_.prover, node_.device_key->public_key());
    if (!prover.ok()) return done_(prover.status());
    absl::Status status = node_.check_size(prover->challenge());
    if (!status.ok()) return done_(status);
    status = prover->Prepare(node_.make);
    if (!status.ok()) return FailOfDevice(status);
    prover_.emplace(*std::move(prover));
    AskForChallenge();
  }

  void AskForChallenge() {
    Call("probe.answer", AnswerParams("ready").Build(), [this](const Reply& reply) {
      if (MustWait(reply.result)) return Wait(reply.result, [this] { AskForChallenge(); });
      OnChallenge(reply.result);
    });
  }

  static bool MustWait(const JsonValue& result) { return result.Has("wait_us"); }
  void Wait(const JsonValue& result, std::function<void()> go_on) {
    progress_("waits for the owner's other nodes", 0, 1);
    after_(result["wait_us"].integer(),
           [self = shared_from_this(), go_on = std::move(go_on)] { self->Next(go_on); });
  }

  // The document in a reply. Where it is none, that is the end.
  std::optional<std::string> ChallengeOf(const JsonValue& result) {
    std::string challenge;
    if (absl::Base64Unescape(result["challenge"].text(), &challenge)) return challenge;
    done_(absl::InvalidArgumentError("the challenge is malformed"));
    return std::nullopt;
  }

  void OnChallenge(const JsonValue& result) {
    std::optional<std::string> challenge = ChallengeOf(result);
    if (!challenge) return;
    const absl::Status begun = prover_->Begin(*std::move(challenge), clock_);
    if (!begun.ok()) return done_(begun);
    Answer(ProbeStage::kProducts, {});
  }

  void Answer(ProbeStage stage, const Seed& seed) {
    absl::StatusOr<std::string> answer = prover_->Answer(stage, seed, *node_.device_key, progress_);
    if (!answer.ok()) {
      if (absl::IsDeadlineExceeded(answer.status())) return done_(answer.status());
      return FailOfDevice(answer.status());
    }
    stage_ = stage;
    bytes_ = *std::move(answer);
    sent_ = 0;
    SendPart();
  }

  // One at a time: each is asked for by the reply to the one before.
  void SendPart() {
    const size_t parts = std::max<size_t>(1, (bytes_.size() + kPartBytes - 1) / kPartBytes);
    const std::string part = bytes_.substr(sent_ * kPartBytes, kPartBytes);
    const std::string params = AnswerParams(Name(stage_))
                                   .Integer("part", static_cast<int64_t>(sent_) + 1)
                                   .Integer("parts", static_cast<int64_t>(parts))
                                   .Text("data", absl::Base64Escape(part))
                                   .Build();
    ++sent_;
    if (parts > 1) {
      progress_("parts sent", static_cast<int64_t>(sent_), static_cast<int64_t>(parts));
    }
    Call("probe.answer", params, [this, is_last = sent_ == parts](const Reply& reply) {
      if (!is_last) return SendPart();
      OnAnswered(reply.result);
    });
  }

  void OnAnswered(const JsonValue& result) {
    if (result.Has("verdict")) return done_(result["verdict"]);
    if (MustWait(result)) {
      sent_ = 0;
      return Wait(result, [this] { SendPart(); });
    }
    const std::optional<ProbeStage> next = ParseStage(result["awaits"].text());
    const std::string bytes = absl::HexStringToBytes(result["seed"].text());
    Seed seed{};
    if (!next || (bytes.size() != seed.size() && !bytes.empty())) {
      return done_(absl::InvalidArgumentError("the exchange's answer is malformed"));
    }
    std::ranges::copy(bytes, seed.begin());
    Answer(*next, seed);
  }

  const CallMethod call_;
  const After after_;
  const ProvingNode node_;
  const Progress progress_;
  const OnVerdict done_;
  // As steady as the monotonic clock.
  const ScaledClock clock_{SystemClock().NowMicros(), 1};
  uint64_t probe_ = 0;
  std::optional<NodeProver> prover_;
  ProbeStage stage_ = ProbeStage::kProducts;
  std::string bytes_;  // the answer that is being sent
  size_t sent_ = 0;    // of its parts
  std::function<void()> next_;
  bool is_running_ = false;
};

}  // namespace

bool IsOfDevice(const absl::Status& error) { return error.GetPayload(kDeviceFault).has_value(); }

void ProveToExchange(CallMethod call, After after, ProvingNode node, Progress progress,
                     OnVerdict done) {
  std::make_shared<Proving>(std::move(call), std::move(after), std::move(node), std::move(progress),
                            std::move(done))
      ->Begin();
}

}  // namespace warpbook::probe
