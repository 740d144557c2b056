#include "gpu_probe/verifier/operands.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "gpu_probe/verifier/chacha8.h"
#include "schema/base/check.h"

namespace warpbook::probe {

void FillLine(const Seed& seed, Operand operand, uint64_t line, int64_t first,
              std::span<int8_t> entries) {
  WARPBOOK_CHECK(first >= 0 && first % kChaChaBlockBytes == 0);
  WARPBOOK_CHECK(first + std::ssize(entries) <= kLineEntriesMax);
  ChaChaNonce nonce;
  const auto number = static_cast<uint32_t>(operand);
  std::memcpy(nonce.data(), &number, sizeof number);
  std::memcpy(nonce.data() + sizeof number, &line, sizeof line);
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(entries.data());
  ChaCha8(seed, nonce, static_cast<uint32_t>(first / kChaChaBlockBytes), {bytes, entries.size()});
  for (int8_t& entry : entries) {
    entry = std::max(static_cast<int8_t>(entry ^ -128), int8_t{-127});
  }
}

}  // namespace warpbook::probe
