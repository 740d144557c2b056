// What a prover signs for the record: what it was asked, and all its answers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gpu_probe/verifier/challenge.h"
#include "schema/base/crypto.h"

namespace warpbook::probe {

// A signed transcript is no longer than this, whatever the number of GPUs (see SizesFor).
inline constexpr size_t kTranscriptBytesMax = size_t{16} << 20;

struct GpuAnswer {
  std::vector<Sha256Digest> roots;  // of the rounds of products
  Sha256Digest gather_root{};
  std::vector<Opening> tiles;
  std::vector<LegOpening> legs;
};

// What the prover says of a GPU. Nothing of it is proved.
struct GpuClaim {
  std::string name, uuid;
  int64_t memory_bytes = 0;
  bool is_slice = false;
};

struct Transcript {
  std::string challenge;  // its document, as it came
  Seed gather_seed{};
  Seed opening_seed{};
  std::vector<GpuAnswer> gpus;
  std::vector<GpuClaim> claims;
  std::string prover;
};

std::string EncodeTranscript(const Transcript& transcript);
// InvalidArgument where it is malformed. Takes anything.
absl::StatusOr<Transcript> DecodeTranscript(std::string_view bytes);

struct SignedTranscript {
  std::string transcript;  // its document
  PublicKey device_key{};
  Ed25519Signature signature{};

  bool IsSignedBy(const PublicKey& key) const;
};
std::string SignTranscript(std::string_view transcript, const Ed25519PrivateKey& device_key);
absl::StatusOr<SignedTranscript> DecodeSignedTranscript(std::string_view bytes);

}  // namespace warpbook::probe
