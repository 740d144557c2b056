// Listener: one listening socket and its accept loop. Belongs to the I/O thread; Open is called
// before that runs.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace warpbook::gateway {

class Listener {
 public:
  using OnAccepted = std::function<void(boost::asio::ip::tcp::socket)>;

  // Binds and listens, so that the port is ours from here on; connections wait until Start. A fault
  // names address and port.
  // `shares_port`: others will listen beside it (OpenBeside); of other processes none ever.
  static absl::StatusOr<std::unique_ptr<Listener>> Open(boost::asio::io_context& io,
                                                        const std::string& address,
                                                        bool allow_beyond_loopback,
                                                        bool shares_port);
  // Another one on the same port: the system deals the connections out among them.
  static absl::StatusOr<std::unique_ptr<Listener>> OpenBeside(boost::asio::io_context& io,
                                                              const Listener& first);

  void Start(OnAccepted on_accepted);
  void Close();
  uint16_t port() const { return port_; }

 private:
  Listener(boost::asio::io_context& io) : acceptor_(io), retry_(io) {}
  void Accept();
  void OnAccept(boost::system::error_code error, boost::asio::ip::tcp::socket socket);

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer retry_;
  OnAccepted on_accepted_;
  uint16_t port_ = 0;
};

}  // namespace warpbook::gateway
