#include "schema/metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <utility>

#include "absl/strings/str_split.h"
#include "schema/base/check.h"

namespace warpbook {
namespace {

double InUnits(int64_t recorded, int64_t recorded_per_unit) {
  return static_cast<double>(recorded) / static_cast<double>(recorded_per_unit);
}

std::vector<std::string> LabelNames(const MetricInfo& info) {
  if (info.labels.empty()) return {};
  return absl::StrSplit(absl::string_view(info.labels.data(), info.labels.size()), ',');
}

prometheus::Labels LabelsOf(const MetricInfo& info, const MetricSamples::Labels& values) {
  const std::vector<std::string> names = LabelNames(info);
  WARPBOOK_CHECK(names.size() == values.size());
  prometheus::Labels labels;
  for (size_t i = 0; i < names.size(); ++i) labels.emplace(names[i], values[i]);
  return labels;
}

prometheus::Histogram::BucketBoundaries BoundsOf(const MetricInfo& info) {
  prometheus::Histogram::BucketBoundaries bounds;
  for (const int64_t bound : info.bounds) bounds.push_back(InUnits(bound, info.recorded_per_unit));
  return bounds;
}

prometheus::ClientMetric Sample(const MetricInfo& info, const MetricSamples::Labels& labels,
                                int64_t recorded) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : LabelsOf(info, labels)) metric.label.push_back({name, value});
  const double in_units = InUnits(recorded, info.recorded_per_unit);
  if (info.type == MetricType::kCounter) {
    metric.counter.value = in_units;
  } else {
    metric.gauge.value = in_units;
  }
  return metric;
}

}  // namespace

void Counter::Add(uint64_t recorded) {
  if (recorded == 0) return;
  counter_->Increment(InUnits(static_cast<int64_t>(recorded), recorded_per_unit_));
}

void Gauge::Set(int64_t recorded) { gauge_->Set(InUnits(recorded, recorded_per_unit_)); }
void Gauge::Add(int64_t recorded) { gauge_->Increment(InUnits(recorded, recorded_per_unit_)); }

void Histogram::Observe(int64_t recorded) {
  histogram_->Observe(InUnits(recorded, info_->recorded_per_unit));
}

void Histogram::Take(HistogramTally& tally) {
  if (tally.empty()) return;
  std::vector<double> counts(tally.counts().begin(), tally.counts().end());
  histogram_->ObserveMultiple(counts, InUnits(tally.sum(), info_->recorded_per_unit));
  tally.Clear();
}

void MetricSamples::Add(Metric metric, Labels labels, int64_t recorded) {
  samples_[metric].push_back({std::move(labels), recorded});
}

class Metrics::Impl {
 public:
  // The family of a metric, which is made where it is not there yet.
  template <typename T>
  prometheus::Family<T>& FamilyOf(std::array<prometheus::Family<T>*, kMetricCount>& families,
                                  prometheus::detail::Builder<T> builder, const MetricInfo& info) {
    prometheus::Family<T>*& family = families[static_cast<size_t>(info.metric)];
    if (family == nullptr) {
      family =
          &builder.Name(std::string(info.name)).Help(std::string(info.help)).Register(registry_);
    }
    return *family;
  }

  std::mutex mutex_;  // guards all but registry_, which has locks of its own
  prometheus::Registry registry_;
  std::array<prometheus::Family<prometheus::Counter>*, kMetricCount> counters_ = {};
  std::array<prometheus::Family<prometheus::Gauge>*, kMetricCount> gauges_ = {};
  std::array<prometheus::Family<prometheus::Histogram>*, kMetricCount> histograms_ = {};
  std::vector<Source> sources_;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(Metric metric, const Labels& labels) {
  const MetricInfo& info = InfoOf(metric);
  WARPBOOK_CHECK(info.type == MetricType::kCounter);
  const std::lock_guard lock(impl_->mutex_);
  Counter handle;
  handle.counter_ = &impl_->FamilyOf(impl_->counters_, prometheus::BuildCounter(), info)
                         .Add(LabelsOf(info, labels));
  handle.recorded_per_unit_ = info.recorded_per_unit;
  return handle;
}

Gauge Metrics::gauge(Metric metric, const Labels& labels) {
  const MetricInfo& info = InfoOf(metric);
  WARPBOOK_CHECK(info.type == MetricType::kGauge);
  const std::lock_guard lock(impl_->mutex_);
  Gauge handle;
  handle.gauge_ =
      &impl_->FamilyOf(impl_->gauges_, prometheus::BuildGauge(), info).Add(LabelsOf(info, labels));
  handle.recorded_per_unit_ = info.recorded_per_unit;
  return handle;
}

Histogram Metrics::histogram(Metric metric, const Labels& labels) {
  const MetricInfo& info = InfoOf(metric);
  WARPBOOK_CHECK(info.type == MetricType::kHistogram);
  const std::lock_guard lock(impl_->mutex_);
  Histogram handle;
  handle.histogram_ = &impl_->FamilyOf(impl_->histograms_, prometheus::BuildHistogram(), info)
                           .Add(LabelsOf(info, labels), BoundsOf(info));
  handle.info_ = &info;
  return handle;
}

void Metrics::AddSource(Source source) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->sources_.push_back(std::move(source));
}

std::string Metrics::Text() const {
  std::vector<prometheus::MetricFamily> families = impl_->registry_.Collect();
  MetricSamples samples;
  {
    const std::lock_guard lock(impl_->mutex_);
    for (const Source& source : impl_->sources_) source(samples);
  }
  for (const auto& [metric, rows] : samples.samples_) {
    const MetricInfo& info = InfoOf(metric);
    prometheus::MetricFamily& family = families.emplace_back();
    family.name = info.name;
    family.help = info.help;
    family.type = info.type == MetricType::kCounter ? prometheus::MetricType::Counter
                                                    : prometheus::MetricType::Gauge;
    for (const auto& row : rows) family.metric.push_back(Sample(info, row.labels, row.recorded));
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace warpbook
