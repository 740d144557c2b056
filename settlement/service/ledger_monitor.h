// LedgerMonitor: exports what the ledger says, read from the database now and then on a connection
// and a thread of its own: supply, coverage, what is owed, leases, and whether the balances add up.
// What is read is what everybody would read there, not what the worker believes; so a row that
// somebody has changed shows.
//
// While the database is away the last figures stay.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "schema/metrics/metrics.h"
#include "settlement/store/report_queries.h"

namespace warpbook::settlement {

class LedgerMonitor {
 public:
  struct Options {
    std::string conninfo;
    // Between two readings, and at least so many times as long as the last one took: the balances
    // of a million accounts take a second.
    std::chrono::milliseconds interval{5'000};
    int rest_factor = 20;
  };
  LedgerMonitor(Options options, Metrics& metrics);
  ~LedgerMonitor();
  LedgerMonitor(const LedgerMonitor&) = delete;
  LedgerMonitor& operator=(const LedgerMonitor&) = delete;

 private:
  // What the thread that asks for the text reads.
  struct Shared {
    std::mutex mutex;
    std::optional<MonitoredFigures> figures;  // none were read yet
  };

  void Run();
  void Read();

  const Options options_;
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  std::mutex mutex_;  // guards stopping_, and the making and ending of the connection
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<Database> database_;
  std::thread thread_;
};

// The figures as samples.
void AddLedgerSamples(const MonitoredFigures& figures, MetricSamples& samples);

}  // namespace warpbook::settlement
