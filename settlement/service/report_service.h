// ReportService: the reports of settlement over HTTP. Two desks, each with a thread and a database
// connection of its own: what everybody may ask never waits for an operator's long statement.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "settlement/service/http_server.h"
#include "settlement/service/report_desk.h"

namespace warpbook::settlement {

class ReportService {
 public:
  // As HttpServer::Start. No database is needed yet: while it is away, the answers say so.
  static absl::StatusOr<std::unique_ptr<ReportService>> Start(HttpServer::Options http,
                                                              const ReportDesk::Options& reports);
  ~ReportService();

  uint16_t port() const { return server_->port(); }

 private:
  explicit ReportService(const ReportDesk::Options& reports);
  void Answer(const std::string& target, HttpServer::Respond respond);

  ReportDesk public_desk_, operators_desk_;
  boost::asio::thread_pool public_thread_{1}, operators_thread_{1};
  std::unique_ptr<HttpServer> server_;
};

}  // namespace warpbook::settlement
