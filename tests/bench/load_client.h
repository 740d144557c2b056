// LoadClient: many WebSocket connections driven by one thread, as a load on a server of this
// machine. Sockets and frames are its own, so that the client costs little beside the server that
// is measured: what is sent at once to a connection goes out with one system call, and answers are
// taken as they come. Any server that gives one text message for each, in order, will do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "tests/bench/statistics.h"

namespace warpbook::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

// The text of a connection's next message. Valid until the next call.
using NextMessage = absl::FunctionRef<std::string_view(size_t connection)>;
// An answer.
using OnAnswer = absl::FunctionRef<void(size_t connection, std::string_view text)>;

// What Drain took from the first connection.
struct DrainedBytes {
  uint64_t first_bytes = 0, first_messages = 0;
};

class LoadClient {
 public:
  // Connects to a port of loopback and opens the WebSockets; CHECKs that it can.
  LoadClient(uint16_t port, size_t connections);
  ~LoadClient();
  LoadClient(const LoadClient&) = delete;
  LoadClient& operator=(const LoadClient&) = delete;

  size_t size() const { return connections_.size(); }

  // Sends a text and waits for the next one.
  std::string Ask(size_t connection, std::string_view text);

  // Closed loop: each connection has so many messages without an answer, for as long; then takes
  // what is still open. Answers per second.
  double TimeClosedLoop(size_t in_flight, std::chrono::nanoseconds duration, NextMessage next,
                        OnAnswer on_answer);

  // Open loop: `count` messages, one each 1 / per_second seconds, over the connections in turn;
  // from the moment that a message was planned for until its answer was read. Nanoseconds.
  Percentiles TimeOpenLoop(size_t count, int64_t per_second, NextMessage next, OnAnswer on_answer);

  // Takes whatever comes, as fast as it comes, until `stop` says so. Only what comes to the first
  // connection is looked at.
  DrainedBytes Drain(absl::FunctionRef<bool()> stop);
  // Of all connections in the last Drain, also while it runs; any thread.
  uint64_t drained_bytes() const { return drained_bytes_.load(); }

 private:
  struct Connection {
    int fd = -1;
    std::string out;                 // frames to be sent
    std::string in;                  // what was read and is no whole frame yet
    std::deque<SteadyTime> planned;  // of messages without an answer
    size_t open = 0;                 // messages without an answer
  };

  void Queue(Connection& connection, std::string_view text);
  void Flush(Connection& connection);
  // Reads what is there and gives each whole text to `on_text`.
  template <typename OnText>
  void Read(Connection& connection, OnText&& on_text);
  // Waits until connections can be read, or the time has come, and reads them.
  template <typename OnText>
  void ReadReady(SteadyTime deadline, OnText&& on_text);

  const int epoll_fd_;
  std::vector<Connection> connections_;
  std::vector<char> buffer_;
  std::atomic<uint64_t> drained_bytes_ = 0;
};

}  // namespace warpbook::bench
