#include "settlement/service/serve.h"

#include <memory>
#include <thread>
#include <utility>

#include "schema/base/log.h"
#include "schema/base/version.h"
#include "schema/journal/tail_reader.h"
#include "schema/metrics/process_metrics.h"
#include "settlement/service/engine_link.h"
#include "settlement/service/ledger_monitor.h"
#include "settlement/service/report_service.h"
#include "settlement/service/settlement_metrics.h"
#include "settlement/service/worker.h"
#include "settlement/store/store.h"

namespace warpbook::settlement {
namespace {

using SteadyClock = std::chrono::steady_clock;

class Service {
 public:
  Service(const ServeOptions& options, Ed25519PrivateKey key, const std::atomic<bool>& stop,
          SettlementMetrics& metrics)
      : options_(options),
        metrics_(metrics),
        stop_(stop),
        public_key_(key.public_key()),
        link_({.address = options.engine_address,
               .authorities = options.engine_authorities,
               .server_name = options.server_name},
              std::move(key)) {}

  absl::Status Run() {
    retry_ = options_.retry_first;
    while (true) {
      const absl::Status status = RunOnce();
      if (status.ok() || stop_) return status;
      metrics_.OnFailure(status);
      // A database that was there before comes back, and so does the lock that our lost connection
      // may still hold there. At the first start a lock is another worker's.
      const bool passes = absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status) ||
                          (absl::IsAlreadyExists(status) && started_);
      if (!passes) return status;
      JsonObject fields = Fault(status);
      Log(LogLevel::kWarning, started_ ? "interrupted" : "waiting_for_database",
          fields.Integer("retry_ms", retry_.count()));
      Pause(retry_);
      if (stop_) return absl::OkStatus();
      retry_ = std::min(retry_ * 2, options_.retry_max);
    }
  }

 private:
  static JsonObject Fault(const absl::Status& status) {
    return JsonObject().Text("detail", std::string(status.message()));
  }

  void Pause(std::chrono::milliseconds length) const {
    const auto end = SteadyClock::now() + length;
    while (!stop_ && SteadyClock::now() < end) {
      std::this_thread::sleep_for(
          std::min<SteadyClock::duration>(std::chrono::milliseconds(20), end - SteadyClock::now()));
    }
  }

  static void LogSlowCommit(std::chrono::milliseconds waited) {
    Log(LogLevel::kWarning, "slow_database", JsonObject().Integer("commit_ms", waited.count()));
  }

  // From the database's state on, until something fails or it is time to stop.
  absl::Status RunOnce() {
    auto store = Store::Open({.conninfo = options_.conninfo});
    if (!store.ok()) return store.status();
    if (absl::Status status = store->WriteNames(options_.catalogue); !status.ok()) return status;
    auto worker = Worker::Create(
        {.cursor_directory = options_.journal_directory,
         .key = public_key_,
         .on_slow_commit = LogSlowCommit,
         .on_commit = [this](std::chrono::nanoseconds took) { metrics_.OnCommit(took); }},
        *store, link_);
    if (!worker.ok()) return worker.status();
    started_ = true;
    metrics_.OnStarted(**worker);
    Log(LogLevel::kInfo, "started", Position(**worker));
    auto reader = OpenJournal((*worker)->FirstSequence());
    if (!reader.ok() || *reader == nullptr) return reader.status();
    (*worker)->SetReader(**reader);
    while (!stop_) {
      const auto wrote = (*worker)->Step();
      if (!wrote.ok()) return wrote.status();
      retry_ = options_.retry_first;
      Measure(**worker);
      if (!*wrote) std::this_thread::sleep_for(options_.poll);
      LogStatus(**worker);
    }
    Log(LogLevel::kInfo, "stopped", Position(**worker));
    return absl::OkStatus();
  }

  // Null where it was time to stop before there was a journal.
  absl::StatusOr<std::unique_ptr<journal::TailReader>> OpenJournal(uint64_t from_sequence) {
    bool told = false;
    while (!stop_) {
      auto reader = journal::TailReader::Open(options_.journal_directory, from_sequence);
      if (!absl::IsNotFound(reader.status())) return reader;
      if (!told) Log(LogLevel::kWarning, "waiting_for_journal", Fault(reader.status()));
      told = true;
      Pause(options_.retry_first);
    }
    return std::unique_ptr<journal::TailReader>();
  }

  static JsonObject Position(const Worker& worker) {
    JsonObject fields;
    const Cursor& cursor = worker.books().cursor();
    fields.Integer("seq", static_cast<int64_t>(cursor.sequence.value()));
    fields.Integer("market_time_us", cursor.market_time.micros());
    fields.Integer("decision", static_cast<int64_t>(cursor.decision_number));
    fields.Integer("open_leases", static_cast<int64_t>(worker.books().open_leases()));
    fields.Integer("open_requests", static_cast<int64_t>(worker.books().open_requests().size()));
    fields.Integer("outbox", static_cast<int64_t>(worker.outbox().size()));
    return fields;
  }

  void Measure(const Worker& worker) {
    if (SteadyClock::now() < next_measure_) return;
    next_measure_ = SteadyClock::now() + options_.metrics_interval;
    metrics_.OnStep(worker, link_.connected());
  }

  void LogStatus(const Worker& worker) {
    if (SteadyClock::now() < next_status_) return;
    next_status_ = SteadyClock::now() + options_.status_interval;
    JsonObject fields = Position(worker);
    const Worker::Figures& figures = worker.figures();
    fields.Integer("transactions", static_cast<int64_t>(figures.transactions));
    fields.Integer("transfers", static_cast<int64_t>(figures.transfers));
    fields.Integer("decisions", static_cast<int64_t>(figures.decisions));
    fields.Integer("voided", static_cast<int64_t>(figures.voided));
    fields.Flag("deciding", worker.deciding()).Flag("engine_connected", link_.connected());
    fields.Flag("journal_behind_database", !worker.books().journal_confirmed());
    fields.TextIfAny("engine_fault", link_.last_fault());
    Log(LogLevel::kInfo, "status", fields);
  }

  const ServeOptions& options_;
  SettlementMetrics& metrics_;
  const std::atomic<bool>& stop_;
  const PublicKey public_key_;
  EngineLink link_;
  bool started_ = false;
  std::chrono::milliseconds retry_{};  // before the next try
  SteadyClock::time_point next_status_ = SteadyClock::now();
  SteadyClock::time_point next_measure_ = SteadyClock::now();
};

}  // namespace

absl::Status Serve(const ServeOptions& options, Ed25519PrivateKey key,
                   const std::atomic<bool>& stop) {
  Metrics metrics;
  AddProcessMetrics(
      metrics,
      {.service = "warpbook-settlement", .version = std::string(kVersion), .rules_version = ""});
  SettlementMetrics worker_metrics(metrics, options.journal_directory);
  std::unique_ptr<LedgerMonitor> monitor;
  std::unique_ptr<ReportService> reports;
  if (!options.http.address.empty()) {
    auto started = ReportService::Start(
        options.http, {options.conninfo, options.catalogue, options.tariff},
        {.metrics = metrics, .is_ready = [&worker_metrics] { return worker_metrics.is_ready(); }});
    if (!started.ok()) return started.status();
    reports = *std::move(started);
    monitor = std::make_unique<LedgerMonitor>(LedgerMonitor::Options{.conninfo = options.conninfo},
                                              metrics);
    Log(LogLevel::kInfo, "reports_served", JsonObject().Integer("port", reports->port()));
  }
  Service service(options, std::move(key), stop, worker_metrics);
  return service.Run();
}

}  // namespace warpbook::settlement
