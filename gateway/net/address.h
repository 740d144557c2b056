// Where a listener listens: "127.0.0.1:7400", "[::1]:7400".
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace warpbook::gateway {

// Numeric addresses only, so that what is listened on is what was written. A fault says what is
// wrong with which text.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseEndpoint(std::string_view text);

}  // namespace warpbook::gateway
