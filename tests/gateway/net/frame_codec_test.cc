// In the categories of the Autobahn suite. Each input is also fed byte by byte and in random
// pieces, and must come to the same.
#include "gateway/net/frame_codec.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace warpbook::gateway {
namespace {

constexpr size_t kMessageMax = 64 * 1024;

struct Shape {
  bool is_final = true;
  uint8_t reserved_bits = 0;  // RSV1 is 4
  bool is_masked = true;
  int length_bytes = -1;   // of the length behind the first two; -1: as few as will do
  uint64_t announced = 0;  // where it is not the payload's size
};

std::string ClientFrame(int opcode, std::string_view payload, const Shape& shape = {}) {
  const uint64_t length = shape.announced != 0 ? shape.announced : payload.size();
  int length_bytes = shape.length_bytes;
  if (length_bytes < 0) length_bytes = length < 126 ? 0 : length <= 0xffff ? 2 : 8;
  std::string frame;
  frame += static_cast<char>((shape.is_final ? 0x80 : 0) | shape.reserved_bits << 4 | opcode);
  const uint64_t short_length = length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127;
  frame += static_cast<char>((shape.is_masked ? 0x80 : 0) | short_length);
  for (int i = length_bytes - 1; i >= 0; --i) frame += static_cast<char>(length >> 8 * i);
  if (!shape.is_masked) return frame.append(payload);
  const std::string mask = "\x81\x42\x07\xfe";
  frame += mask;
  for (size_t i = 0; i < payload.size(); ++i) {
    frame += static_cast<char>(payload[i] ^ mask[i % mask.size()]);
  }
  return frame;
}

std::string Part(int opcode, std::string_view payload) {
  return ClientFrame(opcode, payload, {.is_final = false});
}

using Outcome = std::vector<std::string>;

std::string Describe(const FrameEvent& event) {
  const std::string payload(event.payload);
  switch (event.kind) {
    case FrameEvent::Kind::kMessage:
      return std::string(event.opcode == Opcode::kText ? "text" : "binary") +
             (event.compressed ? " compressed" : "") + ":" + payload;
    case FrameEvent::Kind::kPing:
      return "ping:" + payload;
    case FrameEvent::Kind::kPong:
      return "pong:" + payload;
    case FrameEvent::Kind::kClose:
      return "close " + std::to_string(event.close_code) + ":" + payload;
    default:
      return "fault " + std::to_string(event.close_code);
  }
}

// Feeds pieces whose sizes `next_size` gives.
template <typename NextSize>
Outcome ReadPieces(std::string bytes, bool allow_compressed, NextSize&& next_size) {
  FrameReader reader({.message_bytes_max = kMessageMax, .message_frames_max = 100});
  reader.AllowCompressed(allow_compressed);
  Outcome outcome;
  for (size_t at = 0; at < bytes.size();) {
    const size_t size = std::min<size_t>(next_size(), bytes.size() - at);
    std::string piece = bytes.substr(at, size);  // of its own, so that overruns are seen
    std::span<char> input(piece);
    while (true) {
      const FrameEvent event = reader.Next(input);
      if (event.kind == FrameEvent::Kind::kMore) break;
      outcome.push_back(Describe(event));
      if (event.kind == FrameEvent::Kind::kFault || event.kind == FrameEvent::Kind::kClose) {
        CHECK(reader.is_finished());
        CHECK(reader.Next(input).kind == FrameEvent::Kind::kMore);
        return outcome;
      }
    }
    REQUIRE(input.empty());
    at += size;
  }
  return outcome;
}

Outcome Read(const std::string& bytes, bool allow_compressed = false) {
  const Outcome whole = ReadPieces(bytes, allow_compressed, [&] { return bytes.size(); });
  CHECK(ReadPieces(bytes, allow_compressed, [] { return size_t{1}; }) == whole);
  std::mt19937 random(7);
  for (const size_t most : {3, 10, 100, 5'000}) {
    std::uniform_int_distribution<size_t> sizes(1, most);
    CHECK(ReadPieces(bytes, allow_compressed, [&] { return sizes(random); }) == whole);
  }
  return whole;
}

const Outcome kProtocolFault = {"fault 1002"};
const Outcome kBadPayload = {"fault 1007"};
const Outcome kTooBig = {"fault 1009"};

std::string Close(uint16_t code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return ClientFrame(8, payload.append(reason));
}

}  // namespace

// ---- 1: framing ----

TEST_CASE("Text and binary messages of every length form are read") {
  for (const size_t size : {0, 1, 7, 8, 9, 125, 126, 127, 128, 65'535, 65'536}) {
    const std::string payload(size, '*');
    CAPTURE(size);
    CHECK(Read(ClientFrame(1, payload)) == Outcome{"text:" + payload});
    CHECK(Read(ClientFrame(2, payload)) == Outcome{"binary:" + payload});
  }
  CHECK(Read(ClientFrame(2, std::string("\x00\xfe\xff", 3))) ==
        Outcome{std::string("binary:\x00\xfe\xff", 10)});
}

TEST_CASE("A message that lies whole in the input is handed out where it lies") {
  std::string bytes = ClientFrame(1, "one") + ClientFrame(1, std::string(300, 'x'));
  FrameReader reader({});
  std::span<char> input(bytes);
  for (int i = 0; i < 2; ++i) {
    const FrameEvent event = reader.Next(input);
    CHECK(event.payload.data() >= bytes.data());
    CHECK(event.payload.data() < bytes.data() + bytes.size());
  }
}

TEST_CASE("A length in more bytes than it needs, or with the highest bit set, is a fault") {
  CHECK(Read(ClientFrame(1, "abc", {.length_bytes = 2})) == kProtocolFault);
  CHECK(Read(ClientFrame(1, "abc", {.length_bytes = 8})) == kProtocolFault);
  CHECK(Read(ClientFrame(1, std::string(125, 'x'), {.length_bytes = 2})) == kProtocolFault);
  CHECK(Read(ClientFrame(1, std::string(300, 'x'), {.length_bytes = 8})) == kProtocolFault);
  CHECK(Read(ClientFrame(1, "x", {.length_bytes = 8, .announced = uint64_t{1} << 63})) ==
        kProtocolFault);
}

TEST_CASE("A frame that is not masked is a fault") {
  CHECK(Read(ClientFrame(1, "{}", {.is_masked = false})) == kProtocolFault);
  CHECK(Read(ClientFrame(9, "", {.is_masked = false})) == kProtocolFault);
  CHECK(Read(ClientFrame(1, "a") + ClientFrame(1, "b", {.is_masked = false})) ==
        Outcome{"text:a", "fault 1002"});
}

TEST_CASE("A mask is applied from any offset and over any length") {
  const std::array<char, 4> mask = {'\x01', '\x20', '\x7f', '\xff'};
  std::string plain;
  for (int i = 0; i < 40; ++i) plain += static_cast<char>(i * 5);
  for (size_t offset = 0; offset < 9; ++offset) {
    for (size_t size = 0; size <= plain.size(); ++size) {
      std::string masked = plain.substr(0, size), expected = masked;
      for (size_t i = 0; i < size; ++i) {
        expected[i] = static_cast<char>(plain[i] ^ mask[(offset + i) % 4]);
      }
      ApplyMask(masked, mask, offset);
      REQUIRE(masked == expected);
    }
  }
}

// ---- 2: ping and pong ----

TEST_CASE("Pings and pongs come with their payloads, in order") {
  CHECK(Read(ClientFrame(9, "")) == Outcome{"ping:"});
  CHECK(Read(ClientFrame(10, "unasked")) == Outcome{"pong:unasked"});
  const std::string most(125, '\xfe');
  CHECK(Read(ClientFrame(9, most)) == Outcome{"ping:" + most});
  CHECK(Read(ClientFrame(9, std::string(126, 'x'))) == kProtocolFault);
  std::string ten;
  Outcome expected;
  for (int i = 0; i < 10; ++i) {
    ten += ClientFrame(9, std::to_string(i));
    expected.push_back("ping:" + std::to_string(i));
  }
  CHECK(Read(ten) == expected);
}

// ---- 3: reserved bits ----

TEST_CASE("A reserved bit is a fault, on whatever frame") {
  for (uint8_t bits = 1; bits <= 7; ++bits) {
    for (const int opcode : {1, 2, 8, 9, 10}) {
      CAPTURE(opcode);
      CHECK(Read(ClientFrame(opcode, "", {.reserved_bits = bits})) == kProtocolFault);
    }
  }
  CHECK(Read(ClientFrame(1, "a") + ClientFrame(1, "b", {.reserved_bits = 1})) ==
        Outcome{"text:a", "fault 1002"});
}

// ---- 4: opcodes ----

TEST_CASE("A reserved opcode is a fault") {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    CHECK(Read(ClientFrame(opcode, "")) == kProtocolFault);
    CHECK(Read(ClientFrame(1, "a") + ClientFrame(opcode, "x")) == Outcome{"text:a", "fault 1002"});
  }
}

