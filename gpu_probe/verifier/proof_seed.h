// The seeds of a proof's parts: each of its own purpose, challenge and GPU, so that the answer to
// one is no other's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "gpu_probe/verifier/operands.h"

namespace warpbook::probe {

// SHA-256(purpose || nonce || gpu || the rest), the GPU's number little-endian in 4 bytes.
Seed ProofSeed(std::string_view purpose, const Seed& nonce, uint32_t gpu,
               std::span<const std::byte> rest);

}  // namespace warpbook::probe
