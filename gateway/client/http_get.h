// One GET of an HTTP server, on a connection of its own: what a command or the gateway asks of
// settlement, or a command of the gateway. Everything is bounded: time, and the answer's size.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/client/client_loop.h"

namespace warpbook::gateway {

struct HttpGetOptions {
  std::string address;           // as ParseServerAddress takes it
  std::string authorities_file;  // where it is by TLS: a PEM file; "": the system's
  std::string target;            // "/supply?date=2027-01-01"
  // From the look-up of the name to the answer's last byte.
  std::chrono::milliseconds timeout{10'000};
  size_t body_bytes_max = size_t{16} << 20;
};

struct HttpResponse {
  unsigned status = 0;
  std::string body;
};

// The callback is called once, on the loop's thread. Unavailable, with the address and the cause,
// where nobody answers or the answer is none.
void HttpGetAsync(ClientLoop& loop, HttpGetOptions options,
                  std::function<void(absl::StatusOr<HttpResponse>)> callback);

// The same, waiting; never on a loop's thread.
absl::StatusOr<HttpResponse> HttpGet(HttpGetOptions options);

}  // namespace warpbook::gateway
