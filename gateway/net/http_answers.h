// What the gateway's ports answer to plain HTTP: /ws opens a WebSocket, /livez and /readyz of the
// admin listener tell how it is, and everything else is refused with a JSON reason.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/net/session.h"

namespace warpbook::gateway {

struct HttpRequest {
  bool is_get = false;
  bool is_upgrade = false;  // to a WebSocket
  std::string_view target;
  bool has_origin = false;
  std::string_view origin;
  bool on_admin = false;
  bool has_more = false;  // bytes behind its header
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;  // JSON
};

// The answer, or nullopt where the WebSocket is to be opened. `refused`: there is no room.
std::optional<HttpAnswer> AnswerHttp(const HttpRequest& request, bool refused,
                                     const SessionHost& host);

}  // namespace warpbook::gateway
