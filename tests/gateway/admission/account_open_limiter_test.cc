#include "gateway/admission/account_open_limiter.h"

#include <doctest/doctest.h>

#include <string>

namespace warpbook::gateway {
namespace {

constexpr int64_t kStart = 1'000'000'000;
constexpr int64_t kMinute = 60'000'000;

}  // namespace

TEST_CASE("An address opens its burst of accounts at once, then so many a minute") {
  const AccountOpenLimits limits{.per_address_per_minute = 10,
                                 .per_address_burst = 3,
                                 .per_minute = 1'000,
                                 .burst = 1'000,
                                 .addresses_max = 10};
  AccountOpenLimiter limiter(limits);
  for (int i = 0; i < 3; ++i) CHECK(limiter.Take("a", kStart) == 0);
  CHECK(limiter.Take("a", kStart) == kMinute / 10);
  CHECK(limiter.Take("b", kStart) == 0);
  CHECK(limiter.Take("a", kStart + kMinute / 10 - 1) == 1);
  CHECK(limiter.Take("a", kStart + kMinute / 10) == 0);
  CHECK(limiter.Take("a", kStart + kMinute / 10) == kMinute / 10);
}

TEST_CASE("All addresses together open no more than the gateway's own limit") {
  const AccountOpenLimits limits{.per_address_per_minute = 10,
                                 .per_address_burst = 3,
                                 .per_minute = 60,
                                 .burst = 5,
                                 .addresses_max = 10};
  AccountOpenLimiter limiter(limits);
  // One that asks too much takes nothing from the others.
  for (int i = 0; i < 100; ++i) CHECK((limiter.Take("greedy", kStart) == 0) == (i < 3));
  CHECK(limiter.Take("a", kStart) == 0);
  CHECK(limiter.Take("b", kStart) == 0);
  CHECK(limiter.Take("c", kStart) == kMinute / 60);
  CHECK(limiter.Take("c", kStart + kMinute / 60) == 0);
}

TEST_CASE("No more addresses are remembered than the limit says, those that wait before others") {
  const AccountOpenLimits limits{.per_address_per_minute = 10,
                                 .per_address_burst = 2,
                                 .per_minute = 10'000,
                                 .burst = 10'000,
                                 .addresses_max = 10};
  AccountOpenLimiter limiter(limits);
  for (int i = 0; i < 9; ++i) CHECK(limiter.Take(std::to_string(i), kStart) == 0);
  const int64_t later = kStart + kMinute / 10;  // those are full again
  CHECK(limiter.Take("busy", later) == 0);
  CHECK(limiter.Take("busy", later) == 0);
  CHECK(limiter.Take("new", later) == 0);
  CHECK(limiter.remembered() == 2);
  CHECK(limiter.Take("busy", later) > 0);
  for (int i = 0; i < 100; ++i) CHECK(limiter.Take(std::to_string(i), later) == 0);
  CHECK(limiter.remembered() == 10);
}

}  // namespace warpbook::gateway
