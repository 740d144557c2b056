#include "gpu_probe/verifier/tile.h"

#include <algorithm>
#include <vector>

#include "schema/base/check.h"

namespace warpbook::probe {

void ComputeTile(const Seed& seed, TilePlace place, int64_t k, Tile& tile) {
  WARPBOOK_CHECK(k >= 1 && k <= kLineEntriesMax);
  const auto length = static_cast<size_t>(k);
  std::vector<int8_t> columns(kTileSide * length);
  for (int64_t j = 0; j < kTileSide; ++j) {
    FillLine(seed, Operand::kRight, static_cast<uint64_t>(place.column * kTileSide + j), 0,
             std::span(columns).subspan(static_cast<size_t>(j) * length, length));
  }
  std::vector<int8_t> row(length);
  size_t entry = 0;
  for (int64_t i = 0; i < kTileSide; ++i) {
    FillLine(seed, Operand::kLeft, static_cast<uint64_t>(place.row * kTileSide + i), 0, row);
    for (int64_t j = 0; j < kTileSide; ++j) {
      const int8_t* const column = &columns[static_cast<size_t>(j) * length];
      int32_t sum = 0;
      for (size_t x = 0; x < length; ++x) sum += row[x] * column[x];
      tile[entry++] = sum;
    }
  }
}

}  // namespace warpbook::probe
