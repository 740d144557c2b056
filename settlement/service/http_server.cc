#include "settlement/service/http_server.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/base/json_object.h"

namespace warpbook::settlement {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// How long to wait after a failed accept: no descriptors left, most likely.
constexpr std::chrono::milliseconds kAcceptRetry(100);
// What is read and thrown away of a connection that is at its end.
constexpr size_t kDiscardBytes = 4 * 1024;
constexpr size_t kDiscardBytesMax = 256 * 1024;
constexpr std::chrono::milliseconds kDiscardTime(1'000);

absl::StatusOr<tcp::endpoint> ParseAddress(const HttpServer::Options& options) {
  const std::string& text = options.address;
  const auto fault = [&text](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("HTTP address \"", text, "\": ", what));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return fault("no port");
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end) return fault("the port is not 0 to 65535");
  error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad) return fault("not a numeric address, as 127.0.0.1:7402");
  if (!address.is_loopback() && !options.allow_beyond_loopback) {
    return fault(
        "it is not a loopback address, and everybody who reaches it may read every account; to "
        "listen there nevertheless, say --allow-http-beyond-loopback");
  }
  return tcp::endpoint(address, port);
}

}  // namespace

HttpAnswer HttpError(unsigned status, std::string_view code, std::string_view message) {
  const std::string reason = JsonObject().Text("code", code).Text("message", message).Build();
  return {status, JsonObject().Raw("error", reason).Build()};
}

// Lives on its own thread but for Start, Stop and what handlers answer.
class HttpServer::Impl {
 public:
  Impl(Options options, Handler handler)
      : options_(std::move(options)), handler_(std::move(handler)), acceptor_(io_), retry_(io_) {}

  absl::Status Listen() {
    const auto endpoint = ParseAddress(options_);
    if (!endpoint.ok()) return endpoint.status();
    error_code error;
    acceptor_.open(endpoint->protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(*endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("cannot listen on ", options_.address, ": ", error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return absl::OkStatus();
  }
  void Stop() {
    if (!thread_.joinable()) return;
    io_.stop();
    thread_.join();
  }
  uint16_t port() const { return port_; }

 private:
  class Connection;

  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (!error) {
        Serve(std::move(socket));
        return Accept();
      }
      retry_.expires_after(kAcceptRetry);
      retry_.async_wait([this](error_code cancelled) {
        if (!cancelled) Accept();
      });
    });
  }
  void Serve(tcp::socket socket);

  const Options options_;
  const Handler handler_;
  size_t connections_ = 0;
  asio::io_context io_{1};  // what waits in it holds connections
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  uint16_t port_ = 0;
  std::thread thread_;
};

// One request after another. Kept alive by what it waits for.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket) : server_(server), stream_(std::move(socket)) {
    ++server_.connections_;
  }
  ~Connection() { --server_.connections_; }

  void Read() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(server_.options_.header_bytes_max));
    parser_->body_limit(0);
    stream_.expires_after(server_.options_.read_timeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

 private:
  void OnRead(error_code error) {
    stream_.expires_never();
    if (error == http::error::body_limit) {
      return Refuse(HttpError(400, "bad_request", "Nothing may follow the request's header."));
    }
    if (error == http::error::header_limit) {
      return Refuse(HttpError(431, "header_too_large", "The request's header is too large."));
    }
    // Beast's own errors are of its parser; others are the connection's end.
    if (error && error.category() == make_error_code(http::error::bad_method).category() &&
        error != http::error::end_of_stream && error != http::error::partial_message) {
      return Refuse(HttpError(400, "bad_request", "The request is no HTTP."));
    }
    if (error) return;
    const auto& request = parser_->get();
    const bool is_head = request.method() == http::verb::head;
    if (!is_head && request.method() != http::verb::get) {
      return Refuse(HttpError(405, "method_not_allowed", "This is to be read only: GET or HEAD."));
    }
    const std::string target(request.target().data(), request.target().size());
    server_.handler_(target, [self = shared_from_this(), is_head,
                              keep_alive = request.keep_alive()](HttpAnswer answer) mutable {
      // Not even its end may be another thread's.
      asio::io_context& io = self->server_.io_;
      asio::post(io, [self = std::move(self), is_head, keep_alive, answer = std::move(answer)] {
        self->Write(answer, keep_alive, is_head);
      });
    });
  }

  void Refuse(const HttpAnswer& answer) { Write(answer, /*keep_alive=*/false, /*is_head=*/false); }

  void Write(const HttpAnswer& answer, bool keep_alive, bool is_head) {
    response_ = {};
    response_.version(11);
    response_.result(answer.status);
    response_.set(http::field::server, "warpbook-settlement");
    response_.set(http::field::content_type,
                  beast::string_view(answer.content_type.data(), answer.content_type.size()));
    response_.set(http::field::cache_control, "no-store");
    if (answer.status == 405) response_.set(http::field::allow, "GET, HEAD");
    response_.keep_alive(keep_alive);
    response_.content_length(answer.body.size());
    if (!is_head) response_.body() = answer.body;
    stream_.expires_after(server_.options_.write_timeout);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep_alive](error_code error, size_t) {
                        if (error) return;
                        if (keep_alive) return self->Read();
                        error_code ignored;
                        self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
                        self->Discard();
                      });
  }

  // What still comes: a socket that is closed with unread bytes is reset, and the answer lost.
  void Discard() {
    buffer_.clear();
    stream_.expires_after(kDiscardTime);
    stream_.async_read_some(buffer_.prepare(kDiscardBytes),
                            [self = shared_from_this()](error_code error, size_t size) {
                              self->discarded_ += size;
                              if (!error && self->discarded_ < kDiscardBytesMax) self->Discard();
                            });
  }

  Impl& server_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::empty_body>> parser_;
  http::response<http::string_body> response_;
  size_t discarded_ = 0;
};

void HttpServer::Impl::Serve(tcp::socket socket) {
  if (connections_ >= options_.connections_max) return;  // the socket closes
  std::make_shared<Connection>(*this, std::move(socket))->Read();
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { Stop(); }

absl::Status HttpServer::CheckAddress(const Options& options) {
  return ParseAddress(options).status();
}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(Options options, Handler handler) {
  auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
  if (absl::Status status = impl->Listen(); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::Stop() { impl_->Stop(); }
uint16_t HttpServer::port() const { return impl_->port(); }

}  // namespace warpbook::settlement
