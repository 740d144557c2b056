// A decimal string that parses prints to one that parses to the same value, and the shortest
// printing of a value is its only shortest one.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "schema/base/check.h"
#include "schema/types/decimal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using warpbook::FormatDecimal;
  using warpbook::ParseDecimal;
  if (size == 0) return 0;
  const int decimals = data[0] % 19;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto value = ParseDecimal(text, decimals);
  if (!value) return 0;
  WARPBOOK_CHECK(*value >= 0);
  for (int least = 0; least <= decimals; ++least) {
    WARPBOOK_CHECK(ParseDecimal(FormatDecimal(*value, decimals, least), decimals) == value);
  }
  WARPBOOK_CHECK(FormatDecimal(*value, decimals, 0).size() <= text.size());
  return 0;
}
