// Where a listener listens: "127.0.0.1:7400", "[::1]:7400"; and from where pages may connect.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook::gateway {

// Numeric addresses only, so that what is listened on is what was written. A fault says what is
// wrong with which text.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseEndpoint(std::string_view text);

// The same of a listener of ours: without TLS loopback only, unless that is allowed.
// `allow_beyond_loopback`: it has TLS, or that was said.
absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text,
                                                                  bool allow_beyond_loopback);

// InvalidArgument where no browser would name itself so: "https://warpbook.example", with a port
// where it is not the scheme's own, and nothing behind it.
absl::Status CheckOrigin(std::string_view text);

}  // namespace warpbook::gateway
