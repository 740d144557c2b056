// MetricsDesk: makes the metrics' text on a thread of its own, so that no I/O thread ever does:
// with thousands of series that takes milliseconds. Bounded: while so many answers are under way,
// no further one is promised. Any thread may ask.
#pragma once

#include <atomic>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <functional>
#include <string>

#include "schema/metrics/metrics.h"

namespace warpbook::gateway {

inline constexpr size_t kMetricsAnswersMax = 8;

class MetricsDesk {
 public:
  explicit MetricsDesk(const Metrics& metrics) : metrics_(metrics) {}
  // Answers what was asked.
  ~MetricsDesk() { thread_.join(); }

  // Calls `answer` once, on the desk's thread; false: it never will.
  bool Ask(std::function<void(std::string text)> answer);

 private:
  const Metrics& metrics_;
  std::atomic<size_t> under_way_ = 0;
  boost::asio::thread_pool thread_{1};
};

}  // namespace warpbook::gateway
