#include "tests/gateway/support/test_server.h"

#include <doctest/doctest.h>

#include "schema/base/log.h"
#include "schema/types/signed_messages.h"
#include "tests/gateway/support/json_text.h"
#include "tests/gateway/support/test_gateway.h"

namespace warpbook::gateway {

GatewayServer::Options TestOptions() {
  GatewayServer::Options options;
  options.listen = "127.0.0.1:0";
  options.admin_listen = "127.0.0.1:0";
  options.server_name = kTestServerName;
  return options;
}

TestServer::TestServer(GatewayServer::Options options) {
  SetLogLevel(LogLevel::kError);
  const size_t io_threads = options.io_threads;
  auto created = GatewayServer::Create(std::move(options), exchange.catalogue());
  REQUIRE_MESSAGE(created.ok(), std::string(created.status().message()));
  server = *std::move(created);
  for (const auto& batch : exchange.History()) REQUIRE(server->ApplyReplayed(*batch).ok());
  REQUIRE(server->Start(exchange.CreatePorts(io_threads), exchange.clock()).ok());
}

TestServer::~TestServer() { server->Stop(); }

std::string SignedRequest(TestSocket& socket, AccountId account, const Ed25519PrivateKey& key) {
  const std::string challenge = socket.Ask(RequestText("session.challenge"));
  return SignedLogonText(challenge, account, key, Timestamp(IntegerAt(challenge, "/result/time")));
}

AccountId TestServer::OpenAccount(TestSocket& socket, const Ed25519PrivateKey& key) {
  const std::string answer = socket.Ask(SignedRequest(socket, AccountId(), key));
  REQUIRE_MESSAGE(At(answer, "/success") == "true", answer);
  return AccountId(std::stoull(At(answer, "/result/account")));
}

void TestServer::Logon(TestSocket& socket, AccountId account, const Ed25519PrivateKey& key) {
  const std::string answer = socket.Ask(SignedRequest(socket, account, key));
  REQUIRE_MESSAGE(At(answer, "/success") == "true", answer);
}

}  // namespace warpbook::gateway