// ---- 5: fragmentation ----

TEST_CASE("Fragments make one message, with control frames between them") {
  CHECK(Read(Part(1, "frag") + ClientFrame(0, "ment")) == Outcome{"text:fragment"});
  CHECK(Read(Part(2, "") + Part(0, "") + ClientFrame(0, "")) == Outcome{"binary:"});
  CHECK(Read(Part(1, "a") + ClientFrame(9, "p") + Part(0, "b") + ClientFrame(10, "q") +
             ClientFrame(0, "c") + ClientFrame(1, "next")) ==
        Outcome{"ping:p", "pong:q", "text:abc", "text:next"});
  CHECK(Read(Part(1, "cut off") + Close(1000)) == Outcome{"close 1000:"});
}

TEST_CASE("A control frame in fragments is a fault") {
  for (const int opcode : {8, 9, 10}) {
    CHECK(Read(Part(opcode, "") + ClientFrame(0, "")) == kProtocolFault);
  }
}

TEST_CASE("A continuation of nothing, and a new message inside another, are faults") {
  CHECK(Read(ClientFrame(0, "x")) == kProtocolFault);
  CHECK(Read(Part(0, "x")) == kProtocolFault);
  CHECK(Read(ClientFrame(1, "a") + ClientFrame(0, "b")) == Outcome{"text:a", "fault 1002"});
  CHECK(Read(Part(1, "a") + ClientFrame(1, "b")) == kProtocolFault);
  CHECK(Read(Part(1, "a") + Part(2, "b")) == kProtocolFault);
}

