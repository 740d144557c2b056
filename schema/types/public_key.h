// An Ed25519 public key: 32 bytes.
#pragma once

#include <array>
#include <cstdint>

namespace warpbook {

using PublicKey = std::array<uint8_t, 32>;
using Ed25519Signature = std::array<uint8_t, 64>;

}  // namespace warpbook
