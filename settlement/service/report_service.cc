#include "settlement/service/report_service.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "schema/base/json_object.h"

namespace warpbook::settlement {

namespace {

HttpAnswer Status(unsigned status, std::string_view word) {
  return {.status = status, .body = JsonObject().Text("status", word).Build()};
}

}  // namespace

ReportService::ReportService(const ReportDesk::Options& reports, Condition condition)
    : condition_(std::move(condition)), public_desk_(reports), operators_desk_(reports) {}

absl::StatusOr<std::unique_ptr<ReportService>> ReportService::Start(
    HttpServer::Options http, const ReportDesk::Options& reports, Condition condition) {
  std::unique_ptr<ReportService> service(new ReportService(reports, std::move(condition)));
  auto server = HttpServer::Start(
      std::move(http),
      [service = service.get()](const std::string& target, HttpServer::Respond respond) {
        service->Answer(target, std::move(respond));
      });
  if (!server.ok()) return server.status();
  service->server_ = *std::move(server);
  return service;
}

// First nobody asks any more, then what is being answered ends (what waits behind it is dropped),
// and then the server may go.
ReportService::~ReportService() {
  if (server_) server_->Stop();
  for (ReportDesk* desk : {&public_desk_, &operators_desk_}) desk->Close();
  for (boost::asio::thread_pool* thread : {&public_thread_, &operators_thread_, &metrics_thread_}) {
    thread->stop();
    thread->join();
  }
}

// As many questions wait at once as there are connections.
void ReportService::Answer(const std::string& target, HttpServer::Respond respond) {
  if (target == "/livez") return respond(Status(200, "alive"));
  if (target == "/readyz") {
    return respond(condition_.is_ready() ? Status(200, "ready") : Status(503, "not_ready"));
  }
  if (target == "/metrics") {
    boost::asio::post(metrics_thread_, [this, respond = std::move(respond)] {
      respond(
          {.status = 200, .body = condition_.metrics.Text(), .content_type = kMetricsContentType});
    });
    return;
  }
  const bool is_public = ReportDesk::IsPublic(target);
  boost::asio::post(is_public ? public_thread_ : operators_thread_,
                    [&desk = is_public ? public_desk_ : operators_desk_, target,
                     respond = std::move(respond)] { respond(desk.Answer(target)); });
}

}  // namespace warpbook::settlement
