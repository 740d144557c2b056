// Client: one WebSocket connection to a Warpbook gateway (the API's letter: 4-gateway-api of the
// design). Requests are answered through replies with their number; channel messages go to a
// callback.
//
// A client lives as long as its connection. When that is lost, every call under way and every later
// one answers absl::UnavailableError, on_closed is called once, and the object is of no more use:
// the caller makes a new one, logs on again, subscribes again (each channel begins with its
// snapshot) and asks account.orders / account.leases what became of what it had sent. Whether a
// call that was under way took effect is not known then; a client order id makes asking again safe.
//
// Threads: all callbacks run on the loop's thread. Connect, Call, Logon and OpenAccount block and
// must not be called there (CHECKed); the Async forms may be called from any thread. A client may
// be destroyed on any thread (on the loop's only where the caller owns the loop), also in its own
// callbacks; once the destructor has returned, none of its callbacks runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/client/client_loop.h"
#include "gateway/client/json_value.h"
#include "schema/base/crypto.h"
#include "schema/types/ids.h"

namespace warpbook::gateway {

// The gateway's answer to one request.
struct Reply {
  bool success = false;
  JsonValue result;  // where success
  // Where not success (RejectReason's code and number; outcome: rejected, accepted or unknown).
  std::string code;
  int number = 0;
  std::string message;
  std::string param;   // the parameter at fault, or empty
  std::string reason;  // more about it, or empty
  int64_t retry_after_us = 0;
  std::string outcome;

  uint64_t sequence = 0;  // of the command in the journal; 0: none
  std::string text;       // the whole reply as it came
};

// Ok where the reply is a success; else FailedPrecondition with "message (code, number)", the
// parameter and the detail.
absl::Status ReplyStatus(const Reply& reply);

struct ConnectOptions {
  // host:port, or with a scheme: ws://host:port is the same, wss://host:port is by TLS. The gateway
  // has to prove that it is that host.
  std::string address = "127.0.0.1:7400";
  // A PEM file of the authorities that are believed; "": the system's.
  std::string authorities_file;
  std::chrono::milliseconds connect_timeout{5'000};
  // How long a call waits for its reply: above the 10 s that the gateway waits for settlement.
  std::chrono::milliseconds call_timeout{15'000};
  // A connection on which nothing arrived for this long is asked by a ping, and is lost when that
  // is not answered either.
  std::chrono::milliseconds idle_timeout{30'000};
  // The loop that drives it, which must outlive the client; null: one of its own.
  ClientLoop* loop = nullptr;
  // Channel messages, parsed and as they came.
  std::function<void(const JsonValue& message, std::string_view text)> on_message;
  // The connection is lost (not called when the client is destroyed).
  std::function<void(const absl::Status& status)> on_closed;
};

class Client {
 public:
  // Calls under way at once; one more answers ResourceExhausted.
  static constexpr size_t kInFlightMax = 1'024;
  // The largest message taken from the gateway.
  static constexpr size_t kMessageBytesMax = 16u << 20;

  using ReplyCallback = std::function<void(absl::StatusOr<Reply>)>;
  using ConnectCallback = std::function<void(absl::StatusOr<std::unique_ptr<Client>>)>;

  // Unavailable, with the address and the cause, where nothing answers there.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const ConnectOptions& options);
  // The same without waiting; options.loop is needed (CHECKed).
  static void ConnectAsync(const ConnectOptions& options, ConnectCallback callback);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends {"method":method,"req_id":N,"params":params} and waits. A refusal is a Reply;
  // a Status is Unavailable (connection lost), DeadlineExceeded (no reply in call_timeout: outcome
  // not known) or ResourceExhausted.
  absl::StatusOr<Reply> Call(std::string_view method, const std::string& params_json = "{}");
  // The same without waiting. The callback is called exactly once, unless the client is destroyed
  // first.
  void CallAsync(std::string_view method, const std::string& params_json, ReplyCallback callback);

  // session.challenge and session.logon with a signature of the key.
  absl::StatusOr<Reply> Logon(AccountId account, const Ed25519PrivateKey& key);
  // session.challenge and account.open; the reply's result names the account.
  absl::StatusOr<Reply> OpenAccount(const Ed25519PrivateKey& key);
  // The same without waiting. The key is used when the challenge has come.
  void LogonAsync(AccountId account, std::shared_ptr<const Ed25519PrivateKey> key,
                  ReplyCallback callback);
  void OpenAccountAsync(std::shared_ptr<const Ed25519PrivateKey> key, ReplyCallback callback);

  // The exchange's name, which signatures contain; known after a logon or an account.open, else
  // empty.
  std::string server_name() const;

 private:
  class Connection;
  Client(ClientLoop& loop, std::shared_ptr<Connection> connection);

  ClientLoop& loop_;
  std::unique_ptr<ClientLoop> own_loop_;  // where Connect made one; then loop_ is this one
  std::shared_ptr<Connection> connection_;
};

}  // namespace warpbook::gateway
