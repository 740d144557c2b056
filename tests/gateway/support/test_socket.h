// TestSocket: a WebSocket client made of a plain socket, so that tests can also send what no
// library would. Blocking, with a limit of ten seconds on each read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace warpbook::gateway {

struct Frame {
  uint8_t opcode = 0;  // RFC 6455, 11.8: 1 text, 2 binary, 8 close, 9 ping, 10 pong
  std::string payload;
  bool compressed = false;  // permessage-deflate: the payload is as it came
  // Of a close frame; 0: none.
  uint16_t close_code() const {
    if (opcode != 8 || payload.size() < 2) return 0;
    return static_cast<uint16_t>((static_cast<uint8_t>(payload[0]) << 8) |
                                 static_cast<uint8_t>(payload[1]));
  }
};

class TestSocket {
 public:
  // Connects; `receive_buffer_bytes` 0: the system's.
  explicit TestSocket(uint16_t port, int receive_buffer_bytes = 0);
  TestSocket(TestSocket&& other) noexcept;
  ~TestSocket();

  // Connects and opens a WebSocket; fails the test where that is refused.
  static TestSocket Open(uint16_t port, int receive_buffer_bytes = 0,
                         const std::string& extra_header = "");

  // Sends the bytes. False where the connection is gone.
  bool SendRaw(std::string_view bytes);
  // Sends the bytes again and again until the other side takes no more for half a second; how many
  // bytes it took, at most `limit`.
  size_t SendUntilStuck(std::string_view bytes, size_t limit);
  // Sends an HTTP request and gives the whole answer, to the end of its body.
  std::string Http(const std::string& request);
  // The request that opens a WebSocket.
  static std::string UpgradeRequest(const std::string& extra_header = "",
                                    const std::string& target = "/ws");

  // A whole masked frame.
  static std::string FrameText(uint8_t opcode, std::string_view payload, bool final = true);
  // The same, of a message that is compressed already.
  static std::string CompressedFrame(uint8_t opcode, std::string_view payload);
  bool SendText(std::string_view text) { return SendRaw(FrameText(1, text)); }

  // The next frame; nullopt where the connection ended.
  std::optional<Frame> Read();
  // The next text message that is no channel message; fails the test where there is none.
  std::string ReadReply();
  // Sends a text and gives its answer.
  std::string Ask(std::string_view text) {
    SendText(text);
    return ReadReply();
  }
  // So many bytes; none where the connection ends before.
  std::string ReadRaw(size_t count);
  // Ends our direction of the connection.
  void EndWriting();
  // Whether the other side has ended the connection without more.
  bool AtEnd();

 private:
  // Reads so many bytes; false at the end.
  bool ReadBytes(size_t count, std::string& bytes);
  int fd_ = -1;
};

}  // namespace warpbook::gateway
