#include "settlement/service/settlement_metrics.h"

#include <utility>

#include "schema/base/file.h"
#include "schema/journal/watermark.h"

namespace warpbook::settlement {
namespace {

int64_t MonotonicMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

int64_t SettlementMetrics::Position::LagMicros() const {
  return MonotonicMicros() - at_end_micros.load();
}

SettlementMetrics::SettlementMetrics(Metrics& metrics, const std::string& journal_directory)
    : commit_duration_(metrics.histogram(Metric::kSettlementCommitDuration)),
      transfers_(metrics.counter(Metric::kSettlementTransfers)),
      decisions_(metrics.counter(Metric::kSettlementDecisions)),
      database_failures_(metrics.counter(Metric::kSettlementFailures, {"database"})),
      lock_failures_(metrics.counter(Metric::kSettlementFailures, {"lock"})),
      fatal_failures_(metrics.counter(Metric::kSettlementFailures, {"fatal"})),
      outbox_(metrics.gauge(Metric::kSettlementOutboxDecisions)),
      engine_connected_(metrics.gauge(Metric::kSettlementEngineConnected)),
      database_connected_(metrics.gauge(Metric::kSettlementDatabaseConnected)) {
  position_->at_end_micros = MonotonicMicros();
  AddLagSource(metrics, journal_directory, position_);
}

void SettlementMetrics::AddLagSource(Metrics& metrics, const std::string& journal_directory,
                                     const std::shared_ptr<const Position>& position) {
  const auto watermark = std::make_shared<std::unique_ptr<journal::Watermark>>();
  metrics.AddSource([watermark, position, journal_directory](MetricSamples& samples) {
    const uint64_t posted = position->posted.load();
    samples.Add(Metric::kSettlementSequence, {}, static_cast<int64_t>(posted));
    if (*watermark == nullptr) {
      auto opened = journal::Watermark::Open(PosixFileSystem(), journal_directory);
      if (!opened.ok()) return;  // there is no journal yet, and so no lag
      *watermark = *std::move(opened);
    }
    // Posted first, then the end: it may have moved on meanwhile, never back.
    const uint64_t durable = (*watermark)->Load();
    const uint64_t lag = durable > posted ? durable - posted : 0;
    samples.Add(Metric::kSettlementLagSequences, {}, static_cast<int64_t>(lag));
    samples.Add(Metric::kSettlementLagSeconds, {}, lag == 0 ? 0 : position->LagMicros());
  });
}

void SettlementMetrics::OnStarted(const Worker& worker) {
  counted_ = {};
  position_->posted = worker.books().cursor().sequence.value();
  position_->has_database = true;
  database_connected_.Set(1);
}

void SettlementMetrics::OnStep(const Worker& worker, bool engine_connected) {
  position_->posted = worker.committed().value();
  if (worker.at_end()) position_->at_end_micros = MonotonicMicros();
  const Worker::Figures& figures = worker.figures();
  transfers_.Add(figures.transfers - std::exchange(counted_.transfers, figures.transfers));
  decisions_.Add(figures.decisions - std::exchange(counted_.decisions, figures.decisions));
  outbox_.Set(static_cast<int64_t>(worker.outbox().size()));
  engine_connected_.Set(engine_connected ? 1 : 0);
}

void SettlementMetrics::OnFailure(const absl::Status& status) {
  position_->has_database = false;
  database_connected_.Set(0);
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
    database_failures_.Add(1);
  } else if (absl::IsAlreadyExists(status)) {
    lock_failures_.Add(1);
  } else {
    fatal_failures_.Add(1);
  }
}

bool SettlementMetrics::is_ready() const {
  const auto lag_max = std::chrono::duration_cast<std::chrono::microseconds>(kReadyLagMax);
  return position_->has_database && position_->LagMicros() < lag_max.count();
}

}  // namespace warpbook::settlement
