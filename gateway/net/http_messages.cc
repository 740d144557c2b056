#include "gateway/net/http_messages.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <sstream>

#include "gateway/protocol/json_writer.h"

namespace warpbook::gateway {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view kHeadEnd = "\r\n\r\n";

std::string Text(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

HttpAnswer HttpError(unsigned status, std::string_view code, std::string_view message) {
  HttpAnswer answer{.status = status, .body = {}};
  JsonWriter json(answer.body);
  json.BeginObject().Key("error").BeginObject();
  json.Field("code", code).Field("message", message).EndObject().EndObject();
  return answer;
}

size_t FindHeadEnd(std::string_view bytes, size_t searched) {
  const size_t overlap = kHeadEnd.size() - 1;
  const size_t end = bytes.find(kHeadEnd, searched < overlap ? 0 : searched - overlap);
  return end == std::string_view::npos ? 0 : end + kHeadEnd.size();
}

bool MayBeHttp(std::string_view bytes) {
  return bytes.empty() || (bytes[0] >= 'A' && bytes[0] <= 'Z');
}

bool ParseHttpRequest(std::string_view head, HttpRequest& request) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(static_cast<uint32_t>(head.size()) + 1);
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error || !parser.is_header_done()) return false;
  const auto& parsed = parser.get();
  request = {.is_get = parsed.method() == http::verb::get,
             .is_head = parsed.method() == http::verb::head,
             .is_upgrade = boost::beast::websocket::is_upgrade(parsed),
             .keep_alive = parsed.keep_alive(),
             .has_body = parser.content_length().value_or(0) != 0 || parser.chunked(),
             .has_origin = parsed.count(http::field::origin) != 0,
             .target = Text(parsed.target()),
             .origin = Text(parsed[http::field::origin])};
  return true;
}

std::string FormatHttpAnswer(const HttpAnswer& answer, bool keep_alive, bool head_only) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(answer.status);
  response.set(http::field::server, "warpbook");
  response.set(http::field::content_type,
               boost::beast::string_view(answer.content_type.data(), answer.content_type.size()));
  response.set(http::field::cache_control, "no-store");
  if (answer.retry_after_seconds > 0) {
    response.set(http::field::retry_after, std::to_string(answer.retry_after_seconds));
  }
  if (answer.status == 405) response.set(http::field::allow, "GET, HEAD");
  response.keep_alive(keep_alive);
  response.content_length(answer.body.size());
  if (!head_only) response.body() = answer.body;
  std::ostringstream text;
  text << response;
  return text.str();
}

}  // namespace warpbook::gateway
