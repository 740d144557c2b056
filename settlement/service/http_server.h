// HttpServer: settlement's HTTP on loopback: GET and HEAD of a target in, JSON out. Everything is
// bounded: connections, the size of a request, how long it may take to come and its answer to go.
// No rule of what is answered is here.
//
// Threads: the server's own reads and writes, and calls the handler; a handler answers at once or
// later, from any thread. The owner's starts and stops it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace warpbook::settlement {

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  std::string_view content_type = "application/json";  // a literal
};
// {"error":{"code":...,"message":...}}
HttpAnswer HttpError(unsigned status, std::string_view code, std::string_view message);

class HttpServer {
 public:
  struct Options {
    std::string address = {};  // numeric, "127.0.0.1:7402", "[::1]:7402"; port 0: the system's
    // Else only a loopback address is listened on: there is no TLS and no logon here.
    bool allow_beyond_loopback = false;
    size_t connections_max = 64;  // one more is closed at once
    size_t header_bytes_max = 8 * 1024;
    std::chrono::milliseconds read_timeout{10'000};  // also between two requests
    std::chrono::milliseconds write_timeout{10'000};
  };
  using Respond = std::function<void(HttpAnswer)>;
  // Calls `respond` once; until then the connection waits.
  using Handler = std::function<void(const std::string& target, Respond respond)>;

  // Whether the address is one, and may be listened on: as Start says it.
  static absl::Status CheckAddress(const Options& options);

  // InvalidArgument, in one sentence, where the address is none or not allowed; Unavailable where
  // it cannot be listened on.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(Options options, Handler handler);
  // Stops. What the handler still answers must be over before.
  ~HttpServer();

  // Cuts every connection and ends the thread; the handler is not called any more, and its answers
  // go nowhere. Safe to repeat.
  void Stop();
  uint16_t port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace warpbook::settlement
