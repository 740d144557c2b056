// TCP in plain calls, each with the moment by which it has to be done. Boost.Asio is in
// tcp_stream.cc alone. One thread at a time for each object.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook::probe {

using Moment = std::chrono::steady_clock::time_point;
inline Moment In(std::chrono::milliseconds time) { return std::chrono::steady_clock::now() + time; }

// How often who waits looks whether it is to end.
inline constexpr std::chrono::milliseconds kLook{200};

// Errors: DeadlineExceeded where the moment has passed, Unavailable where the other side is gone or
// cannot be reached.
class TcpStream {
 public:
  // "127.0.0.1:7400", "[::1]:7400", "probe.example:7400". InvalidArgument where it is no address.
  static absl::StatusOr<TcpStream> Connect(const std::string& address, Moment until);
  // From now on, what takes longer than kLook is given up soon after `stop` was set: Cancelled.
  void EndOn(const std::atomic<bool>& stop) { stop_ = &stop; }

  TcpStream(TcpStream&&) noexcept;
  TcpStream& operator=(TcpStream&&) noexcept;
  ~TcpStream();

  // Fills the buffer whole.
  absl::Status Read(std::span<char> bytes, Moment until);
  absl::Status Write(std::string_view bytes, Moment until);
  // Whether a Read would find something at once, be it the end.
  bool HasInput();
  // Says that nothing more comes, and waits until the other side has closed too, throwing away what
  // it still sends: so that what was written last is not lost with the connection.
  void Finish(Moment until);
  // "127.0.0.1:40312", of the other side.
  const std::string& peer() const { return peer_; }

 private:
  friend class TcpListener;
  struct Socket;
  TcpStream(std::unique_ptr<Socket> socket, std::string peer);

  std::unique_ptr<Socket> socket_;
  std::string peer_;
  const std::atomic<bool>* stop_ = nullptr;
};

class TcpListener {
 public:
  // A numeric address with its port, 0 for any that is free. InvalidArgument where it is none, or
  // is not a loopback address and `anywhere` was not said; Unavailable where it is taken.
  static absl::StatusOr<TcpListener> Listen(const std::string& address, bool anywhere);

  TcpListener(TcpListener&&) noexcept;
  ~TcpListener();

  uint16_t port() const;
  // The next connection. DeadlineExceeded where none came in time.
  absl::StatusOr<TcpStream> Accept(Moment until);

 private:
  struct Acceptor;
  explicit TcpListener(std::unique_ptr<Acceptor> acceptor);

  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace warpbook::probe
