#include "gpu_probe/verifier/chacha8.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "schema/base/check.h"

static_assert(std::endian::native == std::endian::little);

namespace warpbook::probe {
namespace {

// Blocks made at once, one in each lane.
constexpr size_t kLanes = 8;
using Lanes = uint32_t __attribute__((vector_size(kLanes * sizeof(uint32_t))));

__attribute__((always_inline)) inline void XorAndRotate(Lanes& x, const Lanes& by, int bits) {
  x ^= by;
  x = (x << bits) | (x >> (32 - bits));
}

__attribute__((always_inline)) inline void QuarterRound(Lanes& a, Lanes& b, Lanes& c, Lanes& d) {
  a += b, XorAndRotate(d, a, 16);
  c += d, XorAndRotate(b, c, 12);
  a += b, XorAndRotate(d, a, 8);
  c += d, XorAndRotate(b, c, 7);
}

template <int rounds>
__attribute__((always_inline)) inline void Permute(Lanes (&x)[16]) {
  for (int round = 0; round < rounds; round += 2) {
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

// Transposes 8 x 8 words: of pairs, of pairs of pairs, of halves.
__attribute__((always_inline)) inline void Transpose(Lanes* x) {
  Lanes rows[8];
  for (size_t i = 0; i < 8; i += 2) {
    rows[i] = __builtin_shuffle(x[i], x[i + 1], Lanes{0, 8, 2, 10, 4, 12, 6, 14});
    rows[i + 1] = __builtin_shuffle(x[i], x[i + 1], Lanes{1, 9, 3, 11, 5, 13, 7, 15});
  }
  Lanes quads[8];
  for (size_t i = 0; i < 8; i += 4) {
    for (size_t j = i; j < i + 2; ++j) {
      quads[j] = __builtin_shuffle(rows[j], rows[j + 2], Lanes{0, 1, 8, 9, 4, 5, 12, 13});
      quads[j + 2] = __builtin_shuffle(rows[j], rows[j + 2], Lanes{2, 3, 10, 11, 6, 7, 14, 15});
    }
  }
  for (size_t i = 0; i < 4; ++i) {
    x[i] = __builtin_shuffle(quads[i], quads[i + 4], Lanes{0, 1, 2, 3, 8, 9, 10, 11});
    x[i + 4] = __builtin_shuffle(quads[i], quads[i + 4], Lanes{4, 5, 6, 7, 12, 13, 14, 15});
  }
}

// Between eight blocks, one behind the other, and lanes that hold one each.
__attribute__((always_inline)) inline void Store(Lanes (&x)[16], uint8_t* out) {
  for (size_t half = 0; half < 16; half += 8) {
    Transpose(x + half);
    for (size_t i = 0; i < kLanes; ++i) {
      std::memcpy(out + i * kChaChaBlockBytes + half * 4, &x[half + i], sizeof(Lanes));
    }
  }
}
__attribute__((always_inline)) inline void Load(const uint8_t* from, Lanes (&x)[16]) {
  for (size_t half = 0; half < 16; half += 8) {
    for (size_t i = 0; i < kLanes; ++i) {
      std::memcpy(&x[half + i], from + i * kChaChaBlockBytes + half * 4, sizeof(Lanes));
    }
    Transpose(x + half);
  }
}

// The blocks from that counter on, one behind the other.
template <int rounds>
__attribute__((always_inline)) inline void MakeBlocks(const std::array<uint32_t, 16>& state,
                                                      uint32_t counter, uint8_t* out) {
  constexpr Lanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7};
  Lanes x[16];
  for (size_t i = 0; i < 16; ++i) x[i] = Lanes{} + state[i];
  x[12] += kIndex + counter;
  const Lanes counters = x[12];
  Permute<rounds>(x);
  for (size_t i = 0; i < 16; ++i) x[i] += i == 12 ? counters : Lanes{} + state[i];
  Store(x, out);
}

// Eight blocks become the core of themselves, so many times.
__attribute__((always_inline)) inline void ChainBlocks(uint8_t* blocks, int32_t times) {
  Lanes x[16], before[16];
  Load(blocks, x);
  for (int32_t time = 0; time < times; ++time) {
    for (size_t i = 0; i < 16; ++i) before[i] = x[i];
    Permute<8>(x);
    for (size_t i = 0; i < 16; ++i) x[i] += before[i];
  }
  Store(x, blocks);
}

template <int rounds>
__attribute__((always_inline)) inline void MakeStream(const ChaChaKey& key,
                                                      const ChaChaNonce& nonce, uint32_t counter,
                                                      uint8_t* out, size_t bytes) {
  std::array<uint32_t, 16> state = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  std::memcpy(&state[4], key.data(), key.size());
  std::memcpy(&state[13], nonce.data(), nonce.size());
  constexpr size_t kAtOnce = kLanes * kChaChaBlockBytes;
  for (; bytes >= kAtOnce; bytes -= kAtOnce, out += kAtOnce, counter += kLanes) {
    MakeBlocks<rounds>(state, counter, out);
  }
  if (bytes == 0) return;
  uint8_t rest[kAtOnce];
  MakeBlocks<rounds>(state, counter, rest);
  std::memcpy(out, rest, bytes);
}

// ThreadSanitizer is not there yet when the clones are chosen.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define WARPBOOK_PROBE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WARPBOOK_PROBE_CLONES
#endif
WARPBOOK_PROBE_CLONES void Stream8(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first,
                                   uint8_t* out, size_t bytes) {
  MakeStream<8>(key, nonce, first, out, bytes);
}
WARPBOOK_PROBE_CLONES void Stream20(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first,
                                    uint8_t* out, size_t bytes) {
  MakeStream<20>(key, nonce, first, out, bytes);
}
WARPBOOK_PROBE_CLONES void Chain8(uint8_t* blocks, size_t bytes, int32_t times) {
  constexpr size_t kAtOnce = kLanes * kChaChaBlockBytes;
  for (; bytes >= kAtOnce; bytes -= kAtOnce, blocks += kAtOnce) ChainBlocks(blocks, times);
  if (bytes == 0) return;
  uint8_t rest[kAtOnce] = {};
  std::memcpy(rest, blocks, bytes);
  ChainBlocks(rest, times);
  std::memcpy(blocks, rest, bytes);
}

bool Fits(uint32_t first_block, size_t bytes) {
  return bytes / kChaChaBlockBytes < (uint64_t{1} << 32) - first_block;
}

}  // namespace

void ChaCha8(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first_block,
             std::span<uint8_t> out) {
  WARPBOOK_CHECK(Fits(first_block, out.size()));
  Stream8(key, nonce, first_block, out.data(), out.size());
}

void ChaCha20(const ChaChaKey& key, const ChaChaNonce& nonce, uint32_t first_block,
              std::span<uint8_t> out) {
  WARPBOOK_CHECK(Fits(first_block, out.size()));
  Stream20(key, nonce, first_block, out.data(), out.size());
}

void ChaCha8Chain(std::span<uint8_t> blocks, int32_t times) {
  WARPBOOK_CHECK(blocks.size() % kChaChaBlockBytes == 0);
  Chain8(blocks.data(), blocks.size(), times);
}

}  // namespace warpbook::probe
