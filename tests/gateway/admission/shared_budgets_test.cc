#include "gateway/admission/shared_budgets.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace warpbook::gateway {

TEST_CASE("Who has the same key takes from the same bucket") {
  BucketRegistry<std::string> registry(/*per_second=*/1, /*burst=*/2, /*remembered_max=*/10);
  const auto a = registry.Get("a", 0);
  CHECK(registry.Get("a", 0) == a);
  CHECK(registry.Get("b", 0) != a);
  CHECK(a->Take(0) == 0);
  CHECK(registry.Get("a", 0)->Take(0) == 0);
  CHECK(a->Take(0) == kMicrosPerSecond);
}

TEST_CASE("Buckets are remembered while they are used or not full, up to a limit") {
  BucketRegistry<std::string> registry(/*per_second=*/1, /*burst=*/1, /*remembered_max=*/3);
  const auto held = registry.Get("held", 0);
  registry.Get("spent", 0)->Take(0);
  registry.Get("full", 0);
  registry.Get("one more", 0);  // in the place of the full one
  CHECK(registry.remembered() == 3);
  CHECK(registry.Get("spent", 0)->Take(0) != 0);
  CHECK(registry.Get("held", 0) == held);
  // All are in use: they are kept, whatever the limit.
  const auto a = registry.Get("a", 0), b = registry.Get("b", 0), c = registry.Get("c", 0);
  CHECK(registry.Get("held", 0) == held);
  CHECK(registry.Get("a", 0) == a);
}

TEST_CASE("Several threads take from one bucket no more than it has") {
  TokenBucket bucket(/*per_second=*/1, /*burst=*/10'000);
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5'000; ++k) taken += bucket.Take(0) == 0 ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken == 10'000);
  CHECK(bucket.LevelAt(0).used == 10'000);
}

TEST_CASE("A bucket says how much of it is used and when it is full again") {
  TokenBucket bucket(/*per_second=*/10, /*burst=*/5);
  CHECK(bucket.LevelAt(7).used == 0);
  CHECK(bucket.LevelAt(7).limit == 5);
  CHECK(bucket.LevelAt(7).reset_us == 0);
  bucket.Take(1'000'000, 3);
  CHECK(bucket.LevelAt(1'000'000).used == 3);
  CHECK(bucket.LevelAt(1'000'000).reset_us == 300'000);
  CHECK(bucket.LevelAt(1'150'000).used == 2);
  CHECK(bucket.LevelAt(1'150'000).reset_us == 150'000);
  CHECK(bucket.IsFull(1'300'000));
}

}  // namespace warpbook::gateway
