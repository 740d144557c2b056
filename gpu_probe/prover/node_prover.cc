#include "gpu_probe/prover/node_prover.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

void Append(std::string& bytes, const Sha256Digest& digest) {
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

const Progress kSilent = [](std::string_view, int64_t, int64_t) {};

}  // namespace

absl::StatusOr<NodeProver> NodeProver::Create(std::string_view sizes, std::vector<GpuClaim> claims,
                                              std::string name, const PublicKey& device_key) {
  absl::StatusOr<Challenge> asked = DecodeChallenge(sizes);
  if (!asked.ok()) return asked.status();
  if (asked->device_key != device_key) {
    return absl::InvalidArgumentError("the challenge is for another device's key");
  }
  if (claims.size() != static_cast<size_t>(asked->gpus)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the challenge is for ", asked->gpus, " GPUs, and there are ", claims.size()));
  }
  NodeProver node;
  node.challenge_ = *std::move(asked);
  node.transcript_.claims = std::move(claims);
  node.transcript_.prover = std::move(name);
  node.transcript_.gpus.resize(static_cast<size_t>(node.challenge_.gpus));
  node.provers_.resize(node.transcript_.gpus.size());
  return node;
}

absl::Status NodeProver::Prepare(const MakeProver& make) {
  return ForEach(kSilent, [&](size_t gpu, const Progress&) {
    absl::StatusOr<std::unique_ptr<Prover>> prover = make({.nonce = {},
                                                           .gpu = static_cast<uint32_t>(gpu),
                                                           .compute = challenge_.size.compute,
                                                           .memory = challenge_.size.memory});
    if (prover.ok()) provers_[gpu] = *std::move(prover);
    return prover.status();
  });
}

absl::Status NodeProver::Begin(std::string challenge, const Clock& clock) {
  absl::StatusOr<Challenge> asked = DecodeChallenge(challenge);
  if (!asked.ok()) return asked.status();
  if (asked->device_key != challenge_.device_key || asked->gpus != challenge_.gpus ||
      asked->size != challenge_.size) {
    return absl::InvalidArgumentError("the challenge is not the one that was announced");
  }
  challenge_ = *std::move(asked);
  transcript_.challenge = std::move(challenge);
  for (const std::unique_ptr<Prover>& prover : provers_) prover->Begin(challenge_.nonce);
  clock_ = &clock;
  const int64_t now_us = clock.NowMicros();
  const bool is_likely =
      challenge_.expires_us > now_us && challenge_.expires_us <= now_us + kAnsweringMicrosMax;
  ends_us_ = is_likely ? challenge_.expires_us + kClockDoubtMicros : now_us + kAnsweringMicrosMax;
  return absl::OkStatus();
}

absl::Status NodeProver::ForEach(
    const Progress& progress, const std::function<absl::Status(size_t gpu, const Progress&)>& act) {
  std::vector<absl::Status> done(provers_.size());
  std::vector<std::jthread> others;
  for (size_t gpu = 1; gpu < provers_.size(); ++gpu) {
    others.emplace_back([&, gpu] { done[gpu] = act(gpu, kSilent); });
  }
  done[0] = act(0, progress);
  others.clear();
  for (size_t gpu = 0; gpu < done.size(); ++gpu) {
    if (done[gpu].ok()) continue;
    return {done[gpu].code(), absl::StrCat("GPU ", gpu, ": ", done[gpu].message())};
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> NodeProver::Answer(ProbeStage stage, const Seed& seed,
                                               const Ed25519PrivateKey& device_key,
                                               const Progress& progress) {
  WARPBOOK_CHECK(clock_ != nullptr);
  if (clock_->NowMicros() > ends_us_) {
    return absl::DeadlineExceededError("the challenge has expired before it was answered");
  }
  std::vector<GpuAnswer>& answers = transcript_.gpus;
  std::string bytes;
  absl::Status done;
  switch (stage) {
    case ProbeStage::kProducts:
      done = ForEach(progress, [&](size_t gpu, const Progress& of_gpu) {
        absl::StatusOr<std::vector<Sha256Digest>> roots = provers_[gpu]->CommitProducts(of_gpu);
        if (roots.ok()) answers[gpu].roots = *std::move(roots);
        return roots.status();
      });
      for (const GpuAnswer& answer : answers) {
        for (const Sha256Digest& root : answer.roots) Append(bytes, root);
      }
      break;
    case ProbeStage::kFilled:
      done = ForEach(progress, [&](size_t gpu, const Progress& of_gpu) {
        return provers_[gpu]->FillMemory(of_gpu);
      });
      break;
    case ProbeStage::kGathered:
      transcript_.gather_seed = seed;
      done = ForEach(progress, [&](size_t gpu, const Progress& of_gpu) {
        const absl::StatusOr<Sha256Digest> root = provers_[gpu]->Gather(seed, of_gpu);
        if (root.ok()) answers[gpu].gather_root = *root;
        return root.status();
      });
      for (const GpuAnswer& answer : answers) Append(bytes, answer.gather_root);
      break;
    case ProbeStage::kOpenings:
      transcript_.opening_seed = seed;
      done = ForEach(progress, [&](size_t gpu, const Progress&) {
        auto tiles = provers_[gpu]->OpenTiles(TilesToOpen(challenge_.size.compute, seed));
        if (!tiles.ok()) return tiles.status();
        auto legs = provers_[gpu]->OpenLegs(LegsToOpen(challenge_.size.memory, seed));
        if (!legs.ok()) return legs.status();
        answers[gpu].tiles = *std::move(tiles);
        answers[gpu].legs = *std::move(legs);
        return absl::OkStatus();
      });
      if (done.ok()) bytes = SignTranscript(EncodeTranscript(transcript_), device_key);
      break;
  }
  if (!done.ok()) return done;
  return bytes;
}

}  // namespace warpbook::probe
