// WebSocket frames (RFC 6455) as a server reads and writes them: bytes in, messages and control
// frames out. Pure: no I/O, no clock; whatever the input and however it is cut into pieces, the
// same messages and the same fault come out.
//
// Not decided here: whether a compressed message inflates, and whether it is UTF-8 then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace warpbook::gateway {

// RFC 6455, 11.8.
enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

// RFC 6455, 7.4.1: those that the gateway itself gives; kNone stands for a close frame without one.
enum class CloseCode : uint16_t {
  kNone = 0,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kInvalidPayload = 1007,
  kPolicyViolation = 1008,
  kTooBig = 1009,
};

struct FrameLimits {
  // Of a message, over all its fragments, and before inflation: kTooBig, as soon as a frame's head
  // announces more.
  size_t message_bytes_max = 64 * 1024;
  // Frames of one message, empty ones too: kPolicyViolation. So a message costs no more than its
  // bytes and this many heads.
  size_t message_frames_max = 2'048;
};

inline constexpr size_t kControlPayloadMax = 125;  // RFC 6455, 5.5

// What FrameReader::Next has found.
struct FrameEvent {
  enum class Kind : uint8_t {
    kMore,     // the input is used up
    kMessage,  // a whole one: opcode kText or kBinary
    kPing,
    kPong,
    kClose,  // its code (0: none) and reason are good ones; nothing is read after it
    kFault,  // close_code says how the connection is to be closed; nothing is read after it
  };
  Kind kind = Kind::kMore;
  Opcode opcode = Opcode::kContinuation;
  // Of kMessage: permessage-deflate; the payload is as it came, and a text not looked at yet.
  bool compressed = false;
  uint16_t close_code = 0;  // as on the wire
  // Valid until the next call; in the reader's input where the frame lay there whole.
  std::string_view payload = {};
};

class FrameReader {
 public:
  explicit FrameReader(const FrameLimits& limits) : limits_(limits) {}

  // Before the first frame: whether permessage-deflate was agreed on.
  void AllowCompressed(bool allow) { allow_compressed_ = allow; }

  // Takes bytes from the front of the input, which it unmasks in place, up to the end of the next
  // message or control frame. A frame that the input ends within is kept.
  FrameEvent Next(std::span<char>& input);

  bool is_finished() const { return finished_; }

 private:
  struct Head {
    Opcode opcode = Opcode::kContinuation;
    bool is_final = false;
    std::array<char, 4> mask = {};
    uint64_t length = 0;
  };

  // Reads on in a head, and sets in_payload_ once it is whole. kNone: no fault so far.
  CloseCode TakeHead(std::span<char>& input);
  CloseCode CheckFirstBytes() const;
  CloseCode BeginPayload();
  void Keep(std::span<const char> bytes);
  FrameEvent OnFrame(std::span<const char> last_bytes);
  FrameEvent OnControl(std::string_view payload);
  FrameEvent OnMessage(std::string_view payload);
  FrameEvent Fault(CloseCode code);
  void DropMessage();

  FrameLimits limits_;
  bool allow_compressed_ = false;
  bool finished_ = false;
  bool delivered_ = false;  // what is in message_ was handed out and is to go

  // The head that is being read.
  std::array<uint8_t, 14> head_bytes_ = {};
  uint8_t head_size_ = 0;
  bool in_payload_ = false;
  Head head_;  // of the frame whose payload is being read
  uint64_t payload_read_ = 0;

  // The message whose first frame has begun.
  bool in_message_ = false;
  bool message_compressed_ = false;
  Opcode message_opcode_ = Opcode::kContinuation;
  size_t message_frames_ = 0;
  std::string message_;  // what is kept of it, unmasked
  std::string control_;  // what is kept of a control frame
};

// XORs the bytes with the mask, whose first byte to be used is mask[offset % 4].
void ApplyMask(std::span<char> bytes, std::array<char, 4> mask, uint64_t offset = 0);

bool IsUtf8(std::string_view text);

// Whether a close frame may carry it (RFC 6455, 7.4, and IANA's registry).
bool IsCloseCode(uint16_t code);

// The head of an unfragmented, unmasked frame; writes 2 to 10 bytes and says how many.
inline constexpr size_t kFrameHeadBytesMax = 10;
size_t WriteFrameHead(char* out, Opcode opcode, size_t payload_bytes, bool compressed = false);
void AppendFrame(std::string& out, Opcode opcode, std::string_view payload,
                 bool compressed = false);
// With kNone: a close frame without a code. The reason is at most 123 bytes.
void AppendCloseFrame(std::string& out, uint16_t code, std::string_view reason = {});

}  // namespace warpbook::gateway
