// TLS as our clients use it: 1.2 or 1.3, and the server proves that it is the host that was named.
// For gateway/client alone.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/verify_mode.hpp>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace warpbook::gateway {

// `authorities_file`: a PEM file of those that are believed; "": the system's. InvalidArgument
// where it cannot be read.
absl::StatusOr<std::unique_ptr<boost::asio::ssl::context>> MakeTlsContext(
    const std::string& authorities_file);

// Asks the server by its name; an address is none.
void NameHost(SSL* session, const std::string& host);

// Before the handshake of a stream (asio::ssl::stream or beast::ssl_stream).
template <typename Stream>
void ExpectHost(Stream& stream, const std::string& host) {
  stream.set_verify_mode(boost::asio::ssl::verify_peer);
  stream.set_verify_callback(boost::asio::ssl::host_name_verification(host));
  NameHost(stream.native_handle(), host);
}

}  // namespace warpbook::gateway
