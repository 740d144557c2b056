// What `warpbook serve` is made of: how an exchange starts, and what ends it.
#include "gateway/cli/serve.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/cli/key_files.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"
#include "tests/support/temporary_directory.h"

namespace warpbook::gateway {
namespace {

ServeOptions OptionsIn(const test::TemporaryDirectory& directory) {
  ServeOptions options;
  options.journal = directory / "journal";
  options.catalogue = WARPBOOK_CATALOGUE;
  options.listen = "127.0.0.1:0";
  options.admin_listen = "127.0.0.1:0";
  options.drain_seconds = 1;
  return options;
}

ServeConfiguration Load(const ServeOptions& options) {
  auto configuration = LoadServeConfiguration(options);
  REQUIRE_MESSAGE(configuration.ok(), configuration.status().message());
  return *std::move(configuration);
}

// A journal with the first windows in it.
void MakeJournal(const ServeConfiguration& configuration) {
  auto exchange = Exchange::Start(configuration);
  REQUIRE(exchange.ok());
  REQUIRE((*exchange)->Stop().ok());
}

std::string KeyFile(const test::TemporaryDirectory& directory, const std::string& name,
                    const Ed25519PrivateKey& key) {
  const std::string path = directory / name;
  std::ofstream(path) << PublicKeyHex(key) << "\n";
  return path;
}

}  // namespace

TEST_CASE("A stop that comes during the replay ends the start") {
  const test::TemporaryDirectory directory;
  const ServeConfiguration configuration = Load(OptionsIn(directory));
  MakeJournal(configuration);
  const absl::Status status = Exchange::Start(configuration, [] { return true; }).status();
  CHECK(absl::IsCancelled(status));
  CHECK(status.message() == "stopped while the journal was replayed");
  CHECK(Exchange::Start(configuration).ok());
}

TEST_CASE("An exchange whose gateway lost the engine's events ends, and says why") {
  const test::TemporaryDirectory directory;
  const Ed25519PrivateKey key = Ed25519PrivateKey::Generate();
  ServeOptions options = OptionsIn(directory);
  options.server_name = kTestServerName;
  options.operator_key_file = KeyFile(directory, "operator", key);
  ServeConfiguration configuration = Load(options);
  configuration.service_limits.port_event_bytes_max = 1;
  auto exchange = Exchange::Start(configuration);
  REQUIRE(exchange.ok());
  const uint16_t port = (*exchange)->server().admin_port();
  // Long answers keep the gateway busy while several batches of commands become durable.
  const std::string load =
      TestSocket::FrameText(1, RequestText("instruments")) +
      TestSocket::FrameText(1, RequestText("instrument.halt", R"({"symbol":"nothing"})")) +
      TestSocket::FrameText(1, RequestText("limit.set", R"({"account":"9","limit_usd":"1.00"})"));
  std::vector<TestSocket> sockets;
  for (int i = 0; i < 10; ++i) {
    sockets.push_back(TestSocket::Open(port));
    const std::string logon = sockets.back().Ask(SignedRequest(sockets.back(), AccountId(1), key));
    REQUIRE_MESSAGE(At(logon, "/success") == "true", logon);
  }
  for (int round = 0; round < 20; ++round) {
    for (TestSocket& socket : sockets) socket.SendRaw(load);
  }
  const absl::Status ended = (*exchange)->Run();
  CHECK(absl::IsUnavailable(ended));
  CHECK(ended.message() ==
        "the gateway fell too far behind the engine and lost its events; everything taken is in "
        "the journal: start again");
}

}  // namespace warpbook::gateway
