// Where a server is: "127.0.0.1:7400", or with a scheme, which says whether it is by TLS.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace warpbook::gateway {

struct ServerAddress {
  std::string host, port;
  bool uses_tls = false;
};

// host:port, ws://host:port and http://host:port; wss:// and https:// are by TLS. InvalidArgument,
// naming the text, where it is none of these.
absl::StatusOr<ServerAddress> ParseServerAddress(const std::string& text);

}  // namespace warpbook::gateway
