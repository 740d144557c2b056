#include "gpu_probe/prover/node_prover.h"

#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

void Append(std::string& bytes, const Sha256Digest& digest) {
  bytes.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

absl::StatusOr<NodeProver> NodeProver::Create(std::string challenge, const MakeProver& make,
                                              std::vector<GpuClaim> claims, std::string name,
                                              const Ed25519PrivateKey& device_key) {
  absl::StatusOr<Challenge> asked = DecodeChallenge(challenge);
  if (!asked.ok()) return asked.status();
  if (asked->device_key != device_key.public_key()) {
    return absl::InvalidArgumentError("the challenge is for another device's key");
  }
  if (claims.size() != static_cast<size_t>(asked->gpus)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the challenge is for ", asked->gpus, " GPUs, and there are ", claims.size()));
  }
  NodeProver node;
  node.challenge_ = *std::move(asked);
  node.transcript_.challenge = std::move(challenge);
  node.transcript_.claims = std::move(claims);
  node.transcript_.prover = std::move(name);
  node.transcript_.gpus.resize(static_cast<size_t>(node.challenge_.gpus));
  for (int32_t gpu = 0; gpu < node.challenge_.gpus; ++gpu) {
    absl::StatusOr<std::unique_ptr<Prover>> prover = make({.nonce = node.challenge_.nonce,
                                                           .gpu = static_cast<uint32_t>(gpu),
                                                           .compute = node.challenge_.size.compute,
                                                           .memory = node.challenge_.size.memory});
    if (!prover.ok()) return prover.status();
    node.provers_.push_back(*std::move(prover));
  }
  return node;
}

absl::Status NodeProver::ForEach(
    const Progress& progress, const std::function<absl::Status(size_t gpu, const Progress&)>& act) {
  const Progress silent = [](std::string_view, int64_t, int64_t) {};
  std::vector<absl::Status> done(provers_.size());
  std::vector<std::jthread> others;
  for (size_t gpu = 1; gpu < provers_.size(); ++gpu) {
    others.emplace_back([&, gpu] { done[gpu] = act(gpu, silent); });
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
