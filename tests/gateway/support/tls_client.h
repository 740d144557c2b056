// A TLS client of the tests, by OpenSSL, and a certificate for the server that it talks to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/net/transport.h"

namespace warpbook::gateway {

// A new key and a certificate signed with itself, for localhost, as PEM files in that directory.
// Names that differ give pairs that do not belong together.
TlsContext::Files MakeCertificate(const std::string& directory, const std::string& name = "server");

// Blocking, with a limit of ten seconds on each read.
class TlsClient {
 public:
  // Connects; `version_max` 0: the newest that both speak, else TLS1_2_VERSION and so on.
  explicit TlsClient(uint16_t port, int version_max = 0);
  ~TlsClient();

  bool is_connected() const { return is_connected_; }
  std::string version() const;
  bool Send(std::string_view bytes);
  // So many bytes, or fewer at the end.
  std::string Read(size_t count);
  // Up to and with that text, or to the end.
  std::string ReadUntil(std::string_view end);
  // The payload of the next frame (the gateway's own are never masked); "" at the end.
  std::string ReadFrame();

 private:
  struct Connection;
  const std::unique_ptr<Connection> connection_;
  bool is_connected_ = false;
};

}  // namespace warpbook::gateway
