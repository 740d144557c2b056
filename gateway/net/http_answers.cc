#include "gateway/net/http_answers.h"

#include "gateway/protocol/json_writer.h"

namespace warpbook::gateway {
namespace {

HttpAnswer Error(unsigned status, std::string_view code, std::string_view message) {
  HttpAnswer answer{.status = status, .body = {}};
  JsonWriter json(answer.body);
  json.BeginObject().Key("error").BeginObject();
  json.Field("code", code).Field("message", message).EndObject().EndObject();
  return answer;
}

HttpAnswer Status(unsigned status, std::string_view word) {
  HttpAnswer answer{.status = status, .body = {}};
  JsonWriter json(answer.body);
  json.BeginObject().Field("status", word).EndObject();
  return answer;
}

}  // namespace

std::optional<HttpAnswer> AnswerHttp(const HttpRequest& request, bool refused,
                                     const SessionHost& host) {
  if (request.has_more) {
    return Error(400, "bad_request", "Nothing may follow the request's header.");
  }
  if (request.on_admin && request.is_get && !request.is_upgrade) {
    if (request.target == "/livez") return Status(200, "alive");
    if (request.target == "/readyz") {
      return host.IsReady() ? Status(200, "ready") : Status(503, "not_ready");
    }
  }
  if (!request.is_upgrade || request.target != "/ws") {
    return Error(404, "not_found", "The API is a WebSocket at /ws.");
  }
  if (refused) return Error(503, "too_many_connections", "There is no room for this connection.");
  if (!host.IsReady()) return Error(503, "shutting_down", "The exchange is shutting down.");
  if (request.has_origin && !host.IsAllowedOrigin(request.origin)) {
    return Error(403, "foreign_origin", "Pages of this origin may not connect.");
  }
  return std::nullopt;
}

}  // namespace warpbook::gateway
