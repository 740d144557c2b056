// The gateway behind TLS, as a client by OpenSSL sees it.
#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <fstream>
#include <string>
#include <thread>

#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"
#include "tests/gateway/support/tls_client.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {
namespace {

using warpbook::test::TemporaryDirectory;

const std::string kPing = R"({"method":"ping","req_id":1})";

GatewayServer::Options TlsOptions(const TemporaryDirectory& directory) {
  GatewayServer::Options options = TestOptions();
  options.tls = MakeCertificate(directory.path());
  options.limits.client.requests_burst = 1'000'000;
  return options;
}

void Open(TlsClient& client) {
  REQUIRE(client.is_connected());
  REQUIRE(client.Send(TestSocket::UpgradeRequest()));
  REQUIRE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 101"));
}

std::string FailureOf(const TlsContext::Files& files) {
  const auto loaded = TlsContext::Load(files);
  REQUIRE_FALSE(loaded.ok());
  return std::string(loaded.status().message());
}

}  // namespace

TEST_CASE("A client talks to the exchange by TLS 1.2 and 1.3, and by nothing older") {
  const TemporaryDirectory directory;
  TestServer server(TlsOptions(directory));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server.port(), version);
    Open(client);
    CHECK(client.version() == (version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3"));
    REQUIRE(client.Send(TestSocket::FrameText(1, kPing)));
    CHECK(At(client.ReadFrame(), "/success") == "true");
    // A close is answered, and the end is said in TLS too.
    REQUIRE(client.Send(TestSocket::FrameText(8, "\x03\xe8")));
    CHECK(client.ReadFrame() == "\x03\xe8");
    CHECK(client.Read(1).empty());
  }
  CHECK_FALSE(TlsClient(server.port(), TLS1_1_VERSION).is_connected());
}

TEST_CASE("Each listener has TLS or not, and plain bytes on a TLS port harm nobody") {
  const TemporaryDirectory directory;
  TestServer server(TlsOptions(directory));
  TestSocket plain = TestSocket::Open(server.admin_port());
  CHECK(At(plain.Ask(kPing), "/success") == "true");
  TestSocket lost(server.port());
  lost.SendRaw(TestSocket::UpgradeRequest());
  while (!lost.AtEnd()) continue;  // an alert may come first
  TlsClient client(server.port());
  Open(client);
}

TEST_CASE("Much goes through TLS in both directions at once, in order") {
  const TemporaryDirectory directory;
  TestServer server(TlsOptions(directory));
  TlsClient client(server.port());
  Open(client);
  // Long questions and long answers, none of which is read before all are asked.
  const std::string padding(3'000, ' ');
  constexpr int kCount = 300;
  std::string questions;
  for (int i = 0; i < kCount; ++i) {
    questions += TestSocket::FrameText(
        1, R"({"method":"instruments","req_id":)" + std::to_string(i) + "}" + padding);
  }
  REQUIRE(client.Send(questions));
  for (int i = 0; i < kCount; ++i) {
    const std::string reply = client.ReadFrame();
    REQUIRE(IntegerAt(reply, "/req_id") == i);
  }
}

TEST_CASE("A client of TLS that reads late gets all there is") {
  const TemporaryDirectory directory;
  GatewayServer::Options options = TlsOptions(directory);
  options.limits.socket_send_buffer_bytes = 4'096;
  TestServer server(options);
  TlsClient client(server.port());
  Open(client);
  constexpr int kCount = 2'000;
  std::thread asker([&] {
    for (int i = 0; i < kCount; ++i) {
      if (!client.Send(TestSocket::FrameText(
              1, R"({"method":"session.status","req_id":)" + std::to_string(i) + "}"))) {
        return;
      }
    }
  });
  asker.join();  // the answers wait at the server
  for (int i = 0; i < kCount; ++i) REQUIRE(IntegerAt(client.ReadFrame(), "/req_id") == i);
}

TEST_CASE("A file that is wrong is one clear sentence, before anything listens") {
  const TemporaryDirectory directory;
  const TlsContext::Files good = MakeCertificate(directory.path());
  const TlsContext::Files other = MakeCertificate(directory.path(), "other");
  const std::string garbage = directory.path() + "/garbage";
  std::ofstream(garbage) << "no certificate";
  CHECK(TlsContext::Load(good).ok());
  const std::string missing = FailureOf({directory.path() + "/none", good.private_key});
  CHECK(missing.find("/none") != std::string::npos);
  CHECK(missing.find("No such file") != std::string::npos);
  CHECK(FailureOf({garbage, good.private_key}).find("garbage") != std::string::npos);
  CHECK(FailureOf({good.certificate_chain, garbage}).find("garbage") != std::string::npos);
  CHECK(FailureOf({good.certificate_chain, other.private_key}).find("mismatch") !=
        std::string::npos);
  GatewayServer::Options options = TestOptions();
  options.admin_tls = TlsContext::Files{garbage, garbage};
  CHECK_FALSE(GatewayServer::Create(options, TestCatalogue()).ok());
}

TEST_CASE("With TLS a listener may be reached from beyond loopback, without it not") {
  const TemporaryDirectory directory;
  GatewayServer::Options options = TlsOptions(directory);
  options.listen = "0.0.0.0:0";
  CHECK(GatewayServer::Create(options, TestCatalogue()).ok());
  options.admin_listen = "0.0.0.0:0";
  CHECK_FALSE(GatewayServer::Create(options, TestCatalogue()).ok());
}

}  // namespace warpbook::gateway
