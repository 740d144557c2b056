// TestServer: a GatewayServer on ports of its own over a DirectExchange.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "gateway/net/server.h"
#include "schema/base/crypto.h"
#include "schema/types/ids.h"
#include "tests/gateway/support/direct_exchange.h"
#include "tests/gateway/support/test_socket.h"

namespace warpbook::gateway {

// Ports that the system chooses, on loopback.
GatewayServer::Options TestOptions();

class TestServer {
 public:
  explicit TestServer(GatewayServer::Options options = TestOptions());
  ~TestServer();

  uint16_t port() const { return server->port(); }
  uint16_t admin_port() const { return server->admin_port(); }

  // An account with that key, and logon with it, on an open connection.
  AccountId OpenAccount(TestSocket& socket, const Ed25519PrivateKey& key);
  void Logon(TestSocket& socket, AccountId account, const Ed25519PrivateKey& key);

  DirectExchange exchange;
  std::unique_ptr<GatewayServer> server;
};

// A signed session.logon, or account.open where the account is 0, with a fresh challenge.
std::string SignedRequest(TestSocket& socket, AccountId account, const Ed25519PrivateKey& key);

}  // namespace warpbook::gateway
