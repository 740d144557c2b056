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

// The blocks from that counter on, one behind the other.
template <int rounds>
__attribute__((always_inline)) inline void MakeBlocks(const std::array<uint32_t, 16>& state,
                                                      uint32_t counter, uint8_t* out) {
  constexpr Lanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7};
  Lanes x[16];
  for (size_t i = 0; i < 16; ++i) x[i] = Lanes{} + state[i];
  x[12] += kIndex + counter;
  const Lanes counters = x[12];
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
  for (size_t i = 0; i < 16; ++i) x[i] += i == 12 ? counters : Lanes{} + state[i];
  // Lane by lane: each is a block.
  for (size_t half = 0; half < 16; half += 8) {
    Lanes rows[8];
    // Transposes 8 x 8 words: of pairs, of pairs of pairs, of halves.
    for (size_t i = 0; i < 8; i += 2) {
      const Lanes a = x[half + i];
      const Lanes b = x[half + i + 1];
      rows[i] = __builtin_shuffle(a, b, Lanes{0, 8, 2, 10, 4, 12, 6, 14});
      rows[i + 1] = __builtin_shuffle(a, b, Lanes{1, 9, 3, 11, 5, 13, 7, 15});
    }
    Lanes quads[8];
    for (size_t i = 0; i < 8; i += 4) {
      for (size_t j = 0; j < 2; ++j) {
        const Lanes a = rows[i + j];
        const Lanes b = rows[i + j + 2];
        quads[i + j] = __builtin_shuffle(a, b, Lanes{0, 1, 8, 9, 4, 5, 12, 13});
        quads[i + j + 2] = __builtin_shuffle(a, b, Lanes{2, 3, 10, 11, 6, 7, 14, 15});
      }
    }
    for (size_t i = 0; i < 4; ++i) {
      const Lanes low = __builtin_shuffle(quads[i], quads[i + 4], Lanes{0, 1, 2, 3, 8, 9, 10, 11});
      const Lanes high =
          __builtin_shuffle(quads[i], quads[i + 4], Lanes{4, 5, 6, 7, 12, 13, 14, 15});
      std::memcpy(out + i * kChaChaBlockBytes + half * 4, &low, sizeof low);
      std::memcpy(out + (i + 4) * kChaChaBlockBytes + half * 4, &high, sizeof high);
    }
  }
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

#ifdef __x86_64__
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

}  // namespace warpbook::probe
