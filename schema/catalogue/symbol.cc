// Symbols: "H100-SXM.us-east.2026-12-01T14:00". One instrument has one spelling.
#include <chrono>
#include <cstdio>

#include "schema/base/check.h"
#include "schema/catalogue/catalogue.h"

namespace warpbook {
namespace {

constexpr std::string_view kTimePattern = "dddd-dd-ddTdd:dd";  // d: a digit
constexpr int kFirstYear = 1970;
constexpr int kLastYear = 9999;

// Digits [from, from + count) of a text that matches the pattern.
unsigned Number(std::string_view text, size_t from, size_t count) {
  unsigned value = 0;
  for (const char c : text.substr(from, count)) value = value * 10 + static_cast<unsigned>(c - '0');
  return value;
}

bool MatchesTimePattern(std::string_view text) {
  if (text.size() != kTimePattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (kTimePattern[i] == 'd' ? !is_digit : text[i] != kTimePattern[i]) return false;
  }
  return true;
}

std::optional<Timestamp> ParseTime(std::string_view text) {
  if (!MatchesTimePattern(text)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(Number(text, 0, 4))),
                                         std::chrono::month(Number(text, 5, 2)),
                                         std::chrono::day(Number(text, 8, 2))};
  const unsigned hour = Number(text, 11, 2);
  const unsigned minute = Number(text, 14, 2);
  if (!date.ok() || int{date.year()} < kFirstYear || hour > 23 || minute > 59) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return Timestamp(((days * 24 + hour) * 60 + minute) * kMicrosPerMinute);
}

}  // namespace

std::string FormatSymbol(const Catalogue& catalogue, ClassId class_id, RegionId region_id,
                         Timestamp window_start) {
  const HardwareClass* hardware_class = catalogue.FindClass(class_id);
  const Region* region = catalogue.FindRegion(region_id);
  WARPBOOK_CHECK(hardware_class != nullptr && region != nullptr);
  // Windows begin on whole minutes; the rest is the calendar's arithmetic, exact in integers.
  WARPBOOK_CHECK(window_start.micros() >= 0 && window_start.micros() % kMicrosPerMinute == 0);
  const int64_t minutes = window_start.micros() / kMicrosPerMinute;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(minutes / (24 * 60)))};
  WARPBOOK_CHECK(int{date.year()} <= kLastYear);
  char time[kTimePattern.size() + 1];
  std::snprintf(time, sizeof time, "%04u-%02u-%02uT%02u:%02u",
                static_cast<unsigned>(int{date.year()}) % 10'000, unsigned{date.month()} % 100,
                unsigned{date.day()} % 100, static_cast<unsigned>(minutes / 60 % 24),
                static_cast<unsigned>(minutes % 60));
  return hardware_class->name + "." + region->name + "." + time;
}

std::optional<SymbolParts> ParseSymbol(const Catalogue& catalogue, std::string_view symbol) {
  // Names have no '.': the first two separate the three parts.
  const size_t first = symbol.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = symbol.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const HardwareClass* hardware_class = catalogue.FindClass(symbol.substr(0, first));
  const Region* region = catalogue.FindRegion(symbol.substr(first + 1, second - first - 1));
  const auto window_start = ParseTime(symbol.substr(second + 1));
  if (hardware_class == nullptr || region == nullptr || !window_start) return std::nullopt;
  return SymbolParts{hardware_class->id, region->id, *window_start};
}

}  // namespace warpbook
