// CorkedStream: the TCP layer under a WebSocket stream. It adds what Beast leaves out:
// - Coalescing. Beast writes one message at a time; here writes go into a buffer that is sent with
//   one system call when the session says Flush. What Beast writes by itself (pong, close) is sent
//   at once.
// - Backpressure all the same. While too much is unsent, what Beast writes stays unfinished, so
//   that a client that sends pings and reads no pongs does not fill our memory.
// - A farewell. Where the protocol demands it Beast closes by itself, and without a word; the text
//   set for that close code goes out just before, as a message of its own.
// - A teardown that lets the other side read what was sent: it waits for the last byte to leave,
//   and then for the other side to close, while it throws away a bounded amount of what still
//   comes. A socket closed with unread bytes would be reset, and the farewell lost.
//
// The I/O thread owns it.
#pragma once

#include <array>
#include <boost/asio/append.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

namespace boost::beast {
enum class role_type;  // Beast itself is included where it is used
}  // namespace boost::beast
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace warpbook::gateway {

class CorkedStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using ErrorCode = boost::system::error_code;
  using executor_type = Socket::executor_type;

  explicit CorkedStream(Socket socket) : socket_(std::move(socket)) {}

  Socket& socket() { return socket_; }
  executor_type get_executor() { return socket_.get_executor(); }

  // Keeps the session alive while bytes are on their way, and is told when they have left.
  void SetOwner(std::weak_ptr<void> owner, std::function<void()> on_sent) {
    owner_ = std::move(owner);
    on_sent_ = std::move(on_sent);
  }
  // The text message that goes before a close frame of that code that Beast sends by itself.
  void SetFarewell(uint16_t close_code, std::string text);

  // While corked, writes wait for Flush.
  void Cork() { corked_ = true; }
  void Uncork() {
    corked_ = false;
    Flush();
  }
  void Flush();

  // Bytes that have been written but have not left.
  size_t unsent() const { return waiting_.size() + (sending_.size() - sent_); }
  // When the last progress was made while bytes wait (monotonic microseconds); 0: none wait.
  int64_t stalled_since() const { return stalled_since_; }

  void Close();

  // AsyncStream, as Beast asks for it.
  template <typename Buffers, typename Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return socket_.async_read_some(buffers, std::forward<Handler>(handler));
  }
  template <typename Buffers, typename Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    const size_t before = waiting_.size();
    for (auto at = boost::asio::buffer_sequence_begin(buffers);
         at != boost::asio::buffer_sequence_end(buffers); ++at) {
      const boost::asio::const_buffer buffer = *at;
      waiting_.append(static_cast<const char*>(buffer.data()), buffer.size());
    }
    const size_t written = waiting_.size() - before;
    PrependFarewell(before);
    if (!corked_ || unsent() > kUnsentBytesMax) Flush();
    if (unsent() <= kUnsentBytesMax) {
      boost::asio::post(get_executor(), boost::asio::append(std::forward<Handler>(handler), error_,
                                                            error_ ? size_t{0} : written));
      return;
    }
    // Beast writes one thing at a time, so that there is no more than one to hold.
    auto shared = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
    held_ = [this, shared, written] {
      boost::asio::post(get_executor(), boost::asio::append(std::move(*shared), error_,
                                                            error_ ? size_t{0} : written));
    };
  }

  // Ends the connection in order; `done` is called once.
  void Linger(std::function<void()> done);

 private:
  static constexpr size_t kUnsentBytesMax = 256 * 1024;
  static constexpr size_t kDiscardBytesMax = 1024 * 1024;  // of what comes during the teardown

  void PrependFarewell(size_t write_begin);
  void SendSome();
  void OnSent(ErrorCode error, size_t bytes);
  void Discard();

  Socket socket_;
  std::weak_ptr<void> owner_;
  std::function<void()> on_sent_;
  std::array<std::pair<uint16_t, std::string>, 2> farewells_;
  size_t farewell_count_ = 0;
  bool corked_ = false;
  bool busy_ = false;    // a send is under way
  std::string waiting_;  // written, not yet given to the socket
  std::string sending_;  // given to the socket, from sent_ on
  size_t sent_ = 0;
  int64_t stalled_since_ = 0;
  ErrorCode error_;
  std::function<void()> held_;       // finishes a write, once enough has left
  std::function<void()> lingering_;  // called at the end of the teardown
  size_t discarded_ = 0;
  std::array<char, 4096> discard_buffer_;
};

// What Beast finds by argument-dependent lookup.
void beast_close_socket(CorkedStream& stream);

template <typename Handler>
void async_teardown(boost::beast::role_type, CorkedStream& stream, Handler&& handler) {
  auto shared = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler));
  stream.Linger([&stream, shared] {
    boost::asio::post(stream.get_executor(),
                      boost::asio::append(std::move(*shared), CorkedStream::ErrorCode()));
  });
}

}  // namespace warpbook::gateway
