// Symbols against the C library's calendar, which they do not use.
#include <doctest/doctest.h>

#include <cstdio>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "schema/catalogue/catalogue.h"

namespace warpbook {
namespace {

Catalogue Market() {
  Catalogue catalogue;
  catalogue.classes.resize(2);
  catalogue.classes[0].id = ClassId(3);
  catalogue.classes[0].name = "T4";
  catalogue.classes[1].id = ClassId(9);
  catalogue.classes[1].name = "H100-SXM";
  catalogue.regions = {{RegionId(1), "us-east"}, {RegionId(65'535), "eu-west"}};
  return catalogue;
}

std::string LibraryTime(int64_t minutes) {
  const std::time_t seconds = minutes * 60;
  std::tm parts{};
  REQUIRE(gmtime_r(&seconds, &parts) != nullptr);
  char text[32];
  REQUIRE(std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M", &parts) == 16);
  return text;
}

void CheckRoundTrip(const Catalogue& catalogue, int64_t minutes) {
  const Timestamp start(minutes * kMicrosPerMinute);
  const std::string symbol = FormatSymbol(catalogue, ClassId(9), RegionId(65'535), start);
  CHECK(symbol == "H100-SXM.eu-west." + LibraryTime(minutes));
  const auto parts = ParseSymbol(catalogue, symbol);
  REQUIRE(parts.has_value());
  CHECK(parts->class_id == ClassId(9));
  CHECK(parts->region_id == RegionId(65'535));
  CHECK(parts->window_start == start);
}

TEST_CASE("A symbol reads class, region and the window's start in UTC") {
  const Catalogue catalogue = Market();
  const Timestamp start(int64_t{1'796'133'600} * kMicrosPerSecond);
  CHECK(FormatSymbol(catalogue, ClassId(9), RegionId(1), start) ==
        "H100-SXM.us-east.2026-12-01T14:00");
}

TEST_CASE(
    "One day of every week from 1970 to 9999 formats as the C library's calendar and parses back") {
  const Catalogue catalogue = Market();
  constexpr int64_t kMinutesPerDay = 24 * 60;
  constexpr int64_t kDays = 2'932'897;  // to 9999-12-31
  for (int64_t day = 0; day < kDays; day += 7) {
    CheckRoundTrip(catalogue, day * kMinutesPerDay + day % kMinutesPerDay);
  }
  CheckRoundTrip(catalogue, kDays * kMinutesPerDay - 1);
}

TEST_CASE("Every minute of the days around leap days and turns of the year round-trips") {
  const Catalogue catalogue = Market();
  for (const char* day : {"2024-02-28", "2025-02-28", "2026-12-31", "2000-02-28", "2100-02-28"}) {
    std::tm parts{};
    REQUIRE(strptime(day, "%Y-%m-%d", &parts) != nullptr);
    const int64_t start = timegm(&parts) / 60;
    for (int64_t minute = 0; minute < 3 * 24 * 60; ++minute) {
      CheckRoundTrip(catalogue, start + minute);
    }
  }
}

TEST_CASE("A symbol with anything else than its one spelling is refused") {
  const Catalogue catalogue = Market();
  const std::vector<std::string> bad = {
      "",
      ".",
      "..",
      "H100-SXM",
      "H100-SXM.us-east",
      "H100-SXM.us-east.",
      "H100-SXM..2026-12-01T14:00",
      ".us-east.2026-12-01T14:00",
      "h100-sxm.us-east.2026-12-01T14:00",
      "H100.us-east.2026-12-01T14:00",
      "H100-SXM.us-west.2026-12-01T14:00",
      "H100-SXM.US-EAST.2026-12-01T14:00",
      " H100-SXM.us-east.2026-12-01T14:00",
      "H100-SXM.us-east.2026-12-01T14:00 ",
      "H100-SXM.us-east.2026-12-01T14:00.",
      "H100-SXM.us-east.2026-12-01T14:00Z",
      "H100-SXM.us-east.2026-12-01T14:00:00",
      "H100-SXM.us-east.2026-12-01 14:00",
      "H100-SXM.us-east.2026-12-01t14:00",
      "H100-SXM.us-east.2026-12-1T14:00",
      "H100-SXM.us-east.2026-12-01T4:00",
      "H100-SXM.us-east.+026-12-01T14:00",
      "H100-SXM.us-east.-026-12-01T14:00",
      "H100-SXM.us-east.2026-12-01T-4:00",
      "H100-SXM.us-east.2026-00-01T14:00",
      "H100-SXM.us-east.2026-13-01T14:00",
      "H100-SXM.us-east.2026-12-00T14:00",
      "H100-SXM.us-east.2026-12-32T14:00",
      "H100-SXM.us-east.2026-11-31T14:00",
      "H100-SXM.us-east.2026-02-29T14:00",
      "H100-SXM.us-east.2100-02-29T14:00",
      "H100-SXM.us-east.2026-12-01T24:00",
      "H100-SXM.us-east.2026-12-01T14:60",
      "H100-SXM.us-east.1969-12-31T23:59",
      "H100-SXM.us-east.0000-01-01T00:00",
      std::string("H100-SXM.us-east.2026-12-01T14:0\0", 33),
  };
  for (const std::string& symbol : bad) {
    CAPTURE(symbol);
    CHECK_FALSE(ParseSymbol(catalogue, symbol).has_value());
  }
}

TEST_CASE("Random changes of one character never give a second spelling") {
  const Catalogue catalogue = Market();
  const std::string good = "H100-SXM.us-east.2026-12-01T14:00";
  for (size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = good;
      changed[at] = static_cast<char>(value);
      const auto parts = ParseSymbol(catalogue, changed);
      if (!parts) continue;
      CHECK(FormatSymbol(catalogue, parts->class_id, parts->region_id, parts->window_start) ==
            changed);
    }
  }
}

}  // namespace
}  // namespace warpbook
