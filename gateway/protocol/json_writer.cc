#include "gateway/protocol/json_writer.h"

#include <algorithm>

#include "absl/strings/escaping.h"

namespace warpbook::gateway {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
// Most replies are shorter.
constexpr size_t kGrowBytesMin = 512;

}  // namespace

void JsonWriter::Grow(size_t bytes) {
  const auto written = static_cast<size_t>(at_ - out_.data());
  // More than there is of it, so that a long message is not copied again and again.
  out_.resize(written + std::max({bytes, written, kGrowBytesMin}));
  at_ = out_.data() + written;
  end_ = out_.data() + out_.size();
}

JsonWriter& JsonWriter::HexText(std::span<const uint8_t> bytes) {
  MakeRoom(2 * bytes.size() + 3);
  Comma();
  *at_++ = '"';
  for (const uint8_t byte : bytes) {
    *at_++ = kHexDigits[byte >> 4];
    *at_++ = kHexDigits[byte & 0xf];
  }
  *at_++ = '"';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Base64Text(std::string_view bytes) {
  return String(absl::Base64Escape({bytes.data(), bytes.size()}));
}

JsonWriter& JsonWriter::String(std::string_view text) {
  const bool is_plain = std::ranges::none_of(
      text, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  MakeRoom((is_plain ? 1 : 6) * text.size() + 3);
  Comma();
  *at_++ = '"';
  if (is_plain) {
    Put(text);
  } else {
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20) {
        Put("\\u00");
        *at_++ = kHexDigits[byte >> 4];
        *at_++ = kHexDigits[byte & 0xf];
      } else {
        if (c == '"' || c == '\\') *at_++ = '\\';
        *at_++ = c;
      }
    }
  }
  *at_++ = '"';
  needs_comma_ = true;
  return *this;
}

}  // namespace warpbook::gateway
