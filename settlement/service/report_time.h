// Days and times as people write them in a question: "2026-12-01", "2026-12-01T14:00",
// "2026-12-01T14:00:05", each perhaps with a Z. All are UTC. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace warpbook::settlement {

// Days since 1970 of "2026-12-01"; nullopt where it is no day from 1970 to 9999.
std::optional<int64_t> ParseDay(std::string_view text);

// Seconds since 1970. A day alone is its beginning or, where `day_means_end`, its end: the next
// day's beginning.
std::optional<int64_t> ParseSecond(std::string_view text, bool day_means_end);

}  // namespace warpbook::settlement
