#include "gateway/cli/demo/reconnecting_client.h"

#include <algorithm>
#include <utility>

namespace warpbook::gateway {
namespace {

using std::chrono::milliseconds;

// The first pause before another attempt; it doubles up to the longest.
constexpr milliseconds kPauseMin{200};
constexpr milliseconds kPauseMax{2'000};

}  // namespace

ReconnectingClient::ReconnectingClient(ClientLoop& loop, const std::string& address, uint64_t seed,
                                       Handlers handlers)
    : loop_(loop),
      address_(address),
      handlers_(std::move(handlers)),
      random_(seed),
      pause_(kPauseMin) {}

void ReconnectingClient::Start() {
  is_running_ = true;
  Connect();
}

void ReconnectingClient::Stop() {
  is_running_ = false;
  client_.reset();
}

void ReconnectingClient::Connect() {
  if (!is_running_) return;
  ConnectOptions options;
  options.address = address_;
  options.loop = &loop_;
  options.on_message = [this](const JsonValue& message, std::string_view) {
    handlers_.on_message(message);
  };
  options.on_closed = [this](const absl::Status& status) { Reconnect(status); };
  Client::ConnectAsync(options, [this](absl::StatusOr<std::unique_ptr<Client>> client) {
    if (!is_running_) return;
    if (!client.ok()) return Reconnect(client.status());
    client_ = *std::move(client);
    handlers_.on_connected(*client_);
  });
}

void ReconnectingClient::Reconnect(const absl::Status& why) {
  if (!is_running_) return;
  client_.reset();
  handlers_.on_lost(why);
  ConnectLater();
}

void ReconnectingClient::ConnectLater() {
  // Half of the pause is chance, so that many clients do not come back at one moment.
  std::uniform_int_distribution<int64_t> jitter(pause_.count() / 2, pause_.count());
  loop_.PostAfter(milliseconds(jitter(random_)), [this] { Connect(); });
  pause_ = std::min(pause_ * 2, kPauseMax);
}

Client::ReplyCallback ReconnectingClient::Unwrap(std::function<void(const Reply&)> on_reply) {
  return [this, on_reply = std::move(on_reply)](absl::StatusOr<Reply> reply) {
    // Leaving the connection here keeps its other calls, and on_closed, from telling it again.
    if (!reply.ok()) return Reconnect(reply.status());
    pause_ = kPauseMin;
    on_reply(*reply);
  };
}

void ReconnectingClient::Call(std::string_view method, const std::string& params,
                              std::function<void(const Reply&)> on_reply) {
  if (client_) client_->CallAsync(method, params, Unwrap(std::move(on_reply)));
}

void ReconnectingClient::Logon(AccountId account,
                               const std::shared_ptr<const Ed25519PrivateKey>& key,
                               std::function<void(const Reply&)> on_reply) {
  if (!client_) return;
  client_->LogonAsync(account, key,
                      Unwrap([this, on_reply = std::move(on_reply)](const Reply& reply) {
                        server_name_ = client_->server_name();
                        on_reply(reply);
                      }));
}

void ReconnectingClient::OpenAccount(const std::shared_ptr<const Ed25519PrivateKey>& key,
                                     std::function<void(const Reply&)> on_reply) {
  if (client_) client_->OpenAccountAsync(key, Unwrap(std::move(on_reply)));
}

}  // namespace warpbook::gateway
