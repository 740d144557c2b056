// Metrics: what a process exports for Prometheus, kept by prometheus-cpp. Values go in as whole
// numbers of the unit that the table records in (metric_table.h); Prometheus's floating point
// begins behind this interface, and nothing is ever computed from it.
//
// A handle is resolved once, at a start: that takes a lock and a look-up. Using it then is an
// atomic addition (counters, gauges) or a lock (histograms), so what happens a million times a
// second is counted by its own thread first and handed over in bulk. Any thread may use a handle,
// and ask for the text. Handles live as long as their Metrics.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "schema/metrics/histogram_tally.h"
#include "schema/metrics/metric_table.h"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace warpbook {

class Counter {
 public:
  void Add(uint64_t recorded);

 private:
  friend class Metrics;
  prometheus::Counter* counter_ = nullptr;
  int64_t recorded_per_unit_ = 1;
};

class Gauge {
 public:
  void Set(int64_t recorded);
  void Add(int64_t recorded);

 private:
  friend class Metrics;
  prometheus::Gauge* gauge_ = nullptr;
  int64_t recorded_per_unit_ = 1;
};

class Histogram {
 public:
  void Observe(int64_t recorded);
  // Takes over what was tallied, and clears it.
  void Take(HistogramTally& tally);

 private:
  friend class Metrics;
  prometheus::Histogram* histogram_ = nullptr;
  const MetricInfo* info_ = nullptr;
};

// What a source gives when the text is asked for.
class MetricSamples {
 public:
  using Labels = std::vector<std::string>;
  // Counters and gauges, as recorded; a counter with all that it ever came to.
  void Add(Metric metric, Labels labels, int64_t recorded);

 private:
  friend class Metrics;
  struct Sample {
    Labels labels;
    int64_t recorded;
  };
  std::map<Metric, std::vector<Sample>> samples_;
};

class Metrics {
 public:
  // Text values of the metric's labels, in the order of its table (CHECKed).
  using Labels = MetricSamples::Labels;
  using Source = std::function<void(MetricSamples&)>;

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The same metric with the same labels is the same one.
  Counter counter(Metric metric, const Labels& labels = {});
  Gauge gauge(Metric metric, const Labels& labels = {});
  Histogram histogram(Metric metric, const Labels& labels = {});

  // Asked each time that the text is, on the thread that asks, one at a time. Its metrics have no
  // handles and no other source.
  void AddSource(Source source);

  // All of it, in Prometheus's text format (version 0.0.4).
  std::string Text() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// The Content-Type that the text is served with.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace warpbook
