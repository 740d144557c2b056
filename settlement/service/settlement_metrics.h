// SettlementMetrics: what the worker exports of itself: how far it is, how far behind the journal,
// how long its transactions take, why it had to begin anew. What the ledger says is exported by
// LedgerMonitor, from the database.
//
// The worker's thread owns it; OnCommit is the commit's, is_ready anybody's.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "schema/metrics/metrics.h"
#include "settlement/service/worker.h"

namespace warpbook::settlement {

// Behind the journal for longer, settlement is not ready (/readyz).
inline constexpr std::chrono::seconds kReadyLagMax{30};

class SettlementMetrics {
 public:
  SettlementMetrics(Metrics& metrics, const std::string& journal_directory);

  // A worker goes on from what the database holds.
  void OnStarted(const Worker& worker);
  // After a step, a few times a second.
  void OnStep(const Worker& worker, bool engine_connected);
  // It has failed, and another one will begin; or, what does not pass by itself, none.
  void OnFailure(const absl::Status& status);
  void OnCommit(std::chrono::nanoseconds took) { commit_duration_.Observe(took.count()); }

  // Whether the database takes what is posted, and little is left to post.
  bool is_ready() const;

 private:
  // What the thread that asks for the text reads.
  struct Position {
    std::atomic<uint64_t> posted{0};        // sequence
    std::atomic<int64_t> at_end_micros{0};  // monotonic: when the journal's end was reached last
    std::atomic<bool> has_database{false};
    int64_t LagMicros() const;
  };
  // The lag, with the journal's durable sequence of that moment.
  static void AddLagSource(Metrics& metrics, const std::string& journal_directory,
                           const std::shared_ptr<const Position>& position);

  const std::shared_ptr<Position> position_ = std::make_shared<Position>();
  Worker::Figures counted_;  // of this worker: what the counters have of it
  Histogram commit_duration_;
  Counter transfers_, decisions_;
  Counter database_failures_, lock_failures_, fatal_failures_;
  Gauge outbox_, engine_connected_, database_connected_;
};

}  // namespace warpbook::settlement
