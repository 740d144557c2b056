#include "gateway/client/tls_client.h"

#include <boost/asio/ip/address.hpp>

#include "absl/strings/str_cat.h"

namespace warpbook::gateway {

namespace ssl = boost::asio::ssl;

absl::StatusOr<std::unique_ptr<ssl::context>> MakeTlsContext(const std::string& authorities_file) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  boost::system::error_code error;
  if (authorities_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(authorities_file, error);
  }
  if (error) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read the authorities' certificates in \"", authorities_file,
                     "\": ", error.message()));
  }
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  return context;
}

void NameHost(SSL* session, const std::string& host) {
  boost::system::error_code not_literal;
  boost::asio::ip::make_address(host, not_literal);
  if (!not_literal) return;
  std::string name = host;
  SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

}  // namespace warpbook::gateway
