#include "gpu_probe/prover/exchange_probe.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/client/json_object.h"

namespace warpbook::probe {
namespace {

using gateway::JsonObject;
using gateway::JsonValue;
using gateway::Reply;

constexpr size_t kPartBytes = 32 * 1024;

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
      AskForChallenge();
    });
  }

 private:
  void Call(std::string_view method, const std::string& params,
            std::function<void(const Reply&)> on_success) {
    call_(method, params,
          [self = shared_from_this(), on_success = std::move(on_success)](const Reply& reply) {
            if (reply.success) return on_success(reply);
            self->done_(absl::FailedPreconditionError(reply.code));
          });
  }

  JsonObject AnswerParams(std::string_view step) const {
    JsonObject params;
    params.Id("node", node_.id).Id("probe", probe_).Text("step", step);
    return params;
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
           [self = shared_from_this(), go_on = std::move(go_on)] { go_on(); });
  }

  void OnChallenge(const JsonValue& handed_out) {
    std::string challenge;
    if (!absl::Base64Unescape(handed_out["challenge"].text(), &challenge)) {
      return done_(absl::InvalidArgumentError("the challenge is malformed"));
    }
    absl::StatusOr<NodeProver> prover = NodeProver::Create(
        std::move(challenge), node_.make, node_.claims, node_.prover, *node_.device_key);
    if (!prover.ok()) return done_(prover.status());
    const absl::Status checked = node_.check_size(prover->challenge());
    if (!checked.ok()) return done_(checked);
    prover_.emplace(*std::move(prover));
    Answer(ProbeStage::kProducts, {});
  }

  void Answer(ProbeStage stage, const Seed& seed) {
    absl::StatusOr<std::string> answer = prover_->Answer(stage, seed, *node_.device_key, progress_);
    if (!answer.ok()) return done_(answer.status());
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
  uint64_t probe_ = 0;
  std::optional<NodeProver> prover_;
  ProbeStage stage_ = ProbeStage::kProducts;
  std::string bytes_;  // the answer that is being sent
  size_t sent_ = 0;    // of its parts
};

}  // namespace

void ProveToExchange(CallMethod call, After after, ProvingNode node, Progress progress,
                     OnVerdict done) {
  std::make_shared<Proving>(std::move(call), std::move(after), std::move(node), std::move(progress),
                            std::move(done))
      ->Begin();
}

}  // namespace warpbook::probe
