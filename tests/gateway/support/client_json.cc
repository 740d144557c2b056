#include "tests/gateway/support/client_json.h"

#include <flatbuffers/flatbuffers.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "gateway/protocol/json_writer.h"
#include "gateway/protocol/methods.h"
#include "gateway/protocol/table_shape.h"
#include "schema/types/decimal.h"
#include "schema/wire/client_messages_generated.h"

namespace warpbook::gateway {
namespace {

namespace dom = simdjson::dom;
using Type = FieldShape::Type;

template <size_t kCount>
bool IsOneOf(std::string_view name, const std::string_view (&names)[kCount]) {
  return std::ranges::find(names, name) != std::end(names);
}

// ---- What integers are in JSON, by the names of their fields ----

// Numbers, though they are unsigned: all others are identifiers.
bool IsSequence(std::string_view name) {
  return name.ends_with("seq") || name == "number" || name == "events";
}
constexpr std::string_view kMicros[] = {"price", "burn", "amount", "limit_usd"};
constexpr std::string_view kPlainDecimals[] = {
    "credits",       "verified_weight", "consumed",    "burned",       "owed",        "gross_utok",
    "provider_utok", "fee_utok",        "retire_utok", "emitted_utok", "budget_utok", "bonus_utok"};
constexpr std::string_view kPrices[] = {
    "price", "tick", "band_low", "band_high", "resold_price", "average_price", "bid",
    "ask",   "last", "open",     "high",      "low",          "close"};
constexpr std::string_view kTokenAmounts[] = {"tok", "balance", "burned", "amount"};
constexpr std::string_view kCredits[] = {"credits",      "free",     "locked",   "escrow",
                                         "bonded_limit", "notional", "surcharge"};

// ---- JSON -> FlatBuffers ----

struct NotExpressible {};

int64_t DecimalOf(std::string_view text, int decimals) {
  const bool is_negative = text.starts_with('-');
  const auto value = ParseDecimal(text.substr(is_negative ? 1 : 0), decimals);
  // A negative zero is no integer's.
  if (!value || (is_negative && *value == 0)) throw NotExpressible();
  return is_negative ? -*value : *value;
}

uint64_t UnsignedOf(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool has_leading_zero = text.size() > 1 && text[0] == '0';
  if (error != std::errc() || end != text.data() + text.size() || has_leading_zero) {
    throw NotExpressible();
  }
  return value;
}

std::string_view TextOf(dom::element element) {
  if (!element.is_string()) throw NotExpressible();
  return element.get_string().value();
}

class RequestEncoder {
 public:
  std::string Encode(dom::element root) {
    const uint32_t offset = Table(root, ClientRequestShape());
    builder_.Finish(flatbuffers::Offset<flatbuffers::Table>(offset));
    return {reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize()};
  }

 private:
  struct Field {
    uint16_t vtable_offset;
    uint8_t size;
    bool is_offset;
    uint64_t bits;
  };

  uint32_t Table(dom::element element, const TableShape& shape) {
    if (!element.is_object()) throw NotExpressible();
    const dom::object object = element.get_object().value();
    std::vector<Field> fields;
    std::vector<std::string_view> keys;
    for (const auto [key, value] : object) {
      if (std::ranges::find(keys, key) != keys.end()) throw NotExpressible();
      keys.push_back(key);
      const FieldShape* field = shape.Find(key);
      if (field != nullptr && field->type == Type::kUnion) continue;
      if (key == "method" && shape.Find("params") != nullptr) continue;
      fields.push_back(field == nullptr ? UnknownField(key, shape) : FieldOf(value, *field));
    }
    if (const FieldShape* params = shape.Find("params")) Union(object, *params, fields);
    const uint32_t start = builder_.StartTable();
    for (const Field& field : fields) AddField(field);
    return builder_.EndTable(start);
  }

