// ChaCha with 8 rounds, laid out as RFC 8439 lays out ChaCha20 (a 32-bit block counter from 0, a
// 96-bit nonce): the source of the probe's operands. It makes numbers that nobody can guess before
// the seed is known, on any device, at the speed of its memory; it hides nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace warpbook::probe {

using ChaChaKey = std::array<uint8_t, 32>;
using ChaChaNonce = std::array<uint8_t, 12>;

inline constexpr size_t kChaChaBlockBytes = 64;

// Fills `out` with the keystream from that block on. The last one's number is below 2^32.
void ChaCha8(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first_block,
             std::span<uint8_t> out);

// Each block, 16 little-endian words, becomes the core of itself (8 rounds, the block added word by
// word, as a block of the keystream is made of its state), so many times. Whole blocks.
void ChaCha8Chain(std::span<uint8_t> blocks, int32_t times);

// ChaCha8 with 20 rounds, so that tests can compare the common part with OpenSSL's.
void ChaCha20(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first_block,
              std::span<uint8_t> out);

}  // namespace warpbook::probe
