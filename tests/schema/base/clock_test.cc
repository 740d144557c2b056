#include "schema/base/clock.h"

#include <doctest/doctest.h>

#include <chrono>
#include <ctime>
#include <thread>

namespace warpbook {
namespace {

TEST_CASE("The system clock gives microseconds since 1970") {
  const std::time_t before = std::time(nullptr);
  const int64_t now = SystemClock().NowMicros();
  CHECK(now / 1'000'000 >= before - 1);
  CHECK(now / 1'000'000 <= std::time(nullptr) + 1);
}

TEST_CASE("A scaled clock runs from its start, as many times as fast as it was told") {
  constexpr int64_t kStart = 1'700'000'000'000'000;
  const auto before = std::chrono::steady_clock::now();
  const ScaledClock clock(kStart, 60);
  const int64_t first = clock.NowMicros();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  const int64_t second = clock.NowMicros();
  const int64_t elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
                              std::chrono::steady_clock::now() - before)
                              .count();
  CHECK(first >= kStart);
  CHECK(second - first >= 60 * 30'000);
  // Both are cut to whole microseconds.
  CHECK(second - kStart <= 60 * (elapsed + 1));
}

TEST_CASE("A manual clock stands still until it is set") {
  ManualClock clock(5);
  CHECK(clock.NowMicros() == 5);
  CHECK(clock.NowMicros() == 5);
  clock.Advance(7);
  CHECK(clock.NowMicros() == 12);
  clock.Set(3);
  CHECK(clock.NowMicros() == 3);
}

}  // namespace
}  // namespace warpbook
