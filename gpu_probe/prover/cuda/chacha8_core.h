// ChaCha8 by blocks of 16 words, one block to a thread: the same keystream as verifier/chacha8.h,
// and what the operands and the arena are made of.
#pragma once

#include <cstdint>

#include "gpu_probe/prover/cuda/host_device.h"

namespace warpbook::probe {

// A seed of 32 bytes as little-endian words, the way kernels take it.
struct SeedWords {
  uint32_t word[8];
};

struct ChaChaWords {
  uint32_t word[16];
};

WARPBOOK_HOST_DEVICE constexpr void XorAndRotate(uint32_t& x, uint32_t by, int bits) {
  x ^= by;
  x = x << bits | x >> (32 - bits);
}

WARPBOOK_HOST_DEVICE constexpr void QuarterRound(uint32_t& a, uint32_t& b, uint32_t& c,
                                                 uint32_t& d) {
  a += b, XorAndRotate(d, a, 16);
  c += d, XorAndRotate(b, c, 12);
  a += b, XorAndRotate(d, a, 8);
  c += d, XorAndRotate(b, c, 7);
}

WARPBOOK_HOST_DEVICE constexpr void PermuteChaCha8(uint32_t (&x)[16]) {
  WARPBOOK_UNROLL
  for (int round = 0; round < 8; round += 2) {
    QuarterRound(x[0], x[4], x[8], x[12]);
    QuarterRound(x[1], x[5], x[9], x[13]);
    QuarterRound(x[2], x[6], x[10], x[14]);
    QuarterRound(x[3], x[7], x[11], x[15]);
    QuarterRound(x[0], x[5], x[10], x[15]);
    QuarterRound(x[1], x[6], x[11], x[12]);
    QuarterRound(x[2], x[7], x[8], x[13]);
    QuarterRound(x[3], x[4], x[9], x[14]);
  }
}

// Block `counter` of the keystream of that key and nonce.
WARPBOOK_HOST_DEVICE constexpr ChaChaWords KeystreamBlock(const SeedWords& key, uint32_t counter,
                                                          uint32_t nonce0, uint32_t nonce1,
                                                          uint32_t nonce2) {
  const uint32_t state[16] = {0x61707865,  0x3320646e,  0x79622d32,  0x6b206574,
                              key.word[0], key.word[1], key.word[2], key.word[3],
                              key.word[4], key.word[5], key.word[6], key.word[7],
                              counter,     nonce0,      nonce1,      nonce2};
  ChaChaWords x{};
  WARPBOOK_UNROLL
  for (int i = 0; i < 16; ++i) x.word[i] = state[i];
  PermuteChaCha8(x.word);
  WARPBOOK_UNROLL
  for (int i = 0; i < 16; ++i) x.word[i] += state[i];
  return x;
}

// What ChaCha8Chain makes of a block at a time.
WARPBOOK_HOST_DEVICE constexpr ChaChaWords CoreOf(const ChaChaWords& block) {
  ChaChaWords x = block;
  PermuteChaCha8(x.word);
  WARPBOOK_UNROLL
  for (int i = 0; i < 16; ++i) x.word[i] += block.word[i];
  return x;
}

// Four entries of an operand from four bytes of keystream: byte - 128, but for 0, which is -127.
WARPBOOK_HOST_DEVICE constexpr uint32_t EntriesOf(uint32_t word) {
  constexpr uint32_t kLow = 0x7f7f7f7f;
  // The top bit of each byte that is 0, and of no other.
  const uint32_t zeros = ~(((word & kLow) + kLow) | word | kLow);
  return (word ^ 0x80808080) | zeros >> 7;
}

// Entries 64 x chunk to 64 x chunk + 63 of a line, as FillLine makes them.
WARPBOOK_HOST_DEVICE constexpr ChaChaWords LineEntries(const SeedWords& seed, uint32_t operand,
                                                       uint64_t line, uint32_t chunk) {
  ChaChaWords x = KeystreamBlock(seed, chunk, operand, static_cast<uint32_t>(line),
                                 static_cast<uint32_t>(line >> 32));
  WARPBOOK_UNROLL
  for (int i = 0; i < 16; ++i) x.word[i] = EntriesOf(x.word[i]);
  return x;
}

}  // namespace warpbook::probe
