#include "gateway/net/address.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"

namespace warpbook::gateway {

absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseEndpoint(std::string_view text) {
  const auto fault = [&](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("listen address \"", std::string(text), "\": ",
                                                   what, " (as in 127.0.0.1:7400, [::1]:7400)"));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return fault("no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port_text = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size() || port_text.empty()) {
    return fault("the port is not 0 to 65535");
  }
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  boost::system::error_code bad_address;
  const auto address = boost::asio::ip::make_address(std::string(host), bad_address);
  if (bad_address) return fault("not a numeric address");
  if (address.is_v6() != bracketed) return fault("an IPv6 address, and no other, is in brackets");
  return boost::asio::ip::tcp::endpoint(address, port);
}

absl::StatusOr<boost::asio::ip::tcp::endpoint> ParseListenAddress(std::string_view text,
                                                                  bool allow_beyond_loopback) {
  const auto endpoint = ParseEndpoint(text);
  if (!endpoint.ok() || endpoint->address().is_loopback() || allow_beyond_loopback) return endpoint;
  return absl::InvalidArgumentError(
      absl::StrCat("will not listen on ", std::string(text),
                   ": it is not a loopback address and there is no TLS; to do it nevertheless, say "
                   "--allow-plaintext-beyond-loopback"));
}

absl::Status CheckOrigin(std::string_view text) {
  std::string_view host = text;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (text.starts_with(scheme)) host = text.substr(scheme.size());
  }
  const bool is_plain = std::ranges::all_of(
      host, [](char c) { return c > ' ' && c <= '~' && c != '/' && !(c >= 'A' && c <= 'Z'); });
  if (host.size() != text.size() && !host.empty() && is_plain) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("allowed origin \"", std::string(text),
                   "\": not scheme and host alone (as in https://warpbook.example)"));
}

}  // namespace warpbook::gateway
