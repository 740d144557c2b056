// HistogramTally: durations of one thread, counted by bucket without a lock, until they are handed
// to a histogram in bulk (Histogram::Take). One thread owns it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "schema/metrics/metric_table.h"

namespace warpbook {

class HistogramTally {
 public:
  explicit HistogramTally(Metric histogram) : bounds_(InfoOf(histogram).bounds) {}

  // As recorded (MetricInfo::recorded_per_unit).
  void Observe(int64_t value) {
    size_t bucket = 0;
    while (bucket < bounds_.size() && value > bounds_[bucket]) ++bucket;
    ++counts_[bucket];
    ++total_;
    sum_ += value;
  }
  bool empty() const { return total_ == 0; }
  uint64_t total() const { return total_; }
  int64_t sum() const { return sum_; }
  // One more than there are bounds: the last one has no bound.
  std::span<const uint64_t> counts() const { return std::span(counts_).first(bounds_.size() + 1); }
  void Clear() {
    counts_ = {};
    total_ = 0;
    sum_ = 0;
  }

 private:
  std::span<const int64_t> bounds_;
  std::array<uint64_t, kHistogramBoundsMax + 1> counts_ = {};
  uint64_t total_ = 0;
  int64_t sum_ = 0;
};

}  // namespace warpbook
