// CliSession: what a command needs to talk to the gateway: the options that all such commands
// share, a connection, and a logon with the key that was named.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/client/client.h"
#include "schema/base/command_line.h"

namespace warpbook::gateway {

// Who a command speaks as: nobody (public data), a member, or an operator on the admin listener.
enum class Speaker { kPublic, kMember, kOperator };

struct ClientOptions {
  std::string connect = "127.0.0.1:7400";
  std::string admin = "127.0.0.1:7401";
  std::string authorities;  // path of a PEM file, for wss://; "": the system's
  std::string key;          // likewise
  std::string account;      // an id; empty: the one beside the key
  bool json = false;
};

// Adds --connect or --admin, --key and --account as the speaker needs them, and --json.
void AddClientOptions(Command& command, Speaker speaker, ClientOptions& options);

class CliSession {
 public:
  using MessageCallback = std::function<void(const JsonValue& message, std::string_view text)>;

  // Connects and, for a member or an operator, logs on.
  static absl::StatusOr<CliSession> Open(
      const ClientOptions& options, Speaker speaker, MessageCallback on_message = nullptr,
      std::function<void(const absl::Status&)> on_closed = nullptr);

  // Calls; a refusal is a FailedPrecondition. With --json the reply, a refusal's too, is printed
  // as it came.
  absl::StatusOr<JsonValue> Call(std::string_view method, const std::string& params = "{}");
  // The same, never printed.
  absl::StatusOr<JsonValue> Ask(std::string_view method, const std::string& params = "{}");

  Client& client() { return *client_; }
  AccountId account() const { return account_; }
  bool json() const { return json_; }
  // The exchange's name, for signatures: asked for where it is not known yet.
  absl::StatusOr<std::string> ServerName();

 private:
  std::unique_ptr<Client> client_;
  AccountId account_;
  bool json_ = false;
};

// Prints a failure as "warpbook: ..." to standard error and gives the exit code.
int Finish(const absl::Status& status);

// Registers what a command does: opens a session and runs the function with it.
void OnRunWithSession(Command& command, std::shared_ptr<ClientOptions> options, Speaker speaker,
                      std::function<absl::Status(CliSession&)> run);

}  // namespace warpbook::gateway
