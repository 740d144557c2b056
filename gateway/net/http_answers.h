// What the gateway's ports answer to plain HTTP: /ws opens a WebSocket, /livez, /readyz and
// /metrics of the admin listener tell how it is, /api/v1/ of the clients' is the host's to answer,
// and everything else is refused with a JSON reason.
#pragma once

#include <optional>
#include <string>

#include "gateway/net/http_messages.h"
#include "gateway/net/session_host.h"

namespace warpbook::gateway {

// Where a request came from.
struct HttpOrigin {
  const std::string& peer;
  uint64_t connection_id = 0;
  bool on_admin = false;
  bool refused = false;   // there is no room for the connection
  bool has_more = false;  // bytes came behind the request's head
};

// The answer, or nullopt where the WebSocket is to be opened.
std::optional<HttpAnswer> AnswerHttp(const HttpRequest& request, const HttpOrigin& origin,
                                     SessionHost& host);

}  // namespace warpbook::gateway
