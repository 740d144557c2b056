// ReportService: settlement's HTTP: the reports, and for operators /livez, /readyz and /metrics.
// Two desks, each with a thread and a database connection of its own: what everybody may ask never
// waits for an operator's long statement, and what the metrics are never for the database.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "schema/metrics/metrics.h"
#include "settlement/service/http_server.h"
#include "settlement/service/report_desk.h"

namespace warpbook::settlement {

class ReportService {
 public:
  // How the service is. Both outlive the service.
  struct Condition {
    const Metrics& metrics;
    std::function<bool()> is_ready;  // any thread
  };

  // As HttpServer::Start. No database is needed yet: while it is away, the answers say so.
  static absl::StatusOr<std::unique_ptr<ReportService>> Start(HttpServer::Options http,
                                                              const ReportDesk::Options& reports,
                                                              Condition condition);
  ~ReportService();

  uint16_t port() const { return server_->port(); }

 private:
  ReportService(const ReportDesk::Options& reports, Condition condition);
  void Answer(const std::string& target, HttpServer::Respond respond);

  const Condition condition_;
  ReportDesk public_desk_, operators_desk_;
  boost::asio::thread_pool public_thread_{1}, operators_thread_{1}, metrics_thread_{1};
  std::unique_ptr<HttpServer> server_;
};

}  // namespace warpbook::settlement
