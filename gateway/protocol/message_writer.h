// MessageWriter: writes one message to a client, field by field, in the client's encoding. What is
// written is the same in both; how amounts, identifiers and words look is the encoding's business:
// in JSON prices and TOK are decimal strings, credits integer strings with `_usd` beside them,
// identifiers strings, bytes hex digits (4-gateway-api of the design, Shape); in FlatBuffers what
// schema/wire/client.fbs says, which has to have every key and word that is written.
//
// Reads like the message: keys are string literals, and stay what they are while it is written. One
// message at a time is written on a thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "gateway/protocol/encoding.h"
#include "gateway/protocol/json_writer.h"
#include "gateway/protocol/table_writer.h"
#include "schema/types/amounts.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {

class MessageWriter {
 public:
  // Appends to `out`, which is complete after Finish.
  MessageWriter(Encoding encoding, std::string& out) : out_(out), json_(out) {
    if (encoding == Encoding::kJson) return;
    tables_ = &TableWriter::OfThread();
    tables_->Begin(ServerMessageShape());
  }

  Encoding encoding() const {
    return tables_ == nullptr ? Encoding::kJson : Encoding::kFlatBuffers;
  }
  void Finish() {
    if (tables_ != nullptr) tables_->Finish(out_);
  }

  MessageWriter& BeginObject() {
    tables_ == nullptr ? void(json_.BeginObject()) : tables_->BeginObject();
    return *this;
  }
  MessageWriter& EndObject() {
    tables_ == nullptr ? void(json_.EndObject()) : tables_->EndObject();
    return *this;
  }
  MessageWriter& BeginArray() {
    tables_ == nullptr ? void(json_.BeginArray()) : tables_->BeginArray();
    return *this;
  }
  MessageWriter& EndArray() {
    tables_ == nullptr ? void(json_.EndArray()) : tables_->EndArray();
    return *this;
  }
  MessageWriter& Key(std::string_view key) {
    tables_ == nullptr ? void(json_.Key(key)) : tables_->Key(key);
    return *this;
  }

  // ---- Elements of arrays ----

  MessageWriter& Text(std::string_view text) {
    tables_ == nullptr ? void(json_.String(text)) : tables_->Text(text);
    return *this;
  }
  // A level of a book: [price, GPUs].
  MessageWriter& Level(Price price, Quantity gpus) {
    if (tables_ != nullptr) return tables_->Level(price, gpus), *this;
    json_.BeginArray().String(FormatPrice(price)).Number(gpus.value()).EndArray();
    return *this;
  }

  // ---- Fields ----

  MessageWriter& Field(std::string_view key, std::string_view text) { return Key(key).Text(text); }
  MessageWriter& Field(std::string_view key, const char* text) { return Key(key).Text(text); }
  MessageWriter& Field(std::string_view key, std::same_as<bool> auto value) {
    Key(key);
    tables_ == nullptr ? void(json_.Bool(value)) : tables_->Bool(value);
    return *this;
  }
  template <std::integral T>
  requires(!std::same_as<T, bool>) MessageWriter& Field(std::string_view key, T value) {
    Key(key);
    return tables_ == nullptr ? (json_.Number(value), *this) : Integer(value);
  }
  MessageWriter& Field(std::string_view key, Quantity gpus) { return Field(key, gpus.value()); }
  MessageWriter& Field(std::string_view key, Minutes minutes) {
    return Field(key, minutes.value());
  }
  MessageWriter& Field(std::string_view key, Price price) {
    Key(key);
    return tables_ == nullptr ? (json_.String(FormatPrice(price)), *this) : Integer(price.value());
  }
  MessageWriter& Field(std::string_view key, Tokens tokens) {
    Key(key);
    return tables_ == nullptr ? (json_.String(FormatTokens(tokens)), *this)
                              : Integer(tokens.value());
  }
  // "free":"1200","free_usd":"0.00002"
  MessageWriter& Field(std::string_view key, Credits credits) {
    FieldId(key, credits.value());
    if (tables_ == nullptr) json_.Key(key, "_usd").String(FormatUsd(credits));
    return *this;
  }
  // An identifier.
  template <std::integral T>
  MessageWriter& FieldId(std::string_view key, T value) {
    Key(key);
    return tables_ == nullptr ? (json_.NumberText(value), *this) : Integer(value);
  }
  // A key, a signature, a nonce.
  MessageWriter& FieldBytes(std::string_view key, std::span<const uint8_t> bytes) {
    Key(key);
    tables_ == nullptr ? void(json_.HexText(bytes)) : tables_->Bytes(bytes);
    return *this;
  }
  // A document: in JSON as base64.
  MessageWriter& FieldBlob(std::string_view key, std::string_view bytes) {
    Key(key);
    if (tables_ == nullptr) return json_.Base64Text(bytes), *this;
    tables_->Bytes({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    return *this;
  }

 private:
  template <std::integral T>
  MessageWriter& Integer(T value) {
    if constexpr (std::unsigned_integral<T>) {
      tables_->Unsigned(value);
    } else {
      tables_->Integer(value);
    }
    return *this;
  }

  std::string& out_;
  JsonWriter json_;
  TableWriter* tables_ = nullptr;  // of FlatBuffers
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
