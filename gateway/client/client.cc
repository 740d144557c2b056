#include "gateway/client/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gateway/client/client_loop_impl.h"
#include "gateway/client/server_address.h"
#include "gateway/client/tls_client.h"
#include "schema/base/check.h"
#include "schema/base/clock.h"
#include "schema/base/json_object.h"
#include "schema/types/signed_messages.h"

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

// How long a destroyed client waits for the gateway to answer its close.
constexpr std::chrono::milliseconds kCloseWait{250};

template <size_t kSize>
std::string Hex(const std::array<uint8_t, kSize>& bytes) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

// A refusal's detail for people. Of these it is a time (engine/core/README.md, Details of a
// refusal), in microseconds since 1970.
std::string DetailOf(const Reply& reply) {
  for (const std::string_view code :
       {"lease_not_resalable", "lease_not_startable", "lease_start_too_late"}) {
    int64_t micros = 0;
    if (reply.code == code && absl::SimpleAtoi(reply.reason, &micros)) {
      return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMicros(micros),
                              absl::UTCTimeZone());
    }
  }
  return reply.reason;
}

Reply MakeReply(const JsonValue& message, std::string text) {
  Reply reply;
  reply.success = message["success"].flag();
  reply.sequence = static_cast<uint64_t>(message["seq"].integer());
  reply.text = std::move(text);
  if (reply.success) {
    reply.result = message["result"];
    reply.outcome = "accepted";
    return reply;
  }
  const JsonValue& error = message["error"];
  reply.code = error["code"].text();
  reply.number = static_cast<int>(error["number"].integer());
  reply.message = error["message"].text();
  reply.param = error["data"]["param"].text();
  reply.reason = error["data"]["reason"].text();
  reply.retry_after_us = error["data"]["retry_after_us"].integer();
  reply.outcome = error["outcome"].text();
  return reply;
}

// The nonce of a session.challenge; false where the gateway's answer holds none.
bool ReadNonce(const Reply& challenge, LogonNonce& nonce) {
  const std::string& hex = challenge.result["nonce"].text();
  if (hex.size() != 2 * nonce.size()) return false;
  const std::string bytes = absl::HexStringToBytes(hex);
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return true;
}

// Starts something that ends in a callback on the loop's thread, and waits for that.
template <typename Result, typename Start>
Result Wait(const ClientLoop& loop, const Start& start) {
  WARPBOOK_CHECK(!loop.IsCurrentThread());
  // Shared: set_value may still be returning when the waiter has gone on.
  auto promise = std::make_shared<std::promise<Result>>();
  start([promise](Result result) { promise->set_value(std::move(result)); });
  return promise->get_future().get();
}

// For a call that is over before its key's owner goes on.
std::shared_ptr<const Ed25519PrivateKey> Borrow(const Ed25519PrivateKey& key) {
  return {std::shared_ptr<void>(), &key};
}

}  // namespace

