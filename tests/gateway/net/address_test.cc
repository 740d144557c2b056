#include "gateway/net/address.h"

#include <doctest/doctest.h>

#include <string>

#include "gateway/net/server.h"
#include "tests/gateway/support/test_server.h"

namespace warpbook::gateway {

TEST_CASE("A listen address is a numeric address and a port") {
  const auto v4 = ParseEndpoint("127.0.0.1:7400");
  REQUIRE(v4.ok());
  CHECK(v4->port() == 7'400);
  CHECK(v4->address().is_loopback());
  const auto v6 = ParseEndpoint("[::1]:0");
  REQUIRE(v6.ok());
  CHECK(v6->address().is_v6());
  for (const char* bad : {"", ":", "7400", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                          "127.0.0.1:-1", "127.0.0.1:74x", "127.0.0.1: 7400", "localhost:7400",
                          "::1:7400", "[127.0.0.1]:7400", "[::1:7400", "256.0.0.1:1"}) {
    CAPTURE(bad);
    const auto endpoint = ParseEndpoint(bad);
    REQUIRE_FALSE(endpoint.ok());
    CHECK(std::string(endpoint.status().message()).find(bad) != std::string::npos);
  }
}

TEST_CASE("Without TLS nothing but loopback is listened on, unless the options say so") {
  GatewayServer::Options options = TestOptions();
  options.listen = "0.0.0.0:0";
  const auto refused = GatewayServer::Create(options, TestCatalogue());
  REQUIRE_FALSE(refused.ok());
  CHECK(std::string(refused.status().message()).find("0.0.0.0:0") != std::string::npos);
  CHECK(std::string(refused.status().message()).find("no TLS") != std::string::npos);
  options.listen = "127.0.0.1:0";
  options.admin_listen = "[::]:0";
  CHECK_FALSE(GatewayServer::Create(options, TestCatalogue()).ok());
  options.allow_plaintext_beyond_loopback = true;
  CHECK(GatewayServer::Create(options, TestCatalogue()).ok());
}

TEST_CASE("A busy port is named") {
  TestServer running;
  const std::string address = "127.0.0.1:" + std::to_string(running.port());
  GatewayServer::Options options = TestOptions();
  options.listen = address;
  const auto second = GatewayServer::Create(options, TestCatalogue());
  REQUIRE_FALSE(second.ok());
  CHECK(std::string(second.status().message()) ==
        "cannot listen on " + address + ": Address already in use");
}

}  // namespace warpbook::gateway
