#include "schema/base/json_object.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace warpbook {

void AppendJsonString(std::string_view value, std::string& out) {
  static constexpr std::array<char, 16> kHex = {'0', '1', '2', '3', '4', '5', '6', '7',
                                                '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  out.push_back('"');
  for (const char character : value) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      out.push_back('\\');
      out.push_back(character);
    } else if (byte < 0x20 || byte == 0x7f) {
      out.append("\\u00");
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    } else {
      out.push_back(character);
    }
  }
  out.push_back('"');
}

void JsonObject::Key(std::string_view key) {
  if (!body_.empty()) body_.push_back(',');
  body_.push_back('"');
  body_.append(key);
  body_.append("\":");
}

JsonObject& JsonObject::Text(std::string_view key, std::string_view value) {
  Key(key);
  AppendJsonString(value, body_);
  return *this;
}

JsonObject& JsonObject::Integer(std::string_view key, int64_t value) {
  Key(key);
  absl::StrAppend(&body_, value);
  return *this;
}

JsonObject& JsonObject::Flag(std::string_view key, bool value) {
  Key(key);
  body_.append(value ? "true" : "false");
  return *this;
}

JsonObject& JsonObject::Raw(std::string_view key, std::string_view json) {
  Key(key);
  body_.append(json);
  return *this;
}

JsonObject& JsonObject::Id(std::string_view key, uint64_t value) {
  Key(key);
  absl::StrAppend(&body_, "\"", value, "\"");
  return *this;
}

JsonObject& JsonObject::TextIfAny(std::string_view key, std::string_view value) {
  return value.empty() ? *this : Text(key, value);
}

JsonObject& JsonObject::IdIfAny(std::string_view key, uint64_t value) {
  return value == 0 ? *this : Id(key, value);
}

std::string JsonObject::Build() const { return absl::StrCat("{", body_, "}"); }

}  // namespace warpbook
