#include "tests/gpu_probe/support/proving.h"

#include <utility>

#include "schema/base/check.h"

namespace warpbook::probe::test {
namespace {

Ed25519PrivateKey KeyOf(uint8_t first) {
  std::array<uint8_t, 32> seed{};
  seed[0] = first;
  return Ed25519PrivateKey::FromSeed(seed);
}

}  // namespace

const Ed25519PrivateKey& DeviceKey() {
  static const Ed25519PrivateKey key = KeyOf(1);
  return key;
}

const Ed25519PrivateKey& OtherKey() {
  static const Ed25519PrivateKey key = KeyOf(2);
  return key;
}

Challenge SmallChallenge(uint8_t nonce, int32_t gpus) {
  return {.id = 7,
          .nonce = {nonce, 99},
          .device_key = DeviceKey().public_key(),
          .hardware_class = "H100-SXM",
          .gpus = gpus,
          .size = SmallProfile(),
          .expires_us = kStartUs + kPatienceUs};
}

CheckVectors SecretVectors() {
  std::array<uint8_t, sizeof(CheckVectors)> secret;
  FillRandom(secret);
  return MakeCheckVectors(secret);
}

std::vector<GpuClaim> Claims(int32_t gpus, const std::string& name) {
  std::vector<GpuClaim> claims;
  for (int32_t gpu = 0; gpu < gpus; ++gpu) {
    claims.push_back({name, "GPU-" + std::to_string(gpu), 80'000'000'000, false});
  }
  return claims;
}

Proved Proving::Run() const {
  const Progress silent = [](std::string_view, int64_t, int64_t) {};
  // Signed by whom the test says, but made for whom it was asked of.
  Challenge addressed = challenge;
  addressed.device_key = signer->public_key();
  Challenge sizes = addressed;
  sizes.nonce = {};
  sizes.expires_us = 0;
  NodeProver node =
      NodeProver::Create(EncodeChallenge(sizes), claims, "test", signer->public_key()).value();
  WARPBOOK_CHECK(node.Prepare(make).ok());
  const ManualClock clock(kStartUs);
  WARPBOOK_CHECK(node.Begin(EncodeChallenge(addressed), clock).ok());
  ProbeSession session(challenge, kStartUs);
  int64_t now = 0;
  Seed asked{};
  uint8_t fresh = 100;
  for (const auto& [stage, took] : {std::pair(ProbeStage::kProducts, times.products_us),
                                    {ProbeStage::kFilled, times.fill_us},
                                    {ProbeStage::kGathered, times.gather_us},
                                    {ProbeStage::kOpenings, times.openings_us}}) {
    std::string answer = node.Answer(stage, asked, *signer, silent).value();
    if (stage == ProbeStage::kOpenings) {
      Transcript transcript =
          DecodeTranscript(DecodeSignedTranscript(answer).value().transcript).value();
      transcript.challenge = EncodeChallenge(challenge);
      if (edit) edit(transcript);
      answer = SignTranscript(EncodeTranscript(transcript), *signer);
    }
    now += took;
    const Seed next_seed = stage == ProbeStage::kGathered ? opening_seed : Seed{++fresh};
    const auto next = session.Answer(stage, answer, now, next_seed);
    WARPBOOK_CHECK(next.ok());
    asked = next->value_or(Seed{});
  }
  return {session.record(), session.TakeTranscript()};
}

ProofSize TestSize() {
  return {.compute = {.m = 512, .n = 512, .k = 64, .rounds = 2, .opened = 128},
          .memory = {.blocks = 4'096,
                     .columns = 1,
                     .passes = 32,
                     .walks = 2 * kWalksPerLeaf,
                     .legs = 3,
                     .opened = 128}};
}

ClassRow TestRow(const std::string& name) {
  const ProofSize size = TestSize();
  return {.name = name,
          .int8_ops_per_s = 2 * size.compute.m * size.compute.n * size.compute.k * 2,
          .bytes_per_s = size.memory.gathered_bytes(),
          .memory_bytes = size.memory.arena_bytes() * 100 / kArenaPercent,
          .made_anew_bytes_per_s = kMadeAnewPerRead * size.memory.gathered_bytes()};
}

}  // namespace warpbook::probe::test
