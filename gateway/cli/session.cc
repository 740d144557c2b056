#include "gateway/cli/session.h"

#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/cli/key_files.h"
#include "schema/base/json_object.h"

namespace warpbook::gateway {
namespace {

// The operator's account is the first one that a new exchange opens (RegisterSystemKey at start).
constexpr AccountId kFirstOperatorAccount = AccountId(1);

absl::StatusOr<AccountId> AccountOf(const ClientOptions& options, Speaker speaker) {
  if (!options.account.empty()) return ResolveAccount(options.account);
  const absl::StatusOr<uint64_t> beside = LoadIdBeside(options.key, "account");
  if (beside.ok()) return AccountId(*beside);
  if (!absl::IsNotFound(beside.status())) return beside.status();
  if (speaker == Speaker::kOperator) return kFirstOperatorAccount;
  return absl::NotFoundError(absl::StrCat("no account is known for ", options.key,
                                          ": open one with `warpbook account "
                                          "open --key ",
                                          options.key, "`, or name it with --account"));
}

}  // namespace

void AddClientOptions(Command& command, Speaker speaker, ClientOptions& options) {
  if (speaker == Speaker::kOperator) {
    command
        .Text("--admin", options.admin,
              "Address of the gateway's admin listener; wss://host:port is by TLS")
        .Environment("WARPBOOK_ADMIN");
  } else {
    command.Text("--connect", options.connect, "Address of the gateway; wss://host:port is by TLS")
        .Environment("WARPBOOK_CONNECT");
  }
  command
      .Text("--authorities", options.authorities,
            "Who is believed to know the gateway (PEM); default: the system's authorities")
      .Environment("WARPBOOK_AUTHORITIES");
  if (speaker == Speaker::kOperator) {
    command.Text("--key", options.key, "The operator's key (PEM)")
        .Environment("WARPBOOK_OPERATOR_KEY")
        .Required();
  } else if (speaker == Speaker::kMember) {
    command.Text("--key", options.key, "Your key (PEM)").Environment("WARPBOOK_KEY").Required();
  }
  if (speaker != Speaker::kPublic) {
    command.Text("--account", options.account, "Account id; default: the one beside the key");
  }
  command.Flag("--json", options.json, "Print the gateway's answer as it came");
}

absl::StatusOr<CliSession> CliSession::Open(const ClientOptions& options, Speaker speaker,
                                            MessageCallback on_message,
                                            std::function<void(const absl::Status&)> on_closed) {
  // Key and account first: what is wrong on this side is told without a connection.
  std::optional<Ed25519PrivateKey> key;
  CliSession session;
  if (speaker != Speaker::kPublic) {
    absl::StatusOr<Ed25519PrivateKey> loaded = Ed25519PrivateKey::LoadPem(options.key);
    if (!loaded.ok()) return loaded.status();
    key = *std::move(loaded);
    const absl::StatusOr<AccountId> account = AccountOf(options, speaker);
    if (!account.ok()) return account.status();
    session.account_ = *account;
  }
  ConnectOptions connect;
  connect.address = speaker == Speaker::kOperator ? options.admin : options.connect;
  connect.authorities_file = options.authorities;
  connect.on_message = std::move(on_message);
  connect.on_closed = std::move(on_closed);
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(connect);
  if (!client.ok()) return client.status();
  session.client_ = *std::move(client);
  session.json_ = options.json;
  if (key) {
    const absl::StatusOr<Reply> reply = session.client_->Logon(session.account_, *key);
    if (!reply.ok()) return reply.status();
    if (!reply->success) return ReplyStatus(*reply);
  }
  return session;
}

absl::StatusOr<JsonValue> CliSession::Call(std::string_view method, const std::string& params) {
  absl::StatusOr<Reply> reply = client_->Call(method, params);
  if (!reply.ok()) return reply.status();
  if (json_) std::cout << reply->text << std::endl;
  if (!reply->success) return ReplyStatus(*reply);
  return std::move(reply->result);
}

absl::StatusOr<JsonValue> CliSession::Ask(std::string_view method, const std::string& params) {
  absl::StatusOr<Reply> reply = client_->Call(method, params);
  if (!reply.ok()) return reply.status();
  if (!reply->success) return ReplyStatus(*reply);
  return std::move(reply->result);
}

absl::StatusOr<std::string> CliSession::ServerName() {
  if (std::string name = client_->server_name(); !name.empty()) return name;
  const absl::StatusOr<JsonValue> status = Ask("session.status");
  if (!status.ok()) return status.status();
  return (*status)["server_name"].text();
}

int Finish(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  std::cerr << "warpbook: " << status.message() << std::endl;
  return kExitFailed;
}

void OnRunWithSession(Command& command, std::shared_ptr<ClientOptions> options, Speaker speaker,
                      std::function<absl::Status(CliSession&)> run) {
  AddClientOptions(command, speaker, *options);
  command.OnRun([options, speaker, run = std::move(run)] {
    absl::StatusOr<CliSession> session = CliSession::Open(*options, speaker);
    return Finish(session.ok() ? run(*session) : session.status());
  });
}

}  // namespace warpbook::gateway