  void AddField(const Field& field) {
    if (field.is_offset) {
      return builder_.AddOffset(field.vtable_offset,
                                flatbuffers::Offset<void>(static_cast<uint32_t>(field.bits)));
    }
    if (field.size == 1) builder_.AddElement(field.vtable_offset, static_cast<uint8_t>(field.bits));
    if (field.size == 2) {
      builder_.AddElement(field.vtable_offset, static_cast<uint16_t>(field.bits));
    }
    if (field.size == 4) {
      builder_.AddElement(field.vtable_offset, static_cast<uint32_t>(field.bits));
    }
    if (field.size == 8) builder_.AddElement(field.vtable_offset, field.bits);
  }

  static Field UnknownField(std::string_view key, const TableShape& shape) {
    constexpr std::string_view kPrefix = "field ";
    if (!key.starts_with(kPrefix)) throw NotExpressible();
    const uint64_t index = UnsignedOf(key.substr(kPrefix.size()));
    if (index < shape.fields.size() || index > 200) throw NotExpressible();
    return {flatbuffers::FieldIndexToOffset(static_cast<uint16_t>(index)), 1, false, 1};
  }

  void Union(dom::object object, const FieldShape& field, std::vector<Field>& fields) {
    dom::element method, params;
    const bool has_method = object["method"].get(method) == simdjson::SUCCESS;
    const bool has_params = object["params"].get(params) == simdjson::SUCCESS;
    if (has_params && !params.is_object()) throw NotExpressible();
    if (!has_method) return;
    size_t member = 200;
    if (const std::string_view name = TextOf(method); !name.empty()) {
      const MethodInfo* info = FindMethod(name);
      if (info == nullptr) throw NotExpressible();
      member = static_cast<size_t>(info->method) + 1;
    }
    fields.push_back({static_cast<uint16_t>(field.vtable_offset - 2), 1, false, member});
    if (!has_params) return;
    static const TableShape kNothing;
    const bool is_known = member < field.shape->fields.size();
    if (!is_known && params.get_object().value().size() != 0) throw NotExpressible();
    fields.push_back({field.vtable_offset, 4, true,
                      Table(params, is_known ? *field.shape->fields[member].shape : kNothing)});
  }

  Field FieldOf(dom::element value, const FieldShape& field) {
    const bool is_offset =
        field.is_vector || field.type == Type::kText || field.type == Type::kTable;
    return {field.vtable_offset, field.inline_size(), is_offset,
            field.is_vector ? Vector(value, field) : Value(value, field)};
  }

  uint64_t Vector(dom::element value, const FieldShape& field) {
    if (field.type == Type::kByte && field.name == "data") return Base64(TextOf(value));
    if (field.type == Type::kByte) return Bytes(TextOf(value));
    if (!value.is_array()) throw NotExpressible();
    std::vector<uint64_t> elements;
    const dom::array array = value.get_array().value();
    for (const dom::element element : array) {
      elements.push_back(Value(element, field));
    }
    builder_.StartVector(elements.size(), field.size);
    for (size_t i = elements.size(); i-- > 0;) {
      if (field.type == Type::kWord) {
        builder_.PushElement(static_cast<uint8_t>(elements[i]));
      } else if (field.type == Type::kUnsignedLong) {
        builder_.PushElement(elements[i]);
      } else {
        builder_.PushElement(flatbuffers::Offset<void>(static_cast<uint32_t>(elements[i])));
      }
    }
    return builder_.EndVector(elements.size());
  }

  uint64_t Base64(std::string_view text) {
    std::string bytes;
    if (!absl::Base64Unescape({text.data(), text.size()}, &bytes)) throw NotExpressible();
    return builder_.CreateVector(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()).o;
  }

  uint64_t Bytes(std::string_view hex) {
    std::vector<uint8_t> bytes(hex.size() / 2);
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char* const digits = hex.data() + 2 * i;
      const auto [end, error] = std::from_chars(digits, digits + 2, bytes[i], 16);
      if (error != std::errc() || end != digits + 2) throw NotExpressible();
    }
    if (hex.size() % 2 != 0) throw NotExpressible();
    return builder_.CreateVector(bytes).o;
  }

