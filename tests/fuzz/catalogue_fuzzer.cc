// Any text is a catalogue that keeps its own rules, or is refused with one line that begins with
// the file's name.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "schema/base/check.h"
#include "schema/catalogue/catalogue.h"

namespace {

void CheckRules(const warpbook::Catalogue& catalogue) {
  WARPBOOK_CHECK(!catalogue.classes.empty() && !catalogue.regions.empty());
  WARPBOOK_CHECK(catalogue.windows_ahead >= 1 && catalogue.windows_ahead <= 168);
  WARPBOOK_CHECK(catalogue.gate_minutes * 60 >= catalogue.notice_seconds + 60);
  for (const warpbook::HardwareClass& hardware_class : catalogue.classes) {
    WARPBOOK_CHECK(catalogue.FindClass(hardware_class.id) == &hardware_class);
    WARPBOOK_CHECK(catalogue.FindClass(hardware_class.name) == &hardware_class);
    WARPBOOK_CHECK(hardware_class.window_minutes.value() > catalogue.gate_minutes);
    if (!hardware_class.tradable) continue;
    const int64_t tick = hardware_class.tick.value();
    WARPBOOK_CHECK(tick > 0 && tick % 1'000 == 0);
    WARPBOOK_CHECK(hardware_class.band_low.value() % tick == 0);
    WARPBOOK_CHECK(hardware_class.band_high.value() % tick == 0);
    WARPBOOK_CHECK(hardware_class.band_low <= hardware_class.reference_price);
    WARPBOOK_CHECK(hardware_class.reference_price <= hardware_class.band_high);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto catalogue = warpbook::ParseCatalogue(text, "c.conf");
  if (catalogue.ok()) {
    CheckRules(*catalogue);
    return 0;
  }
  const std::string message(catalogue.status().message());
  WARPBOOK_CHECK(message.starts_with("c.conf:"));
  WARPBOOK_CHECK(message.find('\n') == std::string::npos);
  return 0;
}
