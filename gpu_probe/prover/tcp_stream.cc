#include "gpu_probe/prover/tcp_stream.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <charconv>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace warpbook::probe {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

absl::Status StatusOf(const error_code& error, std::string_view what) {
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      std::string(what), ": ",
      error == asio::error::eof ? "the other side closed the connection" : error.message()));
}

absl::Status TimeIsUp(std::string_view what) {
  return absl::DeadlineExceededError(absl::StrCat(std::string(what), ": the time is up"));
}

std::string TextOf(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? absl::StrCat("[", host, "]:", endpoint.port())
                                    : absl::StrCat(host, ":", endpoint.port());
}

struct HostAndPort {
  std::string host;
  uint16_t port = 0;
};

absl::StatusOr<HostAndPort> Split(const std::string& address) {
  const auto fault = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not an address as in 127.0.0.1:7400, [::1]:7400"));
  };
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return fault();
  HostAndPort parts{.host = address.substr(0, colon)};
  const char* const end = address.data() + address.size();
  const auto [stop, error] = std::from_chars(address.data() + colon + 1, end, parts.port);
  if (error != std::errc() || stop != end || colon + 1 == address.size()) return fault();
  const bool bracketed = parts.host.starts_with('[') && parts.host.ends_with(']');
  if (bracketed) parts.host = parts.host.substr(1, parts.host.size() - 2);
  if (parts.host.empty() || (parts.host.find(':') != std::string::npos) != bracketed) {
    return fault();
  }
  return parts;
}

constexpr std::chrono::milliseconds kCancelAgain{5};

bool IsSet(const std::atomic<bool>* stop) { return stop != nullptr && stop->load(); }

// Runs what was started until it is done, the moment has passed or `stop` is set; then it is
// cancelled by `cancel`, and still waited for. Whether it was done in time.
//
// A cancel meets only what waits at that moment. An operation of many steps, one of which was just
// done, begins the next step after it and would wait for the other side for ever: so it is
// cancelled again and again.
template <typename Cancel>
bool RunUntil(asio::io_context& context, Moment until, const std::atomic<bool>* stop,
              const Cancel& cancel) {
  context.restart();
  do {
    context.run_until(std::min(until, In(kLook)));
    if (context.stopped()) return true;
  } while (std::chrono::steady_clock::now() < until && !IsSet(stop));
  do {
    cancel();
    context.run_for(kCancelAgain);
  } while (!context.stopped());
  return false;
}

// The addresses of a name. The system's resolver cannot be told to stop, so a thread of its own is
// left to it, which nobody waits for longer than until then.
absl::StatusOr<tcp::resolver::results_type> Resolve(const HostAndPort& parts,
                                                    const std::string& address, Moment until) {
  error_code not_numeric;
  const asio::ip::address numeric = asio::ip::make_address(parts.host, not_numeric);
  const std::string port = std::to_string(parts.port);
  if (!not_numeric) {
    return tcp::resolver::results_type::create(tcp::endpoint(numeric, parts.port), parts.host,
                                               port);
  }
  using Found = std::pair<error_code, tcp::resolver::results_type>;
  auto promise = std::make_shared<std::promise<Found>>();
  std::future<Found> future = promise->get_future();
  std::thread([promise, host = parts.host, port] {
    asio::io_context context;
    tcp::resolver resolver(context);
    Found found;
    found.second = resolver.resolve(host, port, found.first);
    promise->set_value(std::move(found));
  }).detach();
  if (future.wait_until(until) != std::future_status::ready) return TimeIsUp(address);
  Found found = future.get();
  if (found.first) return StatusOf(found.first, address);
  return std::move(found.second);
}

}  // namespace

struct TcpStream::Socket {
  asio::io_context context;
  tcp::socket socket{context};

  // Starts an operation with a handler that keeps its error. One that tries address after address
  // ends when the socket is closed alone.
  template <typename Start>
  absl::Status Do(Moment until, std::string_view what, const std::atomic<bool>* stop,
                  const Start& start, bool closes = false) {
    if (until <= std::chrono::steady_clock::now()) return TimeIsUp(what);
    error_code result;
    start([&result](const error_code& error, auto&&...) { result = error; });
    const bool in_time = RunUntil(context, until, stop, [this, closes] {
      error_code ignored;
      if (closes) {
        socket.close(ignored);
      } else {
        socket.cancel(ignored);
      }
    });
    if (!in_time && result == asio::error::operation_aborted) {
      return IsSet(stop) ? absl::CancelledError("given up") : TimeIsUp(what);
    }
    return StatusOf(result, what);
  }
};

