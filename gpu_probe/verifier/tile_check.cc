#include "gpu_probe/verifier/tile_check.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <memory>
#include <numeric>
#include <tuple>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "schema/base/check.h"

namespace warpbook::probe {
namespace {

// The sums over k are taken piece by piece: the lines of a piece stay in the cache, and sums of its
// products with numbers of 16 bits fit int32 (each is below 2^22; half of them meet in one lane).
constexpr size_t kPiece = 1'024;
constexpr size_t kVectors = std::tuple_size_v<CheckVectors>;
// B_J r is below 64 x 127 x 2^31 < 2^44: three numbers of 16 bits, the highest one signed.
constexpr size_t kParts = 3;

// A piece of the tile's lines.
struct Lines {
  alignas(64) int8_t rows[kTileSide][kPiece];
  alignas(64) int8_t columns[kTileSide][kPiece];
};
// B_J r for each vector, in its parts.
struct Combined {
  alignas(64) int16_t parts[kVectors][kParts][kPiece];
};
using Sums = std::array<std::array<uint64_t, kTileSide>, kVectors>;

void Split(int64_t value, size_t x, int16_t (&parts)[kParts][kPiece]) {
  for (size_t part = 0; part < kParts; ++part) {
    const auto low = static_cast<int16_t>(value);
    parts[part][x] = low;
    value = (value - low) >> 16;
  }
}

void CombineColumns(const Lines& lines, const CheckVectors& vectors, size_t length,
                    Combined& combined) {
  for (size_t v = 0; v < kVectors; ++v) {
    for (size_t x = 0; x < length; ++x) {
      int64_t sum = 0;
      for (size_t j = 0; j < kTileSide; ++j) sum += lines.columns[j][x] * vectors[v][j].value();
      Split(sum, x, combined.parts[v]);
    }
  }
}

void MultiplyRows(const Lines& lines, const Combined& combined, size_t length, Sums& sums) {
  for (size_t v = 0; v < kVectors; ++v) {
    for (size_t i = 0; i < kTileSide; ++i) {
      for (size_t part = 0; part < kParts; ++part) {
        int64_t sum = 0;
        for (size_t x = 0; x < length; ++x) {
          sum += lines.rows[i][x] * combined.parts[v][part][x];
        }
        sums[v][i] += static_cast<uint64_t>(sum) << (16 * part);
      }
    }
  }
}

#ifdef __x86_64__
#define WARPBOOK_PROBE_AVX2 __attribute__((target("avx2")))

int32_t PairOf(int16_t first, int16_t second) {
  return static_cast<int32_t>(static_cast<uint16_t>(first) | uint32_t{static_cast<uint16_t>(second)}
                                                                 << 16);
}

// The same sums, by products of pairs of 16 bits.
WARPBOOK_PROBE_AVX2 void CombineColumnsAvx2(const Lines& lines, const CheckVectors& vectors,
                                            size_t length, Combined& combined) {
  constexpr size_t kPairs = kTileSide / 2;
  __m256i factors[kPairs][kVectors][2];  // low, high
  for (size_t p = 0; p < kPairs; ++p) {
    for (size_t v = 0; v < kVectors; ++v) {
      const CheckNumber a = vectors[v][2 * p];
      const CheckNumber b = vectors[v][2 * p + 1];
      factors[p][v][0] = _mm256_set1_epi32(PairOf(a.low, b.low));
      factors[p][v][1] = _mm256_set1_epi32(PairOf(a.high, b.high));
    }
  }
  for (size_t x = 0; x < length; x += 8) {
    __m256i sums[kVectors][2] = {};
    for (size_t p = 0; p < kPairs; ++p) {
      // Eight entries of two columns, each beside the other's.
      const auto* const a = reinterpret_cast<const __m128i*>(&lines.columns[2 * p][x]);
      const auto* const b = reinterpret_cast<const __m128i*>(&lines.columns[2 * p + 1][x]);
      const __m256i entries =
          _mm256_cvtepi8_epi16(_mm_unpacklo_epi8(_mm_loadl_epi64(a), _mm_loadl_epi64(b)));
      for (size_t v = 0; v < kVectors; ++v) {
        for (size_t part = 0; part < 2; ++part) {
          sums[v][part] =
              _mm256_add_epi32(sums[v][part], _mm256_madd_epi16(entries, factors[p][v][part]));
        }
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      alignas(32) int32_t low[8];
      alignas(32) int32_t high[8];
      _mm256_store_si256(reinterpret_cast<__m256i*>(low), sums[v][0]);
      _mm256_store_si256(reinterpret_cast<__m256i*>(high), sums[v][1]);
      for (size_t i = 0; i < 8; ++i) {
        Split(int64_t{high[i]} * 65'536 + low[i], x + i, combined.parts[v]);
      }
    }
  }
}

WARPBOOK_PROBE_AVX2 void MultiplyRowsAvx2(const Lines& lines, const Combined& combined,
                                          size_t length, Sums& sums) {
  for (size_t i = 0; i < kTileSide; ++i) {
    __m256i lanes[kVectors][kParts] = {};
    for (size_t x = 0; x < length; x += 16) {
      const __m256i row =
          _mm256_cvtepi8_epi16(_mm_load_si128(reinterpret_cast<const __m128i*>(&lines.rows[i][x])));
      for (size_t v = 0; v < kVectors; ++v) {
        for (size_t part = 0; part < kParts; ++part) {
          const __m256i factor =
              _mm256_load_si256(reinterpret_cast<const __m256i*>(&combined.parts[v][part][x]));
          lanes[v][part] = _mm256_add_epi32(lanes[v][part], _mm256_madd_epi16(row, factor));
        }
      }
    }
    for (size_t v = 0; v < kVectors; ++v) {
      for (size_t part = 0; part < kParts; ++part) {
        alignas(32) int32_t each[8];
        _mm256_store_si256(reinterpret_cast<__m256i*>(each), lanes[v][part]);
        const int64_t sum = std::accumulate(std::begin(each), std::end(each), int64_t{0});
        sums[v][i] += static_cast<uint64_t>(sum) << (16 * part);
      }
    }
  }
}
#endif

bool HasAvx2() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx2");
#else
  return false;
#endif
}

void AddPiece(const Lines& lines, const CheckVectors& vectors, size_t length, bool plain,
              Combined& combined, Sums& sums) {
#ifdef __x86_64__
  // Whole steps of 16: what is behind the end of a piece is zero in the rows.
  if (!plain && HasAvx2()) {
    const size_t whole = (length + 15) / 16 * 16;
    CombineColumnsAvx2(lines, vectors, whole, combined);
    MultiplyRowsAvx2(lines, combined, whole, sums);
    return;
  }
#endif
  CombineColumns(lines, vectors, length, combined);
  MultiplyRows(lines, combined, length, sums);
}

}  // namespace

CheckVectors MakeCheckVectors(std::span<const uint8_t, sizeof(CheckVectors)> secret) {
  CheckVectors vectors;
  static_assert(sizeof vectors == 512);
  std::memcpy(&vectors, secret.data(), sizeof vectors);
  for (CheckVector& vector : vectors) {
    for (CheckNumber& number : vector) number.high &= 0x7fff;
  }
  return vectors;
}

bool CheckTile(const Seed& seed, TilePlace place, int64_t k, const Tile& tile,
               const CheckVectors& vectors, TileCheckWay way) {
  WARPBOOK_CHECK(k >= 1 && k <= kLineEntriesMax);
  const auto lines = std::make_unique<Lines>();
  const auto combined = std::make_unique<Combined>();
  Sums sums{};
  for (int64_t first = 0; first < k; first += kPiece) {
    const size_t length = std::min<size_t>(kPiece, static_cast<size_t>(k - first));
    for (int64_t i = 0; i < kTileSide; ++i) {
      const auto row = static_cast<uint64_t>(place.row * kTileSide + i);
      const auto column = static_cast<uint64_t>(place.column * kTileSide + i);
      FillLine(seed, Operand::kLeft, row, first, {lines->rows[i], length});
      FillLine(seed, Operand::kRight, column, first, {lines->columns[i], length});
      std::fill(lines->rows[i] + length, lines->rows[i] + kPiece, int8_t{0});
    }
    AddPiece(*lines, vectors, length, way == TileCheckWay::kPlain, *combined, sums);
  }
  for (size_t v = 0; v < kVectors; ++v) {
    for (size_t i = 0; i < kTileSide; ++i) {
      uint64_t claimed = 0;
      for (size_t j = 0; j < kTileSide; ++j) {
        claimed += static_cast<uint64_t>(int64_t{tile[i * kTileSide + j]}) *
                   static_cast<uint64_t>(vectors[v][j].value());
      }
      if (claimed != sums[v][i]) return false;
    }
  }
  return true;
}

}  // namespace warpbook::probe