// Lives on the loop's thread; kept alive by its own handlers until the socket is done.
class Client::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(const ConnectOptions& options, ClientLoop& loop)
      : options_(options),
        loop_(loop),
        resolver_(loop.impl().context),
        deadline_timer_(loop.impl().context) {}

  ClientLoop& loop() { return loop_; }
  std::string server_name() const {
    const std::lock_guard lock(server_name_mutex_);
    return server_name_;
  }

  // Resolves, connects and shakes hands; then `done` is called once.
  void Start(std::function<void(absl::Status)> done);
  void Call(std::string method, std::string params, ReplyCallback callback);
  // Challenge, signature, then `method` (session.logon or account.open).
  void Authenticate(std::string method, AccountId account,
                    std::shared_ptr<const Ed25519PrivateKey> key, ReplyCallback callback);
  // Calls nobody back from now on and closes; `closed` is called when that is done.
  void Detach(std::function<void()> closed);

 private:
  struct PendingCall {
    std::string method;
    ReplyCallback callback;
  };

  absl::Status ReadAddress();
  absl::Status MakeStream();
  void Connect(const tcp::resolver::results_type& endpoints);
  void ProveHost();
  void Handshake();
  void Started(absl::Status status);
  absl::Status Unavailable(std::string_view what, const error_code& error) const {
    return absl::UnavailableError(
        absl::StrCat(options_.address, ": ", std::string(what), ": ", error.message()));
  }
  // `use(stream)`: the one that there is.
  template <typename Use>
  decltype(auto) WithStream(Use&& use) {
    return tls_ ? use(*tls_) : use(*plain_);
  }
  beast::tcp_stream& tcp_layer() {
    return tls_ ? beast::get_lowest_layer(*tls_) : beast::get_lowest_layer(*plain_);
  }

  absl::Status ClosedByGateway() {
    const websocket::close_reason reason = WithStream([](auto& stream) { return stream.reason(); });
    return absl::UnavailableError(absl::StrCat(options_.address, ": closed by the gateway (",
                                               reason.code, ") ", reason.reason.c_str()));
  }

  void Read();
  void Take(std::string_view text);
  void Write();
  void WatchDeadlines();
  void Lose(const absl::Status& status);

  const ConnectOptions options_;
  ClientLoop& loop_;
  tcp::resolver resolver_;
  // One of them, from Start on.
  std::optional<websocket::stream<beast::tcp_stream>> plain_;
  std::unique_ptr<ssl::context> tls_context_;
  std::optional<websocket::stream<beast::ssl_stream<beast::tcp_stream>>> tls_;
  asio::steady_timer deadline_timer_;
  bool uses_tls_ = false;
  std::string host_, port_;
  std::function<void(absl::Status)> started_;

  bool open_ = false;
  bool detached_ = false;
  absl::Status lost_ = absl::OkStatus();

  beast::flat_buffer read_buffer_;
  std::deque<std::string> write_queue_;
  bool writing_ = false;

  int64_t next_request_ = 1;
  absl::flat_hash_map<int64_t, PendingCall> calls_;
  // All calls wait equally long, so the oldest is due first.
  std::deque<std::pair<SteadyClock::time_point, int64_t>> deadlines_;
  bool watching_deadlines_ = false;

  mutable std::mutex server_name_mutex_;
  std::string server_name_;
};

// ---- Connecting
// ----------------------------------------------------------------------------------

absl::Status Client::Connection::ReadAddress() {
  const auto address = ParseServerAddress(options_.address);
  if (!address.ok()) return address.status();
  uses_tls_ = address->uses_tls;
  host_ = address->host;
  port_ = address->port;
  return absl::OkStatus();
}

absl::Status Client::Connection::MakeStream() {
  asio::io_context& io = loop_.impl().context;
  if (!uses_tls_) {
    plain_.emplace(io);
    return absl::OkStatus();
  }
  auto context = MakeTlsContext(options_.authorities_file);
  if (!context.ok()) return context.status();
  tls_context_ = *std::move(context);
  tls_.emplace(io, *tls_context_);
  ExpectHost(tls_->next_layer(), host_);
  return absl::OkStatus();
}

void Client::Connection::Start(std::function<void(absl::Status)> done) {
  started_ = std::move(done);
  absl::Status ready = ReadAddress();
  if (ready.ok()) ready = MakeStream();
  if (!ready.ok()) return Started(std::move(ready));
  // A literal address needs no resolver (which would start a thread).
  error_code not_literal;
  const asio::ip::address literal = asio::ip::make_address(host_, not_literal);
  int number = 0;
  if (!not_literal && absl::SimpleAtoi(port_, &number) && number > 0 && number < 65'536) {
    const tcp::endpoint endpoint(literal, static_cast<uint16_t>(number));
    return Connect(tcp::resolver::results_type::create(endpoint, host_, port_));
  }
  resolver_.async_resolve(
      host_, port_,
      [self = shared_from_this()](error_code error, tcp::resolver::results_type endpoints) {
        if (error) return self->Started(self->Unavailable("cannot resolve", error));
        self->Connect(endpoints);
      });
}

