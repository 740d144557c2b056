#include "tests/gateway/support/test_server.h"

#include <doctest/doctest.h>

#include "gateway/net/log.h"
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
  auto created = GatewayServer::Create(std::move(options), exchange.catalogue());
  REQUIRE_MESSAGE(created.ok(), std::string(created.status().message()));
  server = *std::move(created);
  for (const auto& batch : exchange.History()) server->ApplyReplayed(*batch);
  REQUIRE(server->Start(exchange.CreatePort(), exchange.clock()).ok());
}

TestServer::~TestServer() { server->Stop(); }

std::string SignedRequest(TestSocket& socket, AccountId account, const Ed25519PrivateKey& key) {
  const std::string challenge = socket.Ask(RequestText("session.challenge"));
  const std::string nonce_hex = At(challenge, "/result/nonce");
  REQUIRE(nonce_hex.size() == 64);
  LogonNonce nonce{};
  for (size_t i = 0; i < nonce.size(); ++i) {
    nonce[i] = static_cast<uint8_t>(std::stoi(nonce_hex.substr(2 * i, 2), nullptr, 16));
  }
  const Timestamp now(IntegerAt(challenge, "/result/time"));
  const auto signature = key.Sign(LogonMessage(kTestServerName, nonce, account, now));
  std::string params = "{";
  if (account) params += R"("account":")" + std::to_string(account.value()) + R"(",)";
  params += R"("public_key":")" + HexOf(key.public_key()) + R"(","timestamp":)" +
            std::to_string(now.micros()) + R"(,"signature":")" + HexOf(signature) + R"("})";
  return RequestText(account ? "session.logon" : "account.open", params);
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
