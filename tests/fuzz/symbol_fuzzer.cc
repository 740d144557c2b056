// A text that parses as a symbol is that symbol's only spelling.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "schema/base/check.h"
#include "schema/catalogue/catalogue.h"

namespace {

warpbook::Catalogue Market() {
  warpbook::Catalogue catalogue;
  catalogue.classes.resize(1);
  catalogue.classes[0].id = warpbook::ClassId(9);
  catalogue.classes[0].name = "H100-SXM";
  catalogue.regions = {{warpbook::RegionId(1), "us-east"}};
  return catalogue;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const warpbook::Catalogue market = Market();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parts = warpbook::ParseSymbol(market, text);
  if (!parts) return 0;
  WARPBOOK_CHECK(warpbook::FormatSymbol(market, parts->class_id, parts->region_id,
                                        parts->window_start) == text);
  return 0;
}
