#include "gpu_probe/verifier/proof_seed.h"

#include <bit>
#include <vector>

static_assert(std::endian::native == std::endian::little);

namespace warpbook::probe {

Seed ProofSeed(std::string_view purpose, const Seed& nonce, uint32_t gpu,
               std::span<const std::byte> rest) {
  std::vector<std::byte> bytes;
  const auto append = [&bytes](std::span<const std::byte> part) {
    bytes.insert(bytes.end(), part.begin(), part.end());
  };
  append(std::as_bytes(std::span(purpose)));
  append(std::as_bytes(std::span(nonce)));
  append(std::as_bytes(std::span(&gpu, 1)));
  append(rest);
  return Sha256(bytes);
}

}  // namespace warpbook::probe