void Client::Connection::Connect(const tcp::resolver::results_type& endpoints) {
  tcp_layer().expires_after(options_.connect_timeout);
  tcp_layer().async_connect(endpoints,
                            [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                              if (error)
                                return self->Started(self->Unavailable("cannot connect", error));
                              self->tls_ ? self->ProveHost() : self->Handshake();
                            });
}

// Within the time that connecting may take.
void Client::Connection::ProveHost() {
  tls_->next_layer().async_handshake(ssl::stream_base::client,
                                     [self = shared_from_this()](error_code error) {
                                       if (error)
                                         return self->Started(self->Unavailable("no TLS", error));
                                       self->Handshake();
                                     });
}

void Client::Connection::Handshake() {
  tcp_layer().expires_never();
  error_code ignored;
  tcp_layer().socket().set_option(tcp::no_delay(true), ignored);
  websocket::stream_base::timeout timeouts{};
  timeouts.handshake_timeout = options_.connect_timeout;
  timeouts.idle_timeout = options_.idle_timeout;
  timeouts.keep_alive_pings = true;
  WithStream([&](auto& stream) {
    stream.set_option(timeouts);
    stream.read_message_max(kMessageBytesMax);
    stream.auto_fragment(false);
    stream.async_handshake(
        absl::StrCat(host_, ":", port_), "/ws", [self = shared_from_this()](error_code error) {
          if (error) return self->Started(self->Unavailable("no WebSocket at /ws", error));
          self->open_ = true;
          self->Read();
          self->Started(absl::OkStatus());
        });
  });
}

void Client::Connection::Started(absl::Status status) {
  if (!status.ok()) lost_ = status;
  std::exchange(started_, nullptr)(std::move(status));
}

// ---- Messages
// ------------------------------------------------------------------------------------

void Client::Connection::Read() {
  const auto on_read = [self = shared_from_this()](error_code error, size_t size) {
    if (error == websocket::error::closed) return self->Lose(self->ClosedByGateway());
    if (error) return self->Lose(self->Unavailable("connection lost", error));
    self->Take({static_cast<const char*>(self->read_buffer_.data().data()), size});
    self->read_buffer_.consume(size);
    if (self->open_) self->Read();
  };
  WithStream([&](auto& stream) { stream.async_read(read_buffer_, on_read); });
}

void Client::Connection::Take(std::string_view text) {
  if (detached_) return;
  const absl::StatusOr<JsonValue> message = JsonValue::Parse(text);
  if (!message.ok()) {
    return Lose(absl::UnavailableError(absl::StrCat(options_.address, ": the gateway sent what is ",
                                                    std::string(message.status().message()))));
  }
  const auto call = calls_.find((*message)["req_id"].integer());
  if (message->Has("success") && call != calls_.end()) {
    const ReplyCallback callback = std::move(call->second.callback);
    calls_.erase(call);
    return callback(MakeReply(*message, std::string(text)));
  }
  // A reply whose caller has given up is nobody's.
  if (message->Has("req_id")) return;
  if (options_.on_message) options_.on_message(*message, text);
}

void Client::Connection::Call(std::string method, std::string params, ReplyCallback callback) {
  if (detached_) return;
  if (!open_) {
    return callback(lost_.ok() ? absl::UnavailableError("the connection is not open") : lost_);
  }
  if (calls_.size() >= kInFlightMax) {
    return callback(absl::ResourceExhaustedError("too many calls are waiting for their reply"));
  }
  const int64_t request = next_request_++;
  std::string text =
      JsonObject().Text("method", method).Integer("req_id", request).Raw("params", params).Build();
  calls_.emplace(request, PendingCall{std::move(method), std::move(callback)});
  deadlines_.emplace_back(SteadyClock::now() + options_.call_timeout, request);
  WatchDeadlines();
  write_queue_.push_back(std::move(text));
  if (!writing_) Write();
}

