// MessageWriter: writes one message to a client, field by field, in the client's encoding. What is
// written is the same in both; how amounts, identifiers and words look is the encoding's business:
// in JSON prices and TOK are decimal strings, credits integer strings with `_usd` beside them,
// identifiers strings (4-gateway-api of the design, Shape).
//
// Reads like the message: keys are string literals, and stay what they are while it is written.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/protocol/encoding.h"
#include "gateway/protocol/json_writer.h"
#include "schema/types/amounts.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {

class MessageWriter {
 public:
  // Appends to `out`, which is complete after Finish.
  MessageWriter(Encoding encoding, std::string& out) : encoding_(encoding), out_(out), json_(out) {}

  Encoding encoding() const { return encoding_; }
  void Finish() {}

  MessageWriter& BeginObject() { return json_.BeginObject(), *this; }
  MessageWriter& EndObject() { return json_.EndObject(), *this; }
  MessageWriter& BeginArray() { return json_.BeginArray(), *this; }
  MessageWriter& EndArray() { return json_.EndArray(), *this; }
  MessageWriter& Key(std::string_view key) { return json_.Key(key), *this; }

  // An element of an array of texts.
  MessageWriter& Text(std::string_view text) { return json_.String(text), *this; }
  // An element of an array of book levels: [price, GPUs].
  MessageWriter& Level(Price price, Quantity gpus) {
    json_.BeginArray().String(FormatPrice(price)).Number(gpus.value()).EndArray();
    return *this;
  }

  // ---- Fields ----

  MessageWriter& Field(std::string_view key, std::string_view text) {
    return json_.Field(key, text), *this;
  }
  MessageWriter& Field(std::string_view key, const char* text) {
    return json_.Field(key, text), *this;
  }
  MessageWriter& Field(std::string_view key, std::same_as<bool> auto value) {
    return json_.Field(key, value), *this;
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) MessageWriter& Field(std::string_view key, T value) {
    return json_.Field(key, value), *this;
  }
  MessageWriter& Field(std::string_view key, Quantity gpus) { return Field(key, gpus.value()); }
  MessageWriter& Field(std::string_view key, Minutes minutes) {
    return Field(key, minutes.value());
  }
  MessageWriter& Field(std::string_view key, Price price) {
    return json_.Field(key, FormatPrice(price)), *this;
  }
  MessageWriter& Field(std::string_view key, Tokens tokens) {
    return json_.Field(key, FormatTokens(tokens)), *this;
  }
  // "free":"1200","free_usd":"0.00002"
  MessageWriter& Field(std::string_view key, Credits credits) {
    json_.FieldText(key, credits.value());
    json_.Field(std::string(key) + "_usd", FormatUsd(credits));
    return *this;
  }
  // An identifier.
  template <std::integral T>
  MessageWriter& FieldId(std::string_view key, T value) {
    return json_.FieldText(key, value), *this;
  }

 private:
  const Encoding encoding_;
  std::string& out_;
  JsonWriter json_;
};

// One object as a message of its own.
template <typename WriteFields>
std::string WriteMessage(Encoding encoding, WriteFields&& write_fields) {
  std::string bytes;
  MessageWriter out(encoding, bytes);
  out.BeginObject();
  write_fields(out);
  out.EndObject().Finish();
  return bytes;
}

}  // namespace warpbook::gateway
