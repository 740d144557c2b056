#include "gpu_probe/prover/proving.h"

#include <memory>
#include <utility>

namespace warpbook::probe {
namespace {

ProvingResult Failed(ProvingResult::Fault fault, absl::Status status) {
  return {.fault = fault, .status = std::move(status)};
}

}  // namespace

ProvingResult ProveTo(Asker& asker, const ProvingMachine& node, const Ed25519PrivateKey& device_key,
                      const Progress& progress) {
  using Fault = ProvingResult::Fault;
  absl::StatusOr<std::string> document = asker.AskFor(
      {.device_key = device_key.public_key(), .gpus = static_cast<int32_t>(node.claims.size())});
  if (!document.ok()) return Failed(Fault::kAsker, document.status());
  const absl::StatusOr<Challenge> challenge = DecodeChallenge(*document);
  if (!challenge.ok()) return Failed(Fault::kAsker, challenge.status());
  if (challenge->gpus != static_cast<int32_t>(node.claims.size()) ||
      challenge->device_key != device_key.public_key()) {
    return Failed(Fault::kAsker, absl::InvalidArgumentError("the challenge is not for us"));
  }
  const absl::Status checked = node.check_size(*challenge);
  if (!checked.ok()) return Failed(Fault::kAsker, checked);
  absl::StatusOr<NodeProver> prover =
      NodeProver::Create(*std::move(document), node.make, node.claims, node.name, device_key);
  if (!prover.ok()) return Failed(Fault::kDevice, prover.status());

  ProvingResult result;
  Seed asked{};
  for (int i = 0; i < kStages; ++i) {
    const auto stage = static_cast<ProbeStage>(i);
    absl::StatusOr<std::string> answer = prover->Answer(stage, asked, device_key, progress);
    if (!answer.ok()) return Failed(Fault::kDevice, answer.status());
    absl::StatusOr<Reply> reply = asker.Answer(stage, *answer);
    if (!reply.ok()) return Failed(Fault::kAsker, reply.status());
    if (stage == ProbeStage::kOpenings) result.transcript = *std::move(answer);
    if (reply->report) {
      result.report = *std::move(reply->report);
      return result;
    }
    asked = reply->seed.value_or(Seed{});
  }
  return Failed(Fault::kAsker, absl::InvalidArgumentError("all was answered, and no verdict came"));
}

ProvingMachine CpuNode(int32_t gpus) {
  ProvingMachine node;
  node.make = [](const GpuChallenge& challenge) { return std::make_unique<CpuProver>(challenge); };
  node.claims.assign(static_cast<size_t>(gpus), GpuClaim{"CPU reference", "", 0, false});
  node.name = "warpbook-probe cpu";
  node.check_size = CheckForCpu;
  return node;
}

}  // namespace warpbook::probe
