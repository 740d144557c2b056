#include "tests/gateway/client/scripted_gateway.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace warpbook::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using asio::ip::tcp;
using boost::system::error_code;

}  // namespace

class ScriptedGateway::Impl {
 public:
  explicit Impl(std::function<Answer(const std::string&)> script)
      : script_(std::move(script)),
        acceptor_(context_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)),
        thread_([this] { Accept(); }) {}

  ~Impl() {
    // A blocked accept or read ends when its socket is shut down.
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& connection : connections_) connection.join();
  }

  uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void Accept() {
    while (true) {
      error_code error;
      tcp::socket socket = acceptor_.accept(error);
      if (error) return;
      {
        const std::lock_guard lock(mutex_);
        sockets_.push_back(socket.native_handle());
      }
      connections_.emplace_back([this, socket = std::move(socket)]() mutable {
        const int handle = socket.native_handle();
        Serve(socket);
        const std::lock_guard lock(mutex_);
        sockets_.remove(handle);
      });
    }
  }

  void Serve(tcp::socket& socket) {
    websocket::stream<tcp::socket&> stream(socket);
    error_code error;
    stream.accept(error);
    while (!error) {
      beast::flat_buffer buffer;
      stream.read(buffer, error);
      if (error) return;
      const Answer answer = script_(beast::buffers_to_string(buffer.data()));
      for (const std::string& message : answer.messages) {
        stream.text(true);
        stream.write(asio::buffer(message), error);
      }
      if (answer.close) stream.close({websocket::close_code::going_away, "going away"}, error);
      if (answer.close || answer.cut) return;
    }
  }

  std::function<Answer(const std::string&)> script_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::mutex mutex_;
  std::list<int> sockets_;
  std::list<std::thread> connections_;
  std::thread thread_;
};

ScriptedGateway::ScriptedGateway(std::function<Answer(const std::string&)> script)
    : impl_(std::make_unique<Impl>(std::move(script))) {}

ScriptedGateway::~ScriptedGateway() = default;

std::string ScriptedGateway::address() const {
  return "127.0.0.1:" + std::to_string(impl_->port());
}

}  // namespace warpbook::gateway
