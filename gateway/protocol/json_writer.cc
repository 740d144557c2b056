#include "gateway/protocol/json_writer.h"

namespace warpbook::gateway {

JsonWriter& JsonWriter::String(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
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