void Client::Connection::Write() {
  writing_ = true;
  const auto on_written = [self = shared_from_this()](error_code error, size_t) {
    self->writing_ = false;
    if (error) return self->Lose(self->Unavailable("connection lost", error));
    self->write_queue_.pop_front();
    if (!self->write_queue_.empty() && self->open_) self->Write();
  };
  WithStream(
      [&](auto& stream) { stream.async_write(asio::buffer(write_queue_.front()), on_written); });
}

// One timer for all calls: waits for the oldest, ends those that are due, and goes on.
void Client::Connection::WatchDeadlines() {
  if (watching_deadlines_ || deadlines_.empty()) return;
  watching_deadlines_ = true;
  deadline_timer_.expires_at(deadlines_.front().first);
  deadline_timer_.async_wait([self = shared_from_this()](error_code error) {
    self->watching_deadlines_ = false;
    if (error || self->detached_) return;
    const SteadyClock::time_point now = SteadyClock::now();
    while (!self->deadlines_.empty() && self->deadlines_.front().first <= now) {
      const auto call = self->calls_.find(self->deadlines_.front().second);
      self->deadlines_.pop_front();
      if (call == self->calls_.end()) continue;
      const PendingCall late = std::move(call->second);
      self->calls_.erase(call);
      late.callback(absl::DeadlineExceededError(
          absl::StrCat(self->options_.address, ": no reply to ", late.method, " in time")));
      if (self->detached_) return;
    }
    self->WatchDeadlines();
  });
}

void Client::Connection::Lose(const absl::Status& status) {
  if (!open_) return;
  open_ = false;
  lost_ = status;
  deadline_timer_.cancel();
  tcp_layer().close();
  if (detached_) return;
  auto calls = std::exchange(calls_, {});
  for (auto& [request, call] : calls) {
    call.callback(status);
    if (detached_) return;
  }
  if (options_.on_closed) options_.on_closed(status);
}

void Client::Connection::Detach(std::function<void()> closed) {
  detached_ = true;
  calls_.clear();
  deadline_timer_.cancel();
  resolver_.cancel();
  if (!open_) {
    if (tls_ || plain_) tcp_layer().close();
    return closed();
  }
  const auto on_closed = [self = shared_from_this(), closed = std::move(closed)](error_code) {
    closed();
  };
  WithStream([&](auto& stream) { stream.async_close(websocket::close_code::normal, on_closed); });
}

// ---- Logging on
// ----------------------------------------------------------------------------------

void Client::Connection::Authenticate(std::string method, AccountId account,
                                      std::shared_ptr<const Ed25519PrivateKey> key,
                                      ReplyCallback callback) {
  Call("session.challenge", "{}",
       [this, method = std::move(method), account, key = std::move(key),
        callback = std::move(callback)](absl::StatusOr<Reply> challenge) {
         if (!challenge.ok() || !challenge->success) return callback(std::move(challenge));
         LogonNonce nonce;
         if (!ReadNonce(*challenge, nonce)) {
           return callback(absl::UnavailableError("the gateway's challenge holds no nonce"));
         }
         {
           const std::lock_guard lock(server_name_mutex_);
           server_name_ = challenge->result["server_name"].text();
         }
         const Timestamp now(SystemClock().NowMicros());
         const auto signature = key->Sign(LogonMessage(server_name(), nonce, account, now));
         JsonObject params;
         if (account) params.Id("account", account.value());
         params.Text("public_key", Hex(key->public_key()))
             .Integer("timestamp", now.micros())
             .Text("signature", Hex(signature));
         Call(method, params.Build(), callback);
       });
}

// ---- Client
// --------------------------------------------------------------------------------------