  uint64_t Value(dom::element value, const FieldShape& field) {
    switch (field.type) {
      case Type::kBool:
        if (!value.is_bool()) throw NotExpressible();
        return value.get_bool().value() ? 1 : 0;
      case Type::kWord: {
        const std::string_view text = TextOf(value);
        const FieldShape* word = field.shape->Find(text);
        if (word == nullptr && text != "?") throw NotExpressible();
        return word == nullptr ? field.shape->fields.size() : word->index;
      }
      case Type::kText: {
        const std::string_view text = TextOf(value);
        return builder_.CreateString(text.data(), text.size()).o;
      }
      case Type::kTable:
        return Table(value, *field.shape);
      default:
        return Integer(value, field);
    }
  }

  static uint64_t Integer(dom::element value, const FieldShape& field) {
    if (IsOneOf(field.name, kMicros)) return static_cast<uint64_t>(DecimalOf(TextOf(value), 6));
    if (IsOneOf(field.name, kPlainDecimals)) {
      return static_cast<uint64_t>(DecimalOf(TextOf(value), 0));
    }
    const bool is_sequence = IsSequence(field.name);
    if (field.type == Type::kUnsignedLong && !is_sequence) return UnsignedOf(TextOf(value));
    if (!value.is_int64() && !value.is_uint64()) throw NotExpressible();
    if (field.type == Type::kUnsignedLong) {
      if (value.is_int64() && value.get_int64().value() < 0) throw NotExpressible();
      return value.is_uint64() ? value.get_uint64().value()
                               : static_cast<uint64_t>(value.get_int64().value());
    }
    if (!value.is_int64()) throw NotExpressible();
    const int64_t number = value.get_int64().value();
    const bool fits = field.type != Type::kInt || (number >= std::numeric_limits<int32_t>::min() &&
                                                   number <= std::numeric_limits<int32_t>::max());
    if (!fits) throw NotExpressible();
    return static_cast<uint64_t>(number);
  }

  flatbuffers::FlatBufferBuilder builder_;
};

// ---- FlatBuffers -> JSON ----

class MessageDecoder {
 public:
  explicit MessageDecoder(std::string& out) : json_(out) {}

  void Table(const flatbuffers::Table& table, const TableShape& shape) {
    json_.BeginObject();
    size_t member = 0;
    for (const FieldShape& field : shape.fields) {
      const uint8_t* const value = table.GetAddressOf(field.vtable_offset);
      if (value == nullptr) continue;
      if (field.type == Type::kUnionType) {
        member = *value;
        continue;
      }
      json_.Key(field.name);
      if (field.type == Type::kUnion) {
        Union(value, *field.shape->fields.at(member).shape);
      } else if (field.is_vector) {
        Vector(value, field);
      } else {
        Value(value, field, table, shape);
      }
    }
    json_.EndObject();
  }

 private:
  template <typename T>
  static T Load(const uint8_t* bytes) {
    return flatbuffers::ReadScalar<T>(bytes);
  }
  static const uint8_t* Follow(const uint8_t* offset) { return offset + Load<uint32_t>(offset); }

  // A member of `data` that holds but an array is that array.
  void Union(const uint8_t* value, const TableShape& shape) {
    const auto& table = *reinterpret_cast<const flatbuffers::Table*>(Follow(value));
    const bool is_array = !shape.fields.empty() && shape.fields[0].name == "rows";
    if (!is_array) return Table(table, shape);
    Vector(table.GetAddressOf(shape.fields[0].vtable_offset), shape.fields[0]);
  }

  void Vector(const uint8_t* value, const FieldShape& field) {
    const uint8_t* const vector = Follow(value);
    const uint32_t count = Load<uint32_t>(vector);
    if (field.type == Type::kByte) {
      const bool is_document = field.name == "challenge";
      const std::string_view bytes(reinterpret_cast<const char*>(vector + 4), count);
      is_document ? json_.Base64Text(bytes) : json_.HexText({vector + 4, count});
      return;
    }
    json_.BeginArray();
    for (uint32_t i = 0; i < count; ++i) {
      const uint8_t* const element = vector + 4 + i * field.size;
      if (field.type == Type::kStruct) {
        const auto& level = *reinterpret_cast<const client::Level*>(element);
        json_.BeginArray().String(FormatPrice(Price(level.price())));
        json_.Number(level.gpus()).EndArray();
      } else if (field.type == Type::kTable) {
        Table(*reinterpret_cast<const flatbuffers::Table*>(Follow(element)), *field.shape);
      } else if (field.type == Type::kText) {
        json_.String(TextOf(element));
      } else {
        json_.String(field.shape->fields.at(*element).name);
      }
    }
    json_.EndArray();
  }

