#include "gateway/protocol/json_writer.h"

#include <algorithm>

namespace warpbook::gateway {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

}  // namespace

JsonWriter& JsonWriter::HexText(std::span<const uint8_t> bytes) {
  Comma();
  out_ += '"';
  for (const uint8_t byte : bytes) {
    out_ += kHexDigits[byte >> 4];
    out_ += kHexDigits[byte & 0xf];
  }
  out_ += '"';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  const bool is_plain = std::ranges::none_of(
      text, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  if (is_plain) return Quote(text, "");
  Comma();
  out_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out_ += '\\';
      out_ += c;
    } else if (byte < 0x20) {
      out_ += "\\u00";
      out_ += kHexDigits[byte >> 4];
      out_ += kHexDigits[byte & 0xf];
    } else {
      out_ += c;
    }
  }
  out_ += '"';
  needs_comma_ = true;
  return *this;
}

}  // namespace warpbook::gateway
