// A proof between a prover and the verifier, with a clock that the test sets: for tests of either.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gpu_probe/prover/cpu_prover.h"
#include "gpu_probe/prover/node_prover.h"
#include "gpu_probe/verifier/probe_session.h"

namespace warpbook::probe::test {

// How long each answer takes by the verifier's clock.
struct StageTimes {
  int64_t products_us = 1'000;
  int64_t fill_us = 1'000;
  int64_t gather_us = 1'000;
  int64_t openings_us = 1'000;
};

inline constexpr int64_t kStartUs = 1'700'000'000'000'000;
inline constexpr int64_t kPatienceUs = 60'000'000;

const Ed25519PrivateKey& DeviceKey();
const Ed25519PrivateKey& OtherKey();
// Of the small profile, for the device's key.
Challenge SmallChallenge(uint8_t nonce = 1, int32_t gpus = 1);
CheckVectors SecretVectors();

// What an honest device says of itself.
std::vector<GpuClaim> Claims(int32_t gpus, const std::string& name = "NVIDIA H100 80GB HBM3");

template <typename SomeProver = CpuProver>
MakeProver Make() {
  return [](const GpuChallenge& challenge) { return std::make_unique<SomeProver>(challenge); };
}

// The record and transcript of a whole proof.
struct Proved {
  VerifierRecord record;
  std::string transcript;
};
struct Proving {
  Challenge challenge = SmallChallenge();
  MakeProver make = Make();
  StageTimes times;
  std::vector<GpuClaim> claims = Claims(challenge.gpus);
  Seed opening_seed = {103};
  const Ed25519PrivateKey* signer = &DeviceKey();
  // What is done to the transcript before it is signed.
  std::function<void(Transcript&)> edit;

  Proved Run() const;
};

// Sizes at which a proof bounds what was skipped as a real one does, and that a CPU answers at
// once; and a table with a class of that name, which is proved by taking kClassUs for the products
// and as much for the gather.
ProofSize TestSize();
inline constexpr int64_t kClassUs = 1'000'000;
// What its cards make of ChaCha8's cores while they read as much memory.
inline constexpr int64_t kMadeAnewPerRead = 1;
ClassRow TestRow(const std::string& name);

}  // namespace warpbook::probe::test
