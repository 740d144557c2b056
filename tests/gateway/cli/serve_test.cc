// What `warpbook serve` is made of: how an exchange starts, and what ends it.
#include "gateway/cli/serve.h"

#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/cli/key_files.h"
#include "tests/gateway/cli/command_runner.h"
#include "tests/gateway/cli/local_exchange.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"
#include "tests/gateway/support/test_server.h"
#include "tests/gateway/support/tls_client.h"
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

TEST_CASE("Operator and settlement have two keys, and keep to them") {
  const test::TemporaryDirectory directory;
  const std::string one = KeyFile(directory, "one", Ed25519PrivateKey::Generate());
  const std::string two = KeyFile(directory, "two", Ed25519PrivateKey::Generate());
  ServeOptions options = OptionsIn(directory);
  options.operator_key_file = one;
  options.settlement_key_file = one;
  const absl::Status same = LoadServeConfiguration(options).status();
  CHECK(absl::IsInvalidArgument(same));
  CHECK(same.message() ==
        one + " and " + one + " hold the same key: operator and settlement are two accounts");
  options.settlement_key_file = two;
  MakeJournal(Load(options));
  std::swap(options.operator_key_file, options.settlement_key_file);
  const absl::Status swapped = Exchange::Start(Load(options)).status();
  CHECK(absl::IsFailedPrecondition(swapped));
  CHECK(swapped.message() ==
        "the engine refuses the operator key (key_in_use): an account of another kind has it");
  std::swap(options.operator_key_file, options.settlement_key_file);
  MakeJournal(Load(options));
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

TEST_CASE("Addresses and origins are looked at before anything is made") {
  const test::TemporaryDirectory directory;
  const auto fault = [](const ServeOptions& options) {
    return std::string(LoadServeConfiguration(options).status().message());
  };
  for (std::string ServeOptions::*address : {&ServeOptions::listen, &ServeOptions::admin_listen}) {
    ServeOptions options = OptionsIn(directory);
    options.*address = "0.0.0.0:0";
    CHECK(fault(options).starts_with("will not listen on 0.0.0.0:0"));
    options.allow_plaintext_beyond_loopback = true;
    CHECK(LoadServeConfiguration(options).ok());
    options.*address = "localhost:1";
    CHECK(fault(options).starts_with("listen address \"localhost:1\""));
  }
  for (const char* origin : {"https://warpbook.example", "http://127.0.0.1:8080"}) {
    ServeOptions options = OptionsIn(directory);
    options.allowed_origins = {origin};
    CHECK(LoadServeConfiguration(options).ok());
  }
  for (const char* origin : {"", "warpbook.example", "https://", "https://warpbook.example/",
                             "ftp://warpbook.example", "https://Warpbook.example", "*"}) {
    ServeOptions options = OptionsIn(directory);
    options.allowed_origins = {origin};
    CHECK(fault(options).starts_with("allowed origin"));
  }
}

TEST_CASE(
    "TLS files are looked at before anything is made, and let a listener go beyond loopback") {
  const test::TemporaryDirectory directory;
  const auto fault_of = [&](const ServeOptions& options) {
    const absl::Status status = LoadServeConfiguration(options).status();
    CHECK(absl::IsInvalidArgument(status));
    return std::string(status.message());
  };
  ServeOptions options = OptionsIn(directory);
  options.tls = MakeCertificate(directory.path());
  options.listen = "0.0.0.0:0";
  CHECK(LoadServeConfiguration(options).ok());
  options.admin_listen = "0.0.0.0:0";
  CHECK(fault_of(options).find("--allow-plaintext-beyond-loopback") != std::string::npos);
  options.admin_tls = options.tls;
  CHECK(LoadServeConfiguration(options).ok());
  options.admin_tls.private_key.clear();
  CHECK(fault_of(options) == "--admin-tls-certificate and --admin-tls-key belong together");
  options.admin_tls = {};
  options.tls.certificate_chain = directory / "none";
  CHECK(fault_of(options) ==
        "cannot use the TLS certificate " + directory.path() + "/none: No such file or directory");
}

TEST_CASE("What the options allow, the server does") {
  const test::TemporaryDirectory directory;
  ServeOptions options = OptionsIn(directory);
  options.listen = "0.0.0.0:0";
  options.allow_plaintext_beyond_loopback = true;
  options.allowed_origins = {"https://a.example", "https://b.example"};
  const auto exchange = Exchange::Start(Load(options));
  REQUIRE(exchange.ok());
  const auto answer = [&](const std::string& origin) {
    return TestSocket((*exchange)->server().port())
        .Http(TestSocket::UpgradeRequest("Origin: " + origin + "\r\n"));
  };
  CHECK(answer("https://a.example").starts_with("HTTP/1.1 101"));
  CHECK(answer("https://b.example").starts_with("HTTP/1.1 101"));
  CHECK(answer("https://c.example").starts_with("HTTP/1.1 403"));
}

TEST_CASE("Who watches a window is told of its end, and so ends well") {
  LocalExchange exchange(1'200);  // a window takes three seconds
  for (const char* channel : {"book", "trades"}) {
    const CommandResult result = RunCommand(
        {"watch", channel, "H100-SXM.us-east", "--connect", exchange.address(), "--seconds", "30"});
    CAPTURE(result.error);
    CHECK(result.exit_code == 0);
    CHECK(result.out.ends_with(" is closed: its window is over\n"));
  }
}

}  // namespace warpbook::gateway