absl::Status ReplyStatus(const Reply& reply) {
  if (reply.success) return absl::OkStatus();
  std::string text = absl::StrCat(reply.message, " (", reply.code, ", ", reply.number, ")");
  if (!reply.param.empty()) absl::StrAppend(&text, " Parameter: ", reply.param, ".");
  if (!reply.reason.empty()) absl::StrAppend(&text, " Detail: ", DetailOf(reply), ".");
  return absl::FailedPreconditionError(text);
}

Client::Client(ClientLoop& loop, std::shared_ptr<Connection> connection)
    : loop_(loop), connection_(std::move(connection)) {}

Client::~Client() {
  if (loop_.IsCurrentThread()) {
    connection_->Detach([] {});
    return;
  }
  // Shared: the wait may end before the close does.
  auto closed = std::make_shared<std::promise<void>>();
  loop_.PostAndWait([&] { connection_->Detach([closed] { closed->set_value(); }); });
  closed->get_future().wait_for(kCloseWait);
}

void Client::ConnectAsync(const ConnectOptions& options, ConnectCallback callback) {
  WARPBOOK_CHECK(options.loop != nullptr);
  ClientLoop& loop = *options.loop;
  auto connection = std::make_shared<Connection>(options, loop);
  loop.Post([connection, callback = std::move(callback)] {
    connection->Start([connection = connection.get(), callback](absl::Status status) {
      if (!status.ok()) return callback(std::move(status));
      callback(
          std::unique_ptr<Client>(new Client(connection->loop(), connection->shared_from_this())));
    });
  });
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ConnectOptions& options) {
  std::unique_ptr<ClientLoop> own_loop;
  ConnectOptions with_loop = options;
  if (with_loop.loop == nullptr) {
    own_loop = std::make_unique<ClientLoop>();
    with_loop.loop = own_loop.get();
  }
  auto client = Wait<absl::StatusOr<std::unique_ptr<Client>>>(
      *with_loop.loop, [&](auto callback) { ConnectAsync(with_loop, std::move(callback)); });
  if (client.ok()) (*client)->own_loop_ = std::move(own_loop);
  return client;
}

void Client::CallAsync(std::string_view method, const std::string& params_json,
                       ReplyCallback callback) {
  loop_.Post([connection = connection_, method = std::string(method), params_json,
              callback = std::move(callback)] { connection->Call(method, params_json, callback); });
}

void Client::LogonAsync(AccountId account, std::shared_ptr<const Ed25519PrivateKey> key,
                        ReplyCallback callback) {
  loop_.Post(
      [connection = connection_, account, key = std::move(key), callback = std::move(callback)] {
        connection->Authenticate("session.logon", account, key, callback);
      });
}

void Client::OpenAccountAsync(std::shared_ptr<const Ed25519PrivateKey> key,
                              ReplyCallback callback) {
  loop_.Post([connection = connection_, key = std::move(key), callback = std::move(callback)] {
    connection->Authenticate("account.open", AccountId(), key, callback);
  });
}

absl::StatusOr<Reply> Client::Call(std::string_view method, const std::string& params_json) {
  return Wait<absl::StatusOr<Reply>>(
      loop_, [&](auto callback) { CallAsync(method, params_json, std::move(callback)); });
}

absl::StatusOr<Reply> Client::Logon(AccountId account, const Ed25519PrivateKey& key) {
  return Wait<absl::StatusOr<Reply>>(
      loop_, [&](auto callback) { LogonAsync(account, Borrow(key), std::move(callback)); });
}

absl::StatusOr<Reply> Client::OpenAccount(const Ed25519PrivateKey& key) {
  return Wait<absl::StatusOr<Reply>>(
      loop_, [&](auto callback) { OpenAccountAsync(Borrow(key), std::move(callback)); });
}

std::string Client::server_name() const { return connection_->server_name(); }

}  // namespace warpbook::gateway
