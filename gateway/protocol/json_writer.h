// JsonWriter: appends compact JSON to a string. Commas are its own business; that every object and
// array is closed, and that each field has a key, is the caller's. Texts must be valid UTF-8.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace warpbook::gateway {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }

  // The key of the value that comes next: a name of ours, without anything to escape.
  JsonWriter& Key(std::string_view key) { return Key(key, ""); }
  // "free" and "_usd": a name in two parts.
  JsonWriter& Key(std::string_view key, std::string_view rest) {
    Quote(key, rest);
    out_ += ':';
    needs_comma_ = false;
    return *this;
  }

  JsonWriter& String(std::string_view text);
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json) {
    Comma();
    out_ += json;
    needs_comma_ = true;
    return *this;
  }
  template <std::integral T>
  JsonWriter& Number(T value) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    return Raw(std::string_view(digits, end));
  }
  // An integer as a string: identifiers and credits.
  template <std::integral T>
  JsonWriter& NumberText(T value) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
    return Quote(std::string_view(digits, end), "");
  }

  // Bytes as hex digits.
  JsonWriter& HexText(std::span<const uint8_t> bytes);

  // Fields: a key with its value.
  JsonWriter& Field(std::string_view key, std::string_view text) { return Key(key).String(text); }
  JsonWriter& Field(std::string_view key, const char* text) { return Key(key).String(text); }
  JsonWriter& Field(std::string_view key, std::same_as<bool> auto value) {
    return Key(key).Bool(value);
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& Field(std::string_view key, T value) {
    return Key(key).Number(value);
  }
  template <std::integral T>
  JsonWriter& FieldText(std::string_view key, T value) {
    return Key(key).NumberText(value);
  }

 private:
  JsonWriter& Open(char bracket) {
    Comma();
    out_ += bracket;
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    out_ += bracket;
    needs_comma_ = true;
    return *this;
  }
  // Two parts of a text without anything to escape.
  JsonWriter& Quote(std::string_view text, std::string_view rest) {
    Comma();
    out_ += '"';
    out_ += text;
    out_ += rest;
    out_ += '"';
    needs_comma_ = true;
    return *this;
  }
  void Comma() {
    if (needs_comma_) out_ += ',';
  }

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace warpbook::gateway
