// HTTP/1.1 on the gateway's ports, as far as it goes: requests without a body, answers in JSON.
// Pure functions over bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace warpbook::gateway {

struct HttpRequest {
  bool is_get = false;
  bool is_head = false;
  bool is_upgrade = false;  // to a WebSocket
  bool keep_alive = false;  // what the client wants; HTTP/1.0 must say so
  bool has_body = false;
  bool has_origin = false;
  std::string target;
  std::string origin;
};

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a literal
  int64_t retry_after_seconds = 0;
  bool keeps_connection = false;  // for another request, if the client wants that
  bool later = false;             // it is still to come: all else is empty
};

// An answer that is a reason: {"error":{"code":...,"message":...}}.
HttpAnswer HttpError(unsigned status, std::string_view code, std::string_view message);

// Where the head of a request ends in the bytes (behind its empty line); 0: it has not come whole.
// `searched`: so many bytes were searched before, in vain.
size_t FindHeadEnd(std::string_view bytes, size_t searched = 0);

// Whether bytes can be the beginning of a request at all: they begin with a method.
bool MayBeHttp(std::string_view bytes);

// False: the head is none.
bool ParseHttpRequest(std::string_view head, HttpRequest& request);

// The answer's bytes. `head_only`: to HEAD, without the body.
std::string FormatHttpAnswer(const HttpAnswer& answer, bool keep_alive, bool head_only);

}  // namespace warpbook::gateway
