// ReconnectingClient: a client that comes back. It connects, tells its owner, and after a lost
// connection tries again with growing, jittered pauses until it is stopped. Everything runs on the
// loop's thread, which must be the caller's (Start too). Stop it before the loop ends.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gateway/client/client.h"

namespace warpbook::gateway {

class ReconnectingClient {
 public:
  struct Handlers {
    // A new connection, not logged on.
    std::function<void(Client&)> on_connected;
    // A channel message.
    std::function<void(const JsonValue&)> on_message;
    // The connection is lost, or could not be made; another attempt follows. Calls under way end
    // without an answer.
    std::function<void(const absl::Status&)> on_lost;
  };

  ReconnectingClient(ClientLoop& loop, const std::string& address, uint64_t seed,
                     Handlers handlers);

  void Start();
  void Stop();
  bool is_connected() const { return client_ != nullptr; }

  // Calls; without a connection nothing happens. `on_reply` is not called when the connection is
  // lost first. A reply that does not come in time counts as a lost connection.
  void Call(std::string_view method, const std::string& params,
            std::function<void(const Reply&)> on_reply);
  void Logon(AccountId account, const std::shared_ptr<const Ed25519PrivateKey>& key,
             std::function<void(const Reply&)> on_reply);
  void OpenAccount(const std::shared_ptr<const Ed25519PrivateKey>& key,
                   std::function<void(const Reply&)> on_reply);
  // Leaves the connection and makes a new one.
  void Reconnect(const absl::Status& why);

  // The exchange's name; empty before the first logon.
  const std::string& server_name() const { return server_name_; }

 private:
  void Connect();
  void ConnectLater();
  Client::ReplyCallback Unwrap(std::function<void(const Reply&)> on_reply);

  ClientLoop& loop_;
  const std::string address_;
  const Handlers handlers_;
  std::mt19937_64 random_;
  std::unique_ptr<Client> client_;
  std::string server_name_;
  std::chrono::milliseconds pause_;
  bool is_running_ = false;
};

}  // namespace warpbook::gateway