  static std::string_view TextOf(const uint8_t* value) {
    const auto* text = reinterpret_cast<const flatbuffers::String*>(Follow(value));
    return {text->c_str(), text->size()};
  }

  void Value(const uint8_t* value, const FieldShape& field, const flatbuffers::Table& table,
             const TableShape& shape) {
    switch (field.type) {
      case Type::kBool:
        json_.Bool(*value != 0);
        return;
      case Type::kWord:
        json_.String(field.name == "method" ? kMethods.at(*value).name
                                            : field.shape->fields.at(*value).name);
        return;
      case Type::kText:
        json_.String(TextOf(value));
        return;
      case Type::kTable:
        return Table(*reinterpret_cast<const flatbuffers::Table*>(Follow(value)), *field.shape);
      case Type::kUnsignedShort:
        json_.Number(Load<uint16_t>(value));
        return;
      case Type::kInt:
        json_.Number(Load<int32_t>(value));
        return;
      case Type::kUnsignedInt:
        json_.Number(Load<uint32_t>(value));
        return;
      case Type::kUnsignedLong:
        IsSequence(field.name) ? json_.Number(Load<uint64_t>(value))
                               : json_.NumberText(Load<uint64_t>(value));
        return;
      default:
        return Long(Load<int64_t>(value), field, table, shape);
    }
  }

  void Long(int64_t value, const FieldShape& field, const flatbuffers::Table& table,
            const TableShape& shape) {
    const FieldShape* asset = shape.Find("asset");
    const uint8_t* const asset_value =
        asset == nullptr ? nullptr : table.GetAddressOf(asset->vtable_offset);
    const bool is_tokens =
        asset_value != nullptr && asset->shape->fields.at(*asset_value).name == "TOK";
    if (IsOneOf(field.name, kPrices)) {
      json_.String(FormatPrice(Price(value)));
    } else if (IsOneOf(field.name, kTokenAmounts) || (is_tokens && field.name == "change")) {
      json_.String(FormatTokens(Tokens(value)));
    } else if (IsOneOf(field.name, kCredits)) {
      json_.NumberText(value);
      json_.Field(std::string(field.name) + "_usd", FormatUsd(Credits(value)));
    } else if (field.name == "change") {
      json_.NumberText(value);
    } else {
      json_.Number(value);
    }
  }

  JsonWriter json_;
};

// A number -0, which the DOM takes for 0, and the gateway for none.
bool HasNegativeZero(std::string_view json) {
  constexpr std::string_view kBefore = ":[, \t\r\n";
  for (size_t at = json.find("-0", 1); at != std::string_view::npos; at = json.find("-0", at + 1)) {
    if (kBefore.find(json[at - 1]) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> BinaryRequest(std::string_view json) {
  if (json.empty() || HasNegativeZero(json)) return std::nullopt;
  dom::parser parser;
  dom::element root;
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS) return std::nullopt;
  try {
    return RequestEncoder().Encode(root);
  } catch (const NotExpressible&) {
    return std::nullopt;
  }
}

std::string JsonMessage(std::string_view binary) {
  const std::vector<uint8_t> bytes(binary.begin(), binary.end());  // aligned
  flatbuffers::Verifier verifier(bytes.data(), bytes.size());
  if (!verifier.VerifyBuffer<client::ServerMessage>()) return "";
  std::string json;
  MessageDecoder(json).Table(*flatbuffers::GetRoot<flatbuffers::Table>(bytes.data()),
                             ServerMessageShape());
  return json;
}

}  // namespace warpbook::gateway