TEST_CASE("A message has at most so many frames, empty ones too") {
  std::string bytes = Part(1, "x");
  for (int i = 0; i < 98; ++i) bytes += Part(0, "");
  CHECK(Read(bytes + ClientFrame(0, "") + ClientFrame(1, "y")) == Outcome{"text:x", "text:y"});
  CHECK(Read(bytes + Part(0, "") + ClientFrame(0, "")) == Outcome{"fault 1008"});
}

// ---- 6: UTF-8 ----

TEST_CASE("A text message is UTF-8, over all its fragments") {
  const std::string good = "\u03ba\u1f79\u03c3\u03bc\u03b5 \U0001F600 \uFFFD \uFFFE";
  CHECK(Read(ClientFrame(1, good)) == Outcome{"text:" + good});
  for (size_t cut = 0; cut <= good.size(); ++cut) {
    CHECK(Read(Part(1, good.substr(0, cut)) + ClientFrame(0, good.substr(cut))) ==
          Outcome{"text:" + good});
  }
  const std::vector<std::string> bad = {"\xff",
                                        "\x80",
                                        "\xc3",
                                        "\xc0\xaf",
                                        "\xc1\xbf",
                                        "\xe0\x80\xaf",
                                        "\xed\xa0\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xf8\x88\x80\x80\x80",
                                        "a\xe2\x82",
                                        "\xf0\x9f\x98",
                                        "\xf5\x80\x80\x80"};
  for (const std::string& text : bad) {
    CHECK(Read(ClientFrame(1, text)) == kBadPayload);
    CHECK(Read(ClientFrame(1, good + text + good)) == kBadPayload);
    CHECK(Read(Part(1, good) + ClientFrame(0, text)) == kBadPayload);
    CHECK(Read(ClientFrame(2, text)) == Outcome{"binary:" + text});
  }
}

// ---- 7: close ----

