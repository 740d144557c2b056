#include "settlement/service/report_time.h"

#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace warpbook::settlement {
namespace {

constexpr int64_t kSecondsPerDay = 24 * 60 * 60;

// Digits where the pattern has a 0, and else what it has.
bool HasShape(std::string_view text, std::string_view pattern) {
  if (text.size() != pattern.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool fits = pattern[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == pattern[i];
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::optional<int64_t> ParseDay(std::string_view text) {
  absl::CivilDay day;
  if (!HasShape(text, "0000-00-00") ||
      !absl::ParseCivilTime(absl::string_view(text.data(), text.size()), &day)) {
    return std::nullopt;
  }
  const int64_t days = day - absl::CivilDay(1970, 1, 1);
  return days < 0 ? std::nullopt : std::optional(days);
}

std::optional<int64_t> ParseSecond(std::string_view text, bool day_means_end) {
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (const auto day = ParseDay(text)) return (*day + (day_means_end ? 1 : 0)) * kSecondsPerDay;
  const bool has_seconds = HasShape(text, "0000-00-00T00:00:00");
  if (!has_seconds && !HasShape(text, "0000-00-00T00:00")) return std::nullopt;
  absl::CivilSecond second;
  const std::string whole = std::string(text) + (has_seconds ? "" : ":00");
  // What is read as another time, as a leap second is, is none.
  if (!absl::ParseCivilTime(whole, &second) || absl::FormatCivilTime(second) != whole) {
    return std::nullopt;
  }
  const int64_t seconds = second - absl::CivilSecond(1970, 1, 1);
  return seconds < 0 ? std::nullopt : std::optional(seconds);
}

}  // namespace warpbook::settlement
