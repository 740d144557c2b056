#include "schema/types/timestamp.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/dies.h"

namespace warpbook {
namespace {

TEST_CASE("A time advances by micros, seconds and minutes, in either direction") {
  const Timestamp start(1'000);
  CHECK(start.PlusMicros(1).micros() == 1'001);
  CHECK(start.PlusSeconds(-1).micros() == -999'000);
  CHECK(start.PlusMinutes(2).micros() == 120'001'000);
}

TEST_CASE("A time that would overflow is a bug") {
  const Timestamp last(std::numeric_limits<int64_t>::max());
  CHECK(last.PlusMicros(0) == last);
  CHECK(test::Dies([&] { last.PlusMicros(1); }).has_value());
}

TEST_CASE("The next whole minute is the minute itself or the one after") {
  CHECK(Timestamp(0).CeilToMinute() == Timestamp(0));
  CHECK(Timestamp(1).CeilToMinute() == Timestamp(60'000'000));
  CHECK(Timestamp(59'999'999).CeilToMinute() == Timestamp(60'000'000));
  CHECK(Timestamp(60'000'000).CeilToMinute() == Timestamp(60'000'000));
  CHECK(Timestamp(60'000'001).CeilToMinute() == Timestamp(120'000'000));
}

TEST_CASE("Minutes between two times round down, below zero too") {
  const auto between = [](int64_t micros) {
    return Timestamp::MinutesBetween(Timestamp(7), Timestamp(7 + micros));
  };
  CHECK(between(0) == 0);
  CHECK(between(59'999'999) == 0);
  CHECK(between(60'000'000) == 1);
  CHECK(between(119'999'999) == 1);
  CHECK(between(-1) == -1);
  CHECK(between(-60'000'000) == -1);
  CHECK(between(-60'000'001) == -2);
}

}  // namespace
}  // namespace warpbook
