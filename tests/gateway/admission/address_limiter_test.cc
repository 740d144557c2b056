#include "gateway/admission/address_limiter.h"

#include <doctest/doctest.h>

#include <string>

namespace warpbook::gateway {

TEST_CASE("Each address has its own rate") {
  AddressLimiter limiter(/*per_second=*/2, /*burst=*/3, /*addresses_max=*/100);
  for (int i = 0; i < 3; ++i) CHECK(limiter.Take("a", 1'000) == 0);
  CHECK(limiter.Take("a", 1'000) == 500'000);
  CHECK(limiter.Take("b", 1'000) == 0);
  CHECK(limiter.Take("a", 501'000) == 0);
  CHECK(limiter.Take("a", 501'000) > 0);
}

TEST_CASE("No more addresses are remembered than the limit, and full ones are forgotten first") {
  AddressLimiter limiter(/*per_second=*/1, /*burst=*/2, /*addresses_max=*/10);
  for (int i = 0; i < 10; ++i) CHECK(limiter.Take(std::to_string(i), 0) == 0);
  CHECK(limiter.Take("busy", 60'000'000) == 0);
  CHECK(limiter.remembered() == 1);
  CHECK(limiter.Take("busy", 60'000'000) == 0);
  for (int i = 0; i < 1'000; ++i) {
    limiter.Take(std::to_string(i), 60'000'000);
    CHECK(limiter.remembered() <= 10);
  }
}

}  // namespace warpbook::gateway