TEST_CASE("A close frame ends the input, with its code and reason or without") {
  CHECK(Read(ClientFrame(8, "") + ClientFrame(1, "late")) == Outcome{"close 0:"});
  CHECK(Read(Close(1000) + ClientFrame(9, "late")) == Outcome{"close 1000:"});
  const std::string reason(123, 'r');
  CHECK(Read(Close(1001, reason)) == Outcome{"close 1001:" + reason});
  CHECK(Read(ClientFrame(8, std::string(126, 'r'))) == kProtocolFault);
  CHECK(Read(ClientFrame(8, "x")) == kProtocolFault);
  CHECK(Read(Close(1000, "\xce\xba\xe1")) == kBadPayload);
}

TEST_CASE("A close code is one that may be sent") {
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    CHECK(Read(Close(static_cast<uint16_t>(code))) ==
          Outcome{"close " + std::to_string(code) + ":"});
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    CHECK(Read(Close(static_cast<uint16_t>(code))) == kProtocolFault);
  }
}

// ---- 9: limits ----

TEST_CASE("A message that is too long is refused from the head of its frame") {
  CHECK(Read(ClientFrame(1, std::string(kMessageMax + 1, ' '))) == kTooBig);
  for (const uint64_t size : {uint64_t{kMessageMax + 1}, uint64_t{1} << 40, ~uint64_t{0} >> 1}) {
    CHECK(Read(ClientFrame(2, "", {.announced = size})) == kTooBig);
    CHECK(Read(Part(2, "x") + ClientFrame(0, "", {.announced = size})) == kTooBig);
  }
  const std::string half(kMessageMax / 2, 'h');
  CHECK(Read(Part(1, half) + ClientFrame(0, half)) == Outcome{"text:" + half + half});
  CHECK(Read(Part(1, half) + Part(0, half) + ClientFrame(0, "x")) == kTooBig);
}

// ---- 10: many at once ----

TEST_CASE("Many frames in one piece come out one by one") {
  std::string bytes;
  Outcome expected;
  for (int i = 0; i < 1'000; ++i) {
    const std::string text = "message " + std::to_string(i) + std::string(i % 200, '.');
    bytes += ClientFrame(1, text);
    expected.push_back("text:" + text);
  }
  CHECK(Read(bytes) == expected);
}

// ---- 12, 13: deflate ----

TEST_CASE("The compressed bit is taken where it was agreed on, on the first frame of a message") {
  const Shape compressed{.reserved_bits = 4};
  CHECK(Read(ClientFrame(1, "\xff\xff", compressed), true) == Outcome{"text compressed:\xff\xff"});
  CHECK(Read(ClientFrame(2, "x", compressed) + ClientFrame(1, "y"), true) ==
        Outcome{"binary compressed:x", "text:y"});
  const Shape compressed_part{.is_final = false, .reserved_bits = 4};
  CHECK(Read(ClientFrame(1, "a", compressed_part) + ClientFrame(9, "") + ClientFrame(0, "b"),
             true) == Outcome{"ping:", "text compressed:ab"});
  CHECK(Read(ClientFrame(1, "a", compressed_part) + ClientFrame(0, "b", compressed), true) ==
        kProtocolFault);
  CHECK(Read(Part(1, "a") + ClientFrame(0, "b", compressed), true) == kProtocolFault);
  CHECK(Read(ClientFrame(9, "", compressed), true) == kProtocolFault);
  CHECK(Read(ClientFrame(8, "", compressed), true) == kProtocolFault);
  CHECK(Read(ClientFrame(1, "a", {.reserved_bits = 6}), true) == kProtocolFault);
}

// ---- Writing ----

TEST_CASE("A server's frame has the shortest head and no mask") {
  std::string frames;
  AppendFrame(frames, Opcode::kText, "hi");
  CHECK(frames == "\x81\x02hi");
  frames.clear();
  AppendFrame(frames, Opcode::kBinary, std::string(126, 'x'), /*compressed=*/true);
  CHECK(frames.substr(0, 4) == std::string("\xc2\x7e\x00\x7e", 4));
  frames.clear();
  AppendFrame(frames, Opcode::kText, std::string(65'536, 'x'));
  CHECK(frames.substr(0, 10) == std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  frames.clear();
  AppendCloseFrame(frames, 1009, "why");
  CHECK(frames == "\x88\x05\x03\xf1why");
  frames.clear();
  AppendCloseFrame(frames, 0);
  CHECK(frames == std::string("\x88\x00", 2));
}

}  // namespace warpbook::gateway
