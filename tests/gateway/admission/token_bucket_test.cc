#include "gateway/admission/token_bucket.h"

#include <doctest/doctest.h>

#include <limits>

namespace warpbook::gateway {

TEST_CASE("A bucket gives its burst at once and then as many as its rate refills") {
  TokenBucket bucket(/*per_second=*/10, /*burst=*/3);
  const int64_t start = 1'000'000'000;
  for (int i = 0; i < 3; ++i) CHECK(bucket.Take(start) == 0);
  CHECK(bucket.Take(start) == 100'000);
  CHECK(bucket.Take(start + 99'999) == 1);
  CHECK(bucket.Take(start + 100'000) == 0);
  CHECK(bucket.Take(start + 100'000) == 100'000);
}

TEST_CASE("After the wait that a bucket names there is a token") {
  TokenBucket bucket(/*per_second=*/7, /*burst=*/1);
  int64_t now = 5;
  CHECK(bucket.Take(now) == 0);
  for (int i = 0; i < 100; ++i) {
    const int64_t wait = bucket.Take(now);
    REQUIRE(wait > 0);
    now += wait;
    REQUIRE(bucket.Take(now) == 0);
  }
}

TEST_CASE("What costs more takes more tokens, and waits for as many") {
  TokenBucket bucket(/*per_second=*/10, /*burst=*/12);
  const int64_t start = 1'000'000'000;
  CHECK(bucket.Take(start, 10) == 0);
  CHECK(bucket.Take(start, 10) == 800'000);
  CHECK(bucket.Take(start, 2) == 0);  // a cheap one still goes
  CHECK(bucket.Take(start + 1'000'000, 10) == 0);
  // More than a bucket holds is the whole bucket, so that it is not refused for ever.
  CHECK(bucket.Take(start + 9'000'000, 100) == 0);
  CHECK(bucket.Take(start + 9'000'000) == 100'000);
}

TEST_CASE("A long rest fills a bucket to its burst and no further, and time may stand still") {
  TokenBucket bucket(/*per_second=*/1'000'000, /*burst=*/2);
  CHECK(bucket.Take(std::numeric_limits<int64_t>::max()) == 0);
  CHECK(bucket.Take(std::numeric_limits<int64_t>::max()) == 0);
  CHECK(bucket.Take(std::numeric_limits<int64_t>::max()) == 1);
  CHECK(bucket.Take(0) == 1);  // a clock that falls refills nothing
}

}  // namespace warpbook::gateway
