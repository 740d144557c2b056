#include "tests/gateway/support/test_socket.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "tests/gateway/support/json_text.h"

namespace warpbook::gateway {

TestSocket::TestSocket(uint16_t port, int receive_buffer_bytes)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  REQUIRE(fd_ >= 0);
  if (receive_buffer_bytes > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
  }
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int yes = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

TestSocket::TestSocket(TestSocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

TestSocket::~TestSocket() {
  if (fd_ >= 0) close(fd_);
}

std::string TestSocket::UpgradeRequest(const std::string& extra_header, const std::string& target) {
  return "GET " + target +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         extra_header + "\r\n";
}

TestSocket TestSocket::Open(uint16_t port, int receive_buffer_bytes,
                            const std::string& extra_header) {
  TestSocket socket(port, receive_buffer_bytes);
  const std::string answer = socket.Http(UpgradeRequest(extra_header));
  REQUIRE_MESSAGE(answer.starts_with("HTTP/1.1 101"), answer);
  // RFC 6455, 1.3: the accept value of this key.
  CHECK(answer.find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);
  return socket;
}

bool TestSocket::SendRaw(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

size_t TestSocket::SendUntilStuck(std::string_view bytes, size_t limit) {
  const timeval half_second{.tv_sec = 0, .tv_usec = 500'000};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &half_second, sizeof half_second);
  size_t total = 0;
  while (total < limit) {
    // A part of the bytes was taken: the rest comes first.
    const std::string_view rest = bytes.substr(total % bytes.size());
    const ssize_t sent = send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    total += static_cast<size_t>(sent);
  }
  const timeval no_limit{};
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &no_limit, sizeof no_limit);
  return total;
}

bool TestSocket::ReadBytes(size_t count, std::string& bytes) {
  bytes.resize(count);
  size_t at = 0;
  while (at < count) {
    const ssize_t got = recv(fd_, bytes.data() + at, count - at, 0);
    if (got < 0) REQUIRE_MESSAGE(errno != EAGAIN, "nothing came for ten seconds");
    if (got <= 0) return false;
    at += static_cast<size_t>(got);
  }
  return true;
}

std::string TestSocket::Http(const std::string& request) {
  REQUIRE(SendRaw(request));
  std::string answer, byte;
  while (!answer.ends_with("\r\n\r\n")) {
    if (!ReadBytes(1, byte)) return answer;
    answer += byte;
  }
  const size_t length = answer.find("Content-Length: ");
  if (length != std::string::npos) {
    std::string body;
    ReadBytes(std::stoul(answer.substr(length + 16)), body);
    answer += body;
  }
  return answer;
}

std::string TestSocket::FrameText(uint8_t opcode, std::string_view payload, bool final) {
  std::string frame(1, static_cast<char>(opcode | (final ? 0x80 : 0)));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() <= 0xffff) {
    frame += '\xfe';
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size() & 0xff);
  } else {
    frame += '\xff';
    for (int shift = 56; shift >= 0; shift -= 8) {
      frame += static_cast<char>(payload.size() >> shift);
    }
  }
  constexpr char kMask[4] = {'\x12', '\x34', '\x56', '\x78'};
  frame.append(kMask, 4);
  for (size_t i = 0; i < payload.size(); ++i) frame += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return frame;
}

std::string TestSocket::CompressedFrame(uint8_t opcode, std::string_view payload) {
  return FrameText(static_cast<uint8_t>(opcode | 0x40), payload);
}

std::optional<Frame> TestSocket::Read() {
  std::string head, length_bytes;
  if (!ReadBytes(2, head)) return std::nullopt;
  Frame frame{.opcode = static_cast<uint8_t>(head[0] & 0x0f),
              .payload = {},
              .compressed = (head[0] & 0x40) != 0};
  CHECK((head[0] & 0x80) != 0);  // the gateway fragments nothing
  size_t length = static_cast<uint8_t>(head[1]);
  const size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (more > 0) {
    if (!ReadBytes(more, length_bytes)) return std::nullopt;
    length = 0;
    for (const char byte : length_bytes) length = (length << 8) | static_cast<uint8_t>(byte);
  }
  if (!ReadBytes(length, frame.payload)) return std::nullopt;
  return frame;
}

std::string TestSocket::ReadReply() {
  while (true) {
    const auto frame = Read();
    REQUIRE_MESSAGE(frame.has_value(), "the connection ended");
    REQUIRE_MESSAGE(frame->opcode != 8, "the connection was closed with ", frame->close_code());
    if (frame->opcode == 1 && Has(frame->payload, "/success")) return frame->payload;
  }
}

std::string TestSocket::ReadRaw(size_t count) {
  std::string bytes;
  if (!ReadBytes(count, bytes)) bytes.clear();
  return bytes;
}

void TestSocket::EndWriting() { shutdown(fd_, SHUT_WR); }

bool TestSocket::AtEnd() {
  std::string byte;
  return !ReadBytes(1, byte);
}

}  // namespace warpbook::gateway
