#include "tests/bench/raw_websocket.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::bench {
namespace {

constexpr std::array<uint8_t, 4> kMask = {0x5a, 0x13, 0xc7, 0x88};

sockaddr_in Loopback(const char* address, uint16_t port) {
  sockaddr_in endpoint{};
  endpoint.sin_family = AF_INET;
  endpoint.sin_port = htons(port);
  WARPBOOK_CHECK(inet_pton(AF_INET, address, &endpoint.sin_addr) == 1);
  return endpoint;
}

}  // namespace

int ConnectLoopback(uint16_t port, const char* from) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  WARPBOOK_CHECK(fd >= 0);
  const sockaddr_in here = Loopback(from, 0), there = Loopback("127.0.0.1", port);
  WARPBOOK_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
  WARPBOOK_CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof there) == 0);
  const int on = 1;
  WARPBOOK_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  return fd;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      WARPBOOK_CHECK(poll(&ready, 1, 10'000) == 1);
      continue;
    }
    WARPBOOK_CHECK(sent > 0);
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string UpgradeRequest(std::string_view more) {
  return absl::StrCat(
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
      std::string(more), "\r\n");
}

std::string ReadHttpHeader(int fd) {
  std::string answer;
  while (answer.find("\r\n\r\n") == std::string::npos) {
    char byte = 0;
    WARPBOOK_CHECK(recv(fd, &byte, 1, 0) == 1);
    answer += byte;
  }
  return answer;
}

int OpenWebSocket(uint16_t port, const char* from, std::string_view more) {
  const int fd = ConnectLoopback(port, from);
  SendAll(fd, UpgradeRequest(more));
  WARPBOOK_CHECK(ReadHttpHeader(fd).find(" 101 ") != std::string::npos);
  return fd;
}

void AppendFrame(std::string& out, uint8_t first_byte, std::string_view payload) {
  out += static_cast<char>(first_byte);
  if (payload.size() < 126) {
    out += static_cast<char>(0x80 | payload.size());
  } else {
    WARPBOOK_CHECK(payload.size() <= 0xffff);
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(payload.size() >> 8);
    out += static_cast<char>(payload.size() & 0xff);
  }
  out.append(reinterpret_cast<const char*>(kMask.data()), kMask.size());
  const size_t begin = out.size();
  out.append(payload);
  for (size_t i = 0; i < payload.size(); ++i) out[begin + i] ^= static_cast<char>(kMask[i % 4]);
}

}  // namespace warpbook::bench
