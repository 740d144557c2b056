#include "gateway/client/http_get.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/client/client_loop_impl.h"
#include "gateway/client/server_address.h"
#include "gateway/client/tls_client.h"

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Lives until its last handler has run.
class Getter : public std::enable_shared_from_this<Getter> {
 public:
  Getter(ClientLoop& loop, HttpGetOptions options,
         std::function<void(absl::StatusOr<HttpResponse>)> callback)
      : options_(std::move(options)),
        callback_(std::move(callback)),
        resolver_(loop.impl().context),
        timer_(loop.impl().context),
        socket_(loop.impl().context) {
    parser_.body_limit(options_.body_bytes_max);
  }

  void Start() {
    const auto address = ParseServerAddress(options_.address);
    if (!address.ok()) return Finish(address.status());
    address_ = *address;
    if (absl::Status ready = PrepareTls(); !ready.ok()) return Finish(ready);
    timer_.expires_after(options_.timeout);
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->Fail("no answer in time");
    });
    resolver_.async_resolve(
        address_.host, address_.port,
        [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
          if (error) return self->Fail("cannot resolve", error);
          self->Connect(found);
        });
  }

 private:
  absl::Status PrepareTls() {
    if (!address_.uses_tls) return absl::OkStatus();
    auto context = MakeTlsContext(options_.authorities_file);
    if (!context.ok()) return context.status();
    tls_context_ = *std::move(context);
    tls_.emplace(socket_, *tls_context_);
    ExpectHost(*tls_, address_.host);
    return absl::OkStatus();
  }

  void Connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints,
                        [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                          if (error) return self->Fail("cannot connect", error);
                          if (!self->tls_) return self->Ask(self->socket_);
                          self->ProveHost();
                        });
  }

  void ProveHost() {
    tls_->async_handshake(asio::ssl::stream_base::client,
                          [self = shared_from_this()](error_code error) {
                            if (error) return self->Fail("no TLS", error);
                            self->Ask(*self->tls_);
                          });
  }

  template <typename Stream>
  void Ask(Stream& stream) {
    request_.method(http::verb::get);
    request_.version(11);
    request_.target(options_.target);
    request_.set(http::field::host, absl::StrCat(address_.host, ":", address_.port));
    request_.keep_alive(false);
    http::async_write(stream, request_,
                      [self = shared_from_this(), &stream](error_code error, size_t) {
                        if (error) return self->Fail("cannot ask", error);
                        self->Read(stream);
                      });
  }

  template <typename Stream>
  void Read(Stream& stream) {
    http::async_read(stream, buffer_, parser_,
                     [self = shared_from_this()](error_code error, size_t) {
                       if (error) return self->Fail("no answer", error);
                       self->Finish(HttpResponse{self->parser_.get().result_int(),
                                                 std::move(self->parser_.get().body())});
                     });
  }

  void Fail(const char* what, error_code error = {}) {
    Finish(absl::UnavailableError(
        absl::StrCat(options_.address, ": ", what, error ? ": " + error.message() : "")));
  }

  // Once: what the end of the socket makes fail is told to nobody.
  void Finish(absl::StatusOr<HttpResponse> response) {
    const auto callback = std::exchange(callback_, nullptr);
    if (!callback) return;
    timer_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
    callback(std::move(response));
  }

  const HttpGetOptions options_;
  std::function<void(absl::StatusOr<HttpResponse>)> callback_;
  ServerAddress address_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  tcp::socket socket_;
  std::unique_ptr<asio::ssl::context> tls_context_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  http::request<http::empty_body> request_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
};

}  // namespace

void HttpGetAsync(ClientLoop& loop, HttpGetOptions options,
                  std::function<void(absl::StatusOr<HttpResponse>)> callback) {
  loop.Post([getter = std::make_shared<Getter>(loop, std::move(options), std::move(callback))] {
    getter->Start();
  });
}

absl::StatusOr<HttpResponse> HttpGet(HttpGetOptions options) {
  ClientLoop loop;
  auto promise = std::make_shared<std::promise<absl::StatusOr<HttpResponse>>>();
  HttpGetAsync(loop, std::move(options), [promise](absl::StatusOr<HttpResponse> response) {
    promise->set_value(std::move(response));
  });
  return promise->get_future().get();
}

}  // namespace warpbook::gateway
