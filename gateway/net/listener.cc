#include "gateway/net/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "gateway/net/address.h"
#include "schema/base/log.h"

namespace warpbook::gateway {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

// How long to wait after a failed accept: no descriptors left, most likely.
constexpr std::chrono::milliseconds kAcceptRetry(100);

void SharePort(tcp::acceptor& acceptor, error_code& error) {
  const int yes = 1;
  if (setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0) {
    error.assign(errno, boost::system::system_category());
  }
}

absl::Status CannotListen(const std::string& where, const error_code& error) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", where, ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::Open(boost::asio::io_context& io,
                                                         const std::string& address,
                                                         bool allow_beyond_loopback,
                                                         bool shares_port) {
  const absl::StatusOr<tcp::endpoint> endpoint = ParseListenAddress(address, allow_beyond_loopback);
  if (!endpoint.ok()) return endpoint.status();
  std::unique_ptr<Listener> listener(new Listener(io));
  tcp::acceptor& acceptor = listener->acceptor_;
  error_code error;
  acceptor.open(endpoint->protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  // The port is shared only once it is ours: a bind that shares would also succeed beside another
  // process that does.
  if (!error) acceptor.bind(*endpoint, error);
  if (!error && shares_port) SharePort(acceptor, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return CannotListen(address, error);
  listener->port_ = acceptor.local_endpoint().port();
  return listener;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::OpenBeside(boost::asio::io_context& io,
                                                               const Listener& first) {
  const tcp::endpoint endpoint = first.acceptor_.local_endpoint();
  std::unique_ptr<Listener> listener(new Listener(io));
  tcp::acceptor& acceptor = listener->acceptor_;
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) SharePort(acceptor, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return CannotListen(absl::StrCat("port ", first.port()), error);
  listener->port_ = first.port();
  return listener;
}

void Listener::Start(OnAccepted on_accepted) {
  on_accepted_ = std::move(on_accepted);
  Accept();
}

void Listener::Close() {
  error_code ignored;
  acceptor_.close(ignored);
  retry_.cancel();
}

void Listener::Accept() {
  acceptor_.async_accept(
      [this](error_code error, tcp::socket socket) { OnAccept(error, std::move(socket)); });
}

void Listener::OnAccept(error_code error, tcp::socket socket) {
  if (!acceptor_.is_open()) return;
  if (!error) {
    on_accepted_(std::move(socket));
    return Accept();
  }
  Log(LogLevel::kWarning, "accept_failed", JsonObject().Text("detail", error.message()));
  retry_.expires_after(kAcceptRetry);
  retry_.async_wait([this](error_code cancelled) {
    if (!cancelled) Accept();
  });
}

}  // namespace warpbook::gateway
