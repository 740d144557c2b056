#include "gateway/net/frame_codec.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "schema/base/check.h"

namespace warpbook::gateway {
namespace {

constexpr uint8_t kFinalBit = 0x80;
constexpr uint8_t kCompressedBit = 0x40;  // RSV1, RFC 7692
constexpr uint8_t kReservedBits = 0x30;
constexpr uint8_t kOpcodeBits = 0x0f;
constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;
constexpr size_t kMaskBytes = 4;

// A buffer that is larger is given back once its message is done: connections are many.
constexpr size_t kKeptCapacityMax = 1'024;

constexpr bool IsControl(Opcode opcode) { return opcode >= Opcode::kClose; }

// The bytes of the length behind the first two.
constexpr size_t LengthBytes(uint8_t second_byte) {
  const uint8_t length = second_byte & kLengthBits;
  return length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
}

}  // namespace

void ApplyMask(std::span<char> bytes, std::array<char, 4> mask, uint64_t offset) {
  std::array<char, 8> twice;
  for (size_t i = 0; i < twice.size(); ++i) twice[i] = mask[(offset + i) % mask.size()];
  uint64_t word_mask = 0;
  std::memcpy(&word_mask, twice.data(), sizeof word_mask);
  char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= sizeof word_mask; left -= sizeof word_mask, at += sizeof word_mask) {
    uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= word_mask;
    std::memcpy(at, &word, sizeof word);
  }
  for (size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ twice[i]);
}

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool IsCloseCode(uint16_t code) {
  // 1004 to 1006 and 1015 are never on the wire.
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

// ---- Reading ----

FrameEvent FrameReader::Next(std::span<char>& input) {
  if (delivered_) DropMessage();
  while (!finished_ && (in_payload_ || !input.empty())) {
    if (!in_payload_) {
      const CloseCode fault = TakeHead(input);
      if (fault != CloseCode::kNone) return Fault(fault);
      if (!in_payload_) break;
    }
    const size_t taken = std::min<uint64_t>(head_.length - payload_read_, input.size());
    const std::span<char> bytes = input.first(taken);
    input = input.subspan(taken);
    ApplyMask(bytes, head_.mask, payload_read_);
    payload_read_ += taken;
    if (payload_read_ < head_.length) {
      Keep(bytes);
      break;
    }
    in_payload_ = false;
    const FrameEvent event = OnFrame(bytes);
    if (event.kind != FrameEvent::Kind::kMore) return event;
  }
  return {};
}

CloseCode FrameReader::TakeHead(std::span<char>& input) {
  while (true) {
    const size_t needed = head_size_ < 2 ? 2 : 2 + LengthBytes(head_bytes_[1]) + kMaskBytes;
    const size_t taken = std::min(needed - head_size_, input.size());
    std::memcpy(head_bytes_.data() + head_size_, input.data(), taken);
    head_size_ = static_cast<uint8_t>(head_size_ + taken);
    input = input.subspan(taken);
    if (head_size_ < needed) return CloseCode::kNone;
    if (needed > 2) return BeginPayload();
    const CloseCode fault = CheckFirstBytes();
    if (fault != CloseCode::kNone) return fault;
  }
}

CloseCode FrameReader::CheckFirstBytes() const {
  const uint8_t first = head_bytes_[0], second = head_bytes_[1];
  const auto opcode = static_cast<Opcode>(first & kOpcodeBits);
  const bool is_final = (first & kFinalBit) != 0;
  const bool is_compressed = (first & kCompressedBit) != 0;
  bool is_good = (first & kReservedBits) == 0 && (second & kMaskBit) != 0;
  switch (opcode) {
    case Opcode::kText:
    case Opcode::kBinary:
      is_good &= !in_message_ && (!is_compressed || allow_compressed_);
      break;
    case Opcode::kContinuation:
      is_good &= in_message_ && !is_compressed;
      break;
    case Opcode::kClose:
    case Opcode::kPing:
    case Opcode::kPong:
      is_good &= is_final && !is_compressed && (second & kLengthBits) <= kControlPayloadMax;
      break;
    default:
      is_good = false;
  }
  return is_good ? CloseCode::kNone : CloseCode::kProtocolError;
}

CloseCode FrameReader::BeginPayload() {
  head_.opcode = static_cast<Opcode>(head_bytes_[0] & kOpcodeBits);
  head_.is_final = (head_bytes_[0] & kFinalBit) != 0;
  const size_t length_bytes = LengthBytes(head_bytes_[1]);
  head_.length = length_bytes == 0 ? head_bytes_[1] & kLengthBits : 0;
  for (size_t i = 0; i < length_bytes; ++i) head_.length = head_.length << 8 | head_bytes_[2 + i];
  // RFC 6455, 5.2: the fewest bytes, and the highest bit is 0.
  const bool is_minimal = length_bytes == 0 || (length_bytes == 2 && head_.length >= kLength16) ||
                          (length_bytes == 8 && head_.length > 0xffff);
  if (!is_minimal || head_.length >> 63 != 0) return CloseCode::kProtocolError;
  std::memcpy(head_.mask.data(), head_bytes_.data() + 2 + length_bytes, kMaskBytes);
  if (!IsControl(head_.opcode)) {
    if (head_.opcode != Opcode::kContinuation) {
      in_message_ = true;
      message_opcode_ = head_.opcode;
      message_compressed_ = (head_bytes_[0] & kCompressedBit) != 0;
      message_frames_ = 0;
    }
    // All of the message so far is in message_.
    if (head_.length > limits_.message_bytes_max - message_.size()) return CloseCode::kTooBig;
    if (++message_frames_ > limits_.message_frames_max) return CloseCode::kPolicyViolation;
  }
  head_size_ = 0;
  payload_read_ = 0;
  in_payload_ = true;
  return CloseCode::kNone;
}

// Memory grows with what has come, not with what was announced.
void FrameReader::Keep(std::span<const char> bytes) {
  (IsControl(head_.opcode) ? control_ : message_).append(bytes.data(), bytes.size());
}

FrameEvent FrameReader::OnFrame(std::span<const char> last_bytes) {
  const bool is_control = IsControl(head_.opcode);
  const bool is_first = head_.opcode != Opcode::kContinuation;
  std::string_view payload(last_bytes.data(), last_bytes.size());
  const bool is_whole_here =
      payload.size() == head_.length && is_first && (is_control || head_.is_final);
  if (!is_whole_here) {
    Keep(last_bytes);
    payload = is_control ? control_ : message_;
  }
  if (is_control) return OnControl(payload);
  return head_.is_final ? OnMessage(payload) : FrameEvent{};
}

FrameEvent FrameReader::OnMessage(std::string_view payload) {
  in_message_ = false;
  delivered_ = true;
  if (message_opcode_ == Opcode::kText && !message_compressed_ && !IsUtf8(payload)) {
    return Fault(CloseCode::kInvalidPayload);
  }
  return {.kind = FrameEvent::Kind::kMessage,
          .opcode = message_opcode_,
          .compressed = message_compressed_,
          .payload = payload};
}

FrameEvent FrameReader::OnControl(std::string_view payload) {
  delivered_ = true;
  FrameEvent event{.opcode = head_.opcode, .payload = payload};
  if (head_.opcode != Opcode::kClose) {
    event.kind = head_.opcode == Opcode::kPing ? FrameEvent::Kind::kPing : FrameEvent::Kind::kPong;
    return event;
  }
  if (payload.size() == 1) return Fault(CloseCode::kProtocolError);
  event.kind = FrameEvent::Kind::kClose;
  if (!payload.empty()) {
    event.close_code = static_cast<uint16_t>(static_cast<uint8_t>(payload[0]) << 8 |
                                             static_cast<uint8_t>(payload[1]));
    event.payload.remove_prefix(2);
    if (!IsCloseCode(event.close_code)) return Fault(CloseCode::kProtocolError);
    if (!IsUtf8(event.payload)) return Fault(CloseCode::kInvalidPayload);
  }
  finished_ = true;
  return event;
}

FrameEvent FrameReader::Fault(CloseCode code) {
  finished_ = true;
  return {.kind = FrameEvent::Kind::kFault, .close_code = static_cast<uint16_t>(code)};
}

void FrameReader::DropMessage() {
  delivered_ = false;
  control_.clear();
  if (in_message_) return;  // it was a control frame between its fragments
  message_.clear();
  if (message_.capacity() > kKeptCapacityMax) std::string().swap(message_);
}

// ---- Writing ----

size_t WriteFrameHead(char* out, Opcode opcode, size_t payload_bytes, bool compressed) {
  out[0] = static_cast<char>(kFinalBit | (compressed ? kCompressedBit : 0) |
                             static_cast<uint8_t>(opcode));
  if (payload_bytes < kLength16) {
    out[1] = static_cast<char>(payload_bytes);
    return 2;
  }
  const bool is_short = payload_bytes <= 0xffff;
  const size_t length_bytes = is_short ? 2 : 8;
  out[1] = static_cast<char>(is_short ? kLength16 : kLength64);
  for (size_t i = 0; i < length_bytes; ++i) {
    out[2 + i] = static_cast<char>(payload_bytes >> 8 * (length_bytes - 1 - i));
  }
  return 2 + length_bytes;
}

void AppendFrame(std::string& out, Opcode opcode, std::string_view payload, bool compressed) {
  std::array<char, kFrameHeadBytesMax> head;
  out.append(head.data(), WriteFrameHead(head.data(), opcode, payload.size(), compressed));
  out.append(payload);
}

void AppendCloseFrame(std::string& out, uint16_t code, std::string_view reason) {
  WARPBOOK_CHECK(reason.size() + sizeof code <= kControlPayloadMax);
  std::string payload;
  if (code != 0) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xff);
    payload += reason;
  }
  AppendFrame(out, Opcode::kClose, payload);
}

}  // namespace warpbook::gateway
