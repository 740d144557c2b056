#include "gateway/net/http_answers.h"

#include "gateway/protocol/json_writer.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {
namespace {

constexpr std::string_view kApiPrefix = "/api/v1/";

HttpAnswer Status(unsigned status, std::string_view word) {
  HttpAnswer answer{.status = status, .body = {}};
  JsonWriter json(answer.body);
  json.BeginObject().Field("status", word).EndObject();
  return answer;
}

HttpAnswer AnswerMetrics(const HttpOrigin& origin, SessionHost& host) {
  HttpAnswer answer;
  if (host.AskMetrics(origin.connection_id)) {
    answer.later = true;
  } else {
    answer = HttpError(503, "too_many_requests", "The metrics are being asked for already.");
  }
  answer.keeps_connection = true;
  return answer;
}

HttpAnswer AnswerApi(const HttpRequest& request, const HttpOrigin& origin, SessionHost& host) {
  HttpAnswer answer;
  if (!request.is_get && !request.is_head) {
    answer = HttpError(405, "method_not_allowed", "This is to be read only: GET or HEAD.");
  } else if (const int64_t wait = host.WaitForHttp(origin.peer); wait > 0) {
    answer = HttpError(429, "rate_limited", "Too many requests: wait as Retry-After says.");
    answer.retry_after_seconds = wait / kMicrosPerSecond + 1;
  } else if (auto found = host.OnHttpGet(request.target, origin.connection_id)) {
    answer = *std::move(found);
  } else {
    answer = HttpError(404, "not_found", "There is no such resource.");
  }
  answer.keeps_connection = true;
  return answer;
}

}  // namespace

std::optional<HttpAnswer> AnswerHttp(const HttpRequest& request, const HttpOrigin& origin,
                                     SessionHost& host) {
  const bool is_api =
      !origin.on_admin && !request.is_upgrade && request.target.starts_with(kApiPrefix);
  if (request.has_body || (origin.has_more && !is_api)) {
    return HttpError(400, "bad_request", "Nothing may follow the request's header.");
  }
  if (is_api && !origin.refused && host.IsReady()) return AnswerApi(request, origin, host);
  if (origin.on_admin && (request.is_get || request.is_head) && !request.is_upgrade) {
    if (request.target == "/livez") return Status(200, "alive");
    if (request.target == "/readyz") {
      if (!host.IsReady()) return Status(503, "not_ready");
      return host.IsBehind() ? Status(503, "journal_behind") : Status(200, "ready");
    }
    if (request.target == "/metrics") return AnswerMetrics(origin, host);
  }
  if (!is_api && (!request.is_upgrade || request.target != "/ws")) {
    return HttpError(404, "not_found", "The API is a WebSocket at /ws.");
  }
  if (origin.refused) {
    return HttpError(503, "too_many_connections", "There is no room for this connection.");
  }
  if (!host.IsReady()) return HttpError(503, "shutting_down", "The exchange is shutting down.");
  if (request.has_origin && !host.IsAllowedOrigin(request.origin)) {
    return HttpError(403, "foreign_origin", "Pages of this origin may not connect.");
  }
  return std::nullopt;
}

}  // namespace warpbook::gateway
