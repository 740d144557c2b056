#include "gateway/client/server_address.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace warpbook::gateway {

absl::StatusOr<ServerAddress> ParseServerAddress(const std::string& text) {
  absl::string_view rest = text;
  ServerAddress address;
  address.uses_tls = absl::ConsumePrefix(&rest, "wss://") || absl::ConsumePrefix(&rest, "https://");
  if (!address.uses_tls && !absl::ConsumePrefix(&rest, "ws://")) {
    absl::ConsumePrefix(&rest, "http://");
  }
  const size_t colon = rest.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 || colon + 1 == rest.size() ||
      rest.find('/') != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text,
        "\" is not an address of the form host:port, ws://host:port or wss://host:port"));
  }
  address.host = std::string(rest.substr(0, colon));
  address.port = std::string(rest.substr(colon + 1));
  return address;
}

}  // namespace warpbook::gateway