TcpStream::TcpStream(std::unique_ptr<Socket> socket, std::string peer)
    : socket_(std::move(socket)), peer_(std::move(peer)) {
  error_code ignored;
  socket_->socket.set_option(tcp::no_delay(true), ignored);
}
TcpStream::TcpStream(TcpStream&&) noexcept = default;
TcpStream& TcpStream::operator=(TcpStream&&) noexcept = default;
TcpStream::~TcpStream() = default;

absl::StatusOr<TcpStream> TcpStream::Connect(const std::string& address, Moment until) {
  const absl::StatusOr<HostAndPort> parts = Split(address);
  if (!parts.ok()) return parts.status();
  auto socket = std::make_unique<Socket>();
  const auto found = Resolve(*parts, address, until);
  if (!found.ok()) return found.status();
  const absl::Status connected = socket->Do(
      until, address, nullptr,
      [&](auto handler) { asio::async_connect(socket->socket, *found, std::move(handler)); }, true);
  if (!connected.ok()) return connected;
  return TcpStream(std::move(socket), address);
}

absl::Status TcpStream::Read(std::span<char> bytes, Moment until) {
  if (bytes.empty()) return absl::OkStatus();
  return socket_->Do(until, peer_, stop_, [&](auto handler) {
    asio::async_read(socket_->socket, asio::buffer(bytes.data(), bytes.size()), std::move(handler));
  });
}

absl::Status TcpStream::Write(std::string_view bytes, Moment until) {
  return socket_->Do(until, peer_, stop_, [&](auto handler) {
    asio::async_write(socket_->socket, asio::buffer(bytes.data(), bytes.size()),
                      std::move(handler));
  });
}

bool TcpStream::HasInput() {
  pollfd readable = {.fd = socket_->socket.native_handle(), .events = POLLIN, .revents = 0};
  return poll(&readable, 1, 0) > 0;
}

void TcpStream::Finish(Moment until) {
  error_code ignored;
  socket_->socket.shutdown(tcp::socket::shutdown_send, ignored);
  std::array<char, 65'536> thrown_away;
  while (Read(thrown_away, until).ok()) {
  }
  socket_->socket.close(ignored);
}

struct TcpListener::Acceptor {
  asio::io_context context;
  tcp::acceptor acceptor{context};
};

TcpListener::TcpListener(std::unique_ptr<Acceptor> acceptor) : acceptor_(std::move(acceptor)) {}
TcpListener::TcpListener(TcpListener&&) noexcept = default;
TcpListener::~TcpListener() = default;

absl::StatusOr<TcpListener> TcpListener::Listen(const std::string& address, bool anywhere) {
  const absl::StatusOr<HostAndPort> parts = Split(address);
  if (!parts.ok()) return parts.status();
  error_code error;
  const asio::ip::address host = asio::ip::make_address(parts->host, error);
  if (error) {
    return absl::InvalidArgumentError(absl::StrCat("\"", address, "\": not a numeric address"));
  }
  if (!host.is_loopback() && !anywhere) {
    return absl::InvalidArgumentError(absl::StrCat(
        "will not listen on ", address,
        ": it is not a loopback address; to do it nevertheless, say --listen-anywhere"));
  }
  auto acceptor = std::make_unique<Acceptor>();
  const tcp::endpoint endpoint(host, parts->port);
  acceptor->acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->acceptor.bind(endpoint, error);
  if (!error) acceptor->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return StatusOf(error, absl::StrCat("cannot listen on ", address));
  return TcpListener(std::move(acceptor));
}

uint16_t TcpListener::port() const {
  error_code ignored;
  return acceptor_->acceptor.local_endpoint(ignored).port();
}

absl::StatusOr<TcpStream> TcpListener::Accept(Moment until) {
  auto socket = std::make_unique<TcpStream::Socket>();
  error_code result;
  // The socket belongs to a context of its own, so that another thread can have it.
  acceptor_->acceptor.async_accept(socket->socket,
                                   [&result](const error_code& error) { result = error; });
  const bool in_time = RunUntil(acceptor_->context, until, nullptr, [this] {
    error_code ignored;
    acceptor_->acceptor.cancel(ignored);
  });
  if (!in_time && result == asio::error::operation_aborted) return TimeIsUp("accept");
  if (result) return StatusOf(result, "accept");
  error_code ignored;
  std::string peer = TextOf(socket->socket.remote_endpoint(ignored));
  return TcpStream(std::move(socket), std::move(peer));
}

}  // namespace warpbook::probe
