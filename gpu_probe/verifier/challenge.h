// What a verifier asks of a provider: all its GPUs at once, each by a nonce that nobody knew
// before, with sizes that follow from the hardware class that is claimed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/verifier/compute_proof.h"
#include "gpu_probe/verifier/memory_proof.h"
#include "schema/types/public_key.h"

namespace warpbook::probe {

inline constexpr int32_t kGpusMax = 64;
inline constexpr size_t kClassNameMax = 64;

// Of the proofs, for each GPU.
struct ProofSize {
  ComputeSize compute;
  MemorySize memory;
  friend bool operator==(const ProofSize&, const ProofSize&) = default;
};

struct Challenge {
  uint64_t id = 0;  // the verifier's, used once
  Seed nonce{};
  PublicKey device_key{};  // whose answer it has to be
  std::string hardware_class;
  int32_t gpus = 0;
  ProofSize size;
  int64_t expires_us = 0;  // since 1970

  ComputeChallenge ForCompute(int32_t gpu) const {
    return {nonce, static_cast<uint32_t>(gpu), size.compute};
  }
  MemoryChallenge ForMemory(int32_t gpu, const Sha256Digest& last_root) const {
    return {nonce, static_cast<uint32_t>(gpu), last_root, size.memory};
  }
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

// The document (schema/wire/probe.fbs), and back: InvalidArgument where it is malformed, or of a
// size that no proof has. A prover has to look itself whether it can do what is asked.
std::string EncodeChallenge(const Challenge& challenge);
absl::StatusOr<Challenge> DecodeChallenge(std::string_view bytes);

}  // namespace warpbook::probe
