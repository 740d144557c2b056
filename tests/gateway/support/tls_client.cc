#include "tests/gateway/support/tls_client.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdio>

namespace warpbook::gateway {

TlsContext::Files MakeCertificate(const std::string& directory, const std::string& name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  REQUIRE(key != nullptr);
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3'600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3'600);
  X509_set_pubkey(certificate, key);
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  REQUIRE(X509_sign(certificate, key, EVP_sha256()) > 0);

  const TlsContext::Files files{.certificate_chain = directory + "/" + name + ".crt",
                                .private_key = directory + "/" + name + ".key"};
  FILE* file = std::fopen(files.certificate_chain.c_str(), "w");
  REQUIRE(file != nullptr);
  CHECK(PEM_write_X509(file, certificate) == 1);
  std::fclose(file);
  file = std::fopen(files.private_key.c_str(), "w");
  CHECK(PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return files;
}

struct TlsClient::Connection {
  int socket = -1;
  SSL_CTX* context = nullptr;
  SSL* session = nullptr;
};

TlsClient::TlsClient(uint16_t port, int version_max) : connection_(new Connection) {
  signal(SIGPIPE, SIG_IGN);
  Connection& connection = *connection_;
  connection.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connection.socket >= 0);
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(connection.socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(connection.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  connection.context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_security_level(connection.context, 0);  // so that it is the server that refuses
  SSL_CTX_set_min_proto_version(connection.context, TLS1_VERSION);
  if (version_max != 0) SSL_CTX_set_max_proto_version(connection.context, version_max);
  connection.session = SSL_new(connection.context);
  SSL_set_fd(connection.session, connection.socket);
  is_connected_ = SSL_connect(connection.session) == 1;
}

TlsClient::~TlsClient() {
  SSL_free(connection_->session);
  SSL_CTX_free(connection_->context);
  close(connection_->socket);
}

std::string TlsClient::version() const { return SSL_get_version(connection_->session); }

bool TlsClient::Send(std::string_view bytes) {
  return SSL_write(connection_->session, bytes.data(), static_cast<int>(bytes.size())) > 0;
}

std::string TlsClient::Read(size_t count) {
  std::string bytes(count, '\0');
  size_t at = 0;
  while (at < count) {
    size_t got = 0;
    if (SSL_read_ex(connection_->session, bytes.data() + at, count - at, &got) != 1) break;
    at += got;
  }
  bytes.resize(at);
  return bytes;
}

std::string TlsClient::ReadUntil(std::string_view end) {
  std::string bytes;
  while (!bytes.ends_with(end)) {
    const std::string byte = Read(1);
    if (byte.empty()) break;
    bytes += byte;
  }
  return bytes;
}

std::string TlsClient::ReadFrame() {
  const std::string head = Read(2);
  if (head.size() < 2) return "";
  size_t length = static_cast<uint8_t>(head[1]);
  if (length >= 126) {
    const std::string long_length = Read(length == 126 ? 2 : 8);
    length = 0;
    for (const char byte : long_length) length = length << 8 | static_cast<uint8_t>(byte);
  }
  return Read(length);
}

}  // namespace warpbook::gateway
