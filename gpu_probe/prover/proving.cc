#include "gpu_probe/prover/proving.h"

#include <memory>
#include <utility>

namespace warpbook::probe {
namespace {

ProvingResult Failed(ProvingResult::Fault fault, absl::Status status) {
  return {.fault = fault, .status = std::move(status)};
}

}  // namespace

ProvingResult ProveTo(Asker& asker, const ProvingMachine& machine,
                      const Ed25519PrivateKey& device_key, const Progress& progress) {
  using Fault = ProvingResult::Fault;
  const absl::StatusOr<std::string> sizes =
      asker.AskForSizes(device_key, static_cast<int32_t>(machine.claims.size()));
  if (!sizes.ok()) return Failed(Fault::kAsker, sizes.status());
  absl::StatusOr<NodeProver> prover =
      NodeProver::Create(*sizes, machine.claims, machine.name, device_key.public_key());
  if (!prover.ok()) return Failed(Fault::kAsker, prover.status());
  absl::Status status = machine.check_size(prover->challenge());
  if (!status.ok()) return Failed(Fault::kAsker, status);
  status = prover->Prepare(machine.make);
  if (!status.ok()) return Failed(Fault::kDevice, status);
  absl::StatusOr<std::string> challenge = asker.AskForChallenge();
  if (!challenge.ok()) return Failed(Fault::kAsker, challenge.status());
  // As steady as the monotonic clock.
  const ScaledClock clock(SystemClock().NowMicros(), 1);
  status = prover->Begin(*std::move(challenge), clock);
  if (!status.ok()) return Failed(Fault::kAsker, status);

  ProvingResult result;
  Seed asked{};
  for (int i = 0; i < kStages; ++i) {
    const auto stage = static_cast<ProbeStage>(i);
    absl::StatusOr<std::string> answer = prover->Answer(stage, asked, device_key, progress);
    if (!answer.ok()) {
      const bool is_late = absl::IsDeadlineExceeded(answer.status());
      return Failed(is_late ? Fault::kTime : Fault::kDevice, answer.status());
    }
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

ProvingMachine CpuMachine(int32_t gpus) {
  ProvingMachine machine;
  machine.make = [](const GpuChallenge& challenge) {
    return std::make_unique<CpuProver>(challenge);
  };
  machine.claims.assign(static_cast<size_t>(gpus), GpuClaim{"CPU reference", "", 0, false});
  machine.name = "warpbook-probe cpu";
  machine.check_size = CheckForCpu;
  return machine;
}

}  // namespace warpbook::probe
