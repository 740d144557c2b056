// The default catalogue: its figures are those of the reference table below, and it keeps its own
// rules.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "schema/catalogue/catalogue.h"

namespace warpbook {
namespace {

Catalogue Default() {
  auto catalogue = LoadCatalogue(WARPBOOK_DEFAULT_CATALOGUE);
  CAPTURE(std::string(catalogue.status().message()));
  REQUIRE(catalogue.ok());
  return *std::move(catalogue);
}

struct ReferenceRow {
  std::string_view name;
  int id, memory_gb, int8_dense_tops, memory_gb_per_s, tdp_watts;
  int64_t market_low, market_high;  // micro-USD per GPU-hour; 0: not known
};

// Vendors' data sheets and prices seen in 2026. The ids are stored in journals: this table holds
// them in place.
constexpr std::array<ReferenceRow, 13> kReference = {{
    {"RTX-3090", 1, 24, 0, 936, 350, 180'000, 390'000},
    {"RTX-4090", 2, 24, 661, 1008, 450, 310'000, 880'000},
    {"RTX-5090", 3, 32, 838, 1792, 575, 350'000, 1'220'000},
    {"RTX-PRO-6000", 4, 96, 0, 1792, 600, 660'000, 1'570'000},
    {"A6000", 5, 48, 0, 768, 300, 550'000, 800'000},
    {"L4", 6, 24, 242, 300, 72, 440'000, 780'000},
    {"L40S", 7, 48, 733, 864, 350, 790'000, 1'400'000},
    {"A100-80-SXM", 8, 80, 624, 2039, 400, 780'000, 3'000'000},
    {"H100-SXM", 9, 80, 1979, 3350, 700, 1'850'000, 5'000'000},
    {"H200-SXM", 10, 141, 1979, 4800, 700, 2'250'000, 7'000'000},
    {"B200-SXM", 11, 180, 4500, 7700, 1000, 3'750'000, 10'570'000},
    {"MI300X", 12, 192, 2615, 5300, 750, 0, 0},
    {"T4", 13, 16, 130, 320, 70, 0, 0},
}};

TEST_CASE("The default catalogue lists the classes of the reference table") {
  const Catalogue catalogue = Default();
  REQUIRE(catalogue.classes.size() == kReference.size());
  for (size_t i = 0; i < kReference.size(); ++i) {
    const ReferenceRow& row = kReference[i];
    const HardwareClass& hardware_class = catalogue.classes[i];
    CAPTURE(row.name);
    CHECK(hardware_class.name == row.name);
    CHECK(hardware_class.id.value() == row.id);
    CHECK(hardware_class.memory_gb == row.memory_gb);
    CHECK(hardware_class.int8_dense_tops == row.int8_dense_tops);
    CHECK(hardware_class.memory_gb_per_s == row.memory_gb_per_s);
    CHECK(hardware_class.tdp_watts == row.tdp_watts);
    CHECK(hardware_class.window_minutes == Minutes(60));
    CHECK(hardware_class.tradable == (row.market_low > 0));
  }
}

TEST_CASE("The default bands hold the market's range, and the dearest surcharge is below a tick") {
  const Catalogue catalogue = Default();
  for (size_t i = 0; i < kReference.size(); ++i) {
    const ReferenceRow& row = kReference[i];
    const HardwareClass& hardware_class = catalogue.classes[i];
    if (!hardware_class.tradable) continue;
    CAPTURE(row.name);
    const int64_t tick = hardware_class.tick.value();
    // Half the low and twice the high, widened to the tick.
    CHECK(hardware_class.band_low.value() <= row.market_low / 2);
    CHECK(hardware_class.band_low.value() > row.market_low / 2 - tick);
    CHECK(hardware_class.band_high.value() >= row.market_high * 2);
    CHECK(hardware_class.band_high.value() < row.market_high * 2 + tick);
    // The middle of the range, to the nearest tick.
    const int64_t twice_middle = row.market_low + row.market_high;
    CHECK(std::abs(hardware_class.reference_price.value() * 2 - twice_middle) <= tick);
    CHECK(row.market_high * 5 / 1'000 < tick);
    // About 1% of the reference.
    CHECK(tick * 200 > hardware_class.reference_price.value());
    CHECK(tick * 50 < hardware_class.reference_price.value());
  }
}

TEST_CASE("The default regions and windows are those of the design") {
  const Catalogue catalogue = Default();
  REQUIRE(catalogue.regions.size() == 3);
  CHECK(catalogue.FindRegion("us-east")->id == RegionId(1));
  CHECK(catalogue.FindRegion("us-west")->id == RegionId(2));
  CHECK(catalogue.FindRegion("eu-west")->id == RegionId(3));
  CHECK(catalogue.windows_ahead == 24);
  CHECK(catalogue.notice_seconds == 120);
  CHECK(catalogue.gate_minutes == 3);
}

}  // namespace
}  // namespace warpbook
