// SHA-256 (FIPS 180-4) of what the trees hash, one hash to a thread: a first byte and then whole
// blocks of 64 bytes. Bytes are read and written as little-endian words, as memory has them.
#pragma once

#include <cstdint>

#include "gpu_probe/prover/cuda/host_device.h"

namespace warpbook::probe {

// A digest of 32 bytes as memory has it.
struct alignas(16) DigestWords {
  uint32_t word[8];
};

WARPBOOK_HOST_DEVICE constexpr uint32_t RotateRight(uint32_t x, int bits) {
  return x >> bits | x << (32 - bits);
}

// The three last bytes of `word` behind the last one of `before`, big-endian: a stream of words
// that stands one byte further on.
WARPBOOK_HOST_DEVICE constexpr uint32_t ShiftedWord(uint32_t before, uint32_t word) {
#ifdef __CUDA_ARCH__
  return __byte_perm(before, word, 0x3456);
#else
  return (before >> 24) << 24 | (word & 0xff) << 16 | (word & 0xff00) | (word >> 16 & 0xff);
#endif
}

WARPBOOK_HOST_DEVICE constexpr uint32_t SwapBytes(uint32_t word) {
#ifdef __CUDA_ARCH__
  return __byte_perm(word, 0, 0x0123);
#else
  return __builtin_bswap32(word);
#endif
}

// One block, 16 big-endian words, which it uses up.
WARPBOOK_HOST_DEVICE constexpr void CompressSha256(uint32_t (&state)[8], uint32_t (&w)[16]) {
  constexpr uint32_t kRounds[64] = {
      0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
      0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
      0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
      0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
      0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
      0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
      0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
      0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
      0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
      0xc67178f2};
  uint32_t x[8]{};
  WARPBOOK_UNROLL
  for (int i = 0; i < 8; ++i) x[i] = state[i];
  WARPBOOK_UNROLL
  for (int i = 0; i < 64; ++i) {
    if (i >= 16) {
      const uint32_t w15 = w[(i + 1) % 16], w2 = w[(i + 14) % 16];
      w[i % 16] += (RotateRight(w15, 7) ^ RotateRight(w15, 18) ^ w15 >> 3) + w[(i + 9) % 16] +
                   (RotateRight(w2, 17) ^ RotateRight(w2, 19) ^ w2 >> 10);
    }
    const uint32_t e = x[4], a = x[0];
    const uint32_t t = x[7] + (RotateRight(e, 6) ^ RotateRight(e, 11) ^ RotateRight(e, 25)) +
                       ((e & x[5]) ^ (~e & x[6])) + kRounds[i] + w[i % 16];
    const uint32_t sum = (RotateRight(a, 2) ^ RotateRight(a, 13) ^ RotateRight(a, 22)) +
                         ((a & x[1]) ^ (a & x[2]) ^ (x[1] & x[2]));
    x[7] = x[6], x[6] = x[5], x[5] = x[4], x[4] = x[3] + t;
    x[3] = x[2], x[2] = x[1], x[1] = x[0], x[0] = t + sum;
  }
  WARPBOOK_UNROLL
  for (int i = 0; i < 8; ++i) state[i] += x[i];
}

// SHA-256(first byte || blocks x 64 bytes). `load(block, words)` gives 16 words.
template <typename Load>
WARPBOOK_HOST_DEVICE constexpr DigestWords HashBlocks(uint32_t first_byte, uint32_t blocks,
                                                      const Load& load) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint32_t before = first_byte << 24;
  // The last block is the last byte, a one and the length in bits.
  for (uint32_t block = 0; block <= blocks; ++block) {
    uint32_t words[16]{};
    if (block < blocks) {
      load(block, words);
      uint32_t last = words[15];
      WARPBOOK_UNROLL
      for (int i = 15; i > 0; --i) words[i] = ShiftedWord(words[i - 1], words[i]);
      words[0] = ShiftedWord(before, words[0]);
      before = last;
    } else {
      words[0] = (before & 0xff000000) | 0x800000;
      words[15] = 8 * (64 * blocks + 1);
    }
    CompressSha256(state, words);
  }
  DigestWords digest{};
  WARPBOOK_UNROLL
  for (int i = 0; i < 8; ++i) digest.word[i] = SwapBytes(state[i]);
  return digest;
}

}  // namespace warpbook::probe
