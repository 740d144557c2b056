#include "settlement/service/report_time.h"

#include <doctest/doctest.h>

#include <string>

namespace warpbook::settlement {

TEST_CASE("Days and times are read as people write them, and nothing else is") {
  CHECK(ParseDay("1970-01-01") == 0);
  CHECK(ParseDay("2026-12-01") == 20'788);
  CHECK(ParseDay("2028-02-29") == 21'243);
  constexpr int64_t kDay = 86'400;
  CHECK(ParseSecond("2026-12-01", false) == 20'788 * kDay);
  CHECK(ParseSecond("2026-12-01", true) == 20'789 * kDay);
  CHECK(ParseSecond("2026-12-01Z", false) == 20'788 * kDay);
  for (const bool day_means_end : {false, true}) {
    CHECK(ParseSecond("2026-12-01T14:05", day_means_end) == 20'788 * kDay + 14 * 3'600 + 300);
    CHECK(ParseSecond("2026-12-01T14:05Z", day_means_end) == 20'788 * kDay + 14 * 3'600 + 300);
    CHECK(ParseSecond("2026-12-01T14:05:59Z", day_means_end) == 20'788 * kDay + 14 * 3'600 + 359);
  }
  for (const std::string text :
       {"", "2026", "2026-12", "2026-12-1", "26-12-01", "2026-13-01", "2026-02-29", "2026-00-10",
        "1969-12-31", " 2026-12-01", "2026-12-01 ", "2026/12/01", "+026-12-01", "2026-12-0\xff"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDay(text));
    CHECK_FALSE(ParseSecond(text, false));
  }
  for (const std::string text :
       {"2026-12-01T", "2026-12-01T14", "2026-12-01T14:5", "2026-12-01T24:00", "2026-12-01T14:60",
        "2026-12-01T14:05:60", "2026-12-01 14:05", "2026-12-01T14:05:00.5", "2026-12-01T14:05ZZ",
        "2026-12-01T14:05+01", "1969-12-31T23:59"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseSecond(text, true));
  }
}

}  // namespace warpbook::settlement
