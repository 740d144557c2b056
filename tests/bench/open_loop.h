// One request at a time, at stated times, and replies that a file descriptor announces: how long
// each takes from its submission until its reply has been taken.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <vector>

#include "tests/bench/statistics.h"

namespace warpbook::bench {

// Waits until the eventfd is readable, and empties it, or until the time has come.
inline void WaitForFd(int fd, std::chrono::steady_clock::time_point deadline) {
  const auto left = std::max(deadline - std::chrono::steady_clock::now(),
                             std::chrono::steady_clock::duration::zero());
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000,
                         .tv_nsec = left.count() % 1'000'000'000};
  pollfd ready{fd, POLLIN, 0};
  if (ppoll(&ready, 1, &timeout, nullptr) <= 0) return;
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd, &count, sizeof count);
}

// `submit(i)` submits the i-th request; `take()` says how many replies have come, in order.
template <typename Submit, typename Take>
Percentiles TimeOpenLoopReplies(size_t count, int64_t requests_per_s, int ready_fd, Submit submit,
                                Take take) {
  using SteadyClock = std::chrono::steady_clock;
  std::vector<SteadyClock::time_point> submitted;
  std::vector<int64_t> latencies;
  submitted.reserve(count);
  latencies.reserve(count);
  const SteadyClock::time_point start = SteadyClock::now();
  while (latencies.size() < count) {
    const bool all_submitted = submitted.size() == count;
    const SteadyClock::time_point due =
        all_submitted ? SteadyClock::now() + std::chrono::seconds(1)
                      : start + std::chrono::nanoseconds(static_cast<int64_t>(submitted.size()) *
                                                         1'000'000'000 / requests_per_s);
    if (!all_submitted && SteadyClock::now() >= due) {
      submitted.push_back(SteadyClock::now());
      submit(submitted.size() - 1);
      continue;
    }
    WaitForFd(ready_fd, due);
    const size_t replies = take();
    const SteadyClock::time_point now = SteadyClock::now();
    for (size_t i = 0; i < replies; ++i) {
      latencies.push_back((now - submitted[latencies.size()]).count());
    }
  }
  return PercentilesOf(std::move(latencies));
}

}  // namespace warpbook::bench
