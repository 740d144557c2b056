#include "gateway/admission/shared_admission.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace warpbook::gateway {

TEST_CASE("Threads that admit at once admit no more than the limits say, each connection its own") {
  GatewayLimits limits;
  limits.client_connections = {.total_max = 100, .per_address_max = 100, .refused_max = 1'000};
  limits.account_opens = {.per_address_per_minute = 1,
                          .per_address_burst = 50,
                          .per_minute = 1,
                          .burst = 1'000,
                          .addresses_max = 10};
  SharedAdmission admission(limits);
  constexpr int kThreads = 4, kEach = 60;
  std::vector<std::vector<uint64_t>> ids(kThreads);
  std::atomic<int> served = 0, opened = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const SharedAdmission::Arrival arrival = admission.AddConnection("here", false);
        ids[t].push_back(arrival.connection_id);
        if (arrival.verdict == ConnectionCounter::Verdict::kServe) ++served;
        if (admission.TakeAccountOpen("here", 1'000) == 0) ++opened;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(served == 100);
  CHECK(opened == 50);
  std::vector<uint64_t> all;
  for (const auto& some : ids) all.insert(all.end(), some.begin(), some.end());
  std::ranges::sort(all);
  CHECK(std::ranges::adjacent_find(all) == all.end());
  for (int i = 0; i < kThreads * kEach; ++i) admission.RemoveConnection("here", false);
  CHECK(admission.AddConnection("here", false).verdict == ConnectionCounter::Verdict::kServe);
  CHECK(admission.AddConnection("here", true).verdict == ConnectionCounter::Verdict::kServe);
}

}  // namespace warpbook::gateway
