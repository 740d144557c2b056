// The operands of the compute proof (design: Compute proof): int8 matrices A (m x k) and B (k x n)
// whose entries follow from a seed, each row of A and each column of B for itself, so that whoever
// checks a tile of A x B makes no more of them than it needs.
#pragma once

#include <cstdint>
#include <span>

#include "schema/base/crypto.h"

namespace warpbook::probe {

using Seed = Sha256Digest;

enum class Operand : uint32_t {
  kLeft = 0,   // A, by rows
  kRight = 1,  // B, by columns
};

// The longest line, so that a product's entries fit int32: 127 x 127 x 131,072 < 2^31.
inline constexpr int64_t kLineEntriesMax = 131'072;

// Fills `entries` with those of a row of A or a column of B from `first` on, a multiple of 64. Each
// is one byte of ChaCha8(key = seed, nonce = operand and line as little-endian numbers of 4 and 8
// bytes), as a number between -127 and 127: byte - 128, but for 0, which is -127.
void FillLine(const Seed& seed, Operand operand, uint64_t line, int64_t first,
              std::span<int8_t> entries);

}  // namespace warpbook::probe
