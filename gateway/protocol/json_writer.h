// JsonWriter: appends compact JSON to a string. Commas are its own business; that every object and
// array is closed, and that each field has a key, is the caller's. Texts must be valid UTF-8.
//
// The string is whole, and may be touched by others, while no object or array is open. Else it is
// longer than what was written: room is made in advance, as a string that grows by each quotation
// mark is most of the cost of a reply.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
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
    MakeRoom(key.size() + rest.size() + 4);
    Comma();
    *at_++ = '"';
    Put(key);
    Put(rest);
    *at_++ = '"';
    *at_++ = ':';
    needs_comma_ = false;
    return *this;
  }

  JsonWriter& String(std::string_view text);
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json) {
    MakeRoom(json.size() + 1);
    Comma();
    Put(json);
    needs_comma_ = true;
    return *this;
  }
  template <std::integral T>
  JsonWriter& Number(T value) {
    MakeRoom(kDigitsMax + 1);
    Comma();
    PutDigits(value);
    needs_comma_ = true;
    return *this;
  }
  // An integer as a string: identifiers and credits.
  template <std::integral T>
  JsonWriter& NumberText(T value) {
    MakeRoom(kDigitsMax + 3);
    Comma();
    *at_++ = '"';
    PutDigits(value);
    *at_++ = '"';
    needs_comma_ = true;
    return *this;
  }

  // Bytes as hex digits.
  JsonWriter& HexText(std::span<const uint8_t> bytes);
  // And as base64.
  JsonWriter& Base64Text(std::string_view bytes);

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
  static constexpr size_t kDigitsMax = 20;  // of 64 bits, with a sign

  JsonWriter& Open(char bracket) {
    if (depth_++ == 0) at_ = end_ = out_.data() + out_.size();
    MakeRoom(2);
    Comma();
    *at_++ = bracket;
    needs_comma_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    MakeRoom(1);
    *at_++ = bracket;
    needs_comma_ = true;
    if (--depth_ == 0) out_.resize(static_cast<size_t>(at_ - out_.data()));
    return *this;
  }
  void Comma() {
    if (needs_comma_) *at_++ = ',';
  }

  // What follows writes into room that was made.
  // (Not memcpy: an empty text may have no place.)
  void Put(std::string_view text) { at_ += text.copy(at_, text.size()); }
  template <std::integral T>
  void PutDigits(T value) {
    at_ = std::to_chars(at_, at_ + kDigitsMax, value).ptr;
  }
  void MakeRoom(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) Grow(bytes);
  }
  void Grow(size_t bytes);

  std::string& out_;
  char* at_ = nullptr;  // in out_, where the next byte goes
  char* end_ = nullptr;
  size_t depth_ = 0;
  bool needs_comma_ = false;
};

}  // namespace warpbook::gateway
