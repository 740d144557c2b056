#include "gateway/client/json_value.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "simdjson.h"

namespace warpbook::gateway {
namespace {

absl::Status Fault(simdjson::error_code error) {
  return absl::InvalidArgumentError(absl::StrCat("not JSON: ", simdjson::error_message(error)));
}

}  // namespace

// Copies simdjson's tape into a tree. Its depth is bounded by the parser's own (1,024).
class JsonValueBuilder {
 public:
  static absl::Status Copy(const simdjson::dom::element& element, JsonValue& value) {
    using Type = simdjson::dom::element_type;
    switch (element.type()) {
      case Type::NULL_VALUE:
        return absl::OkStatus();
      case Type::BOOL:
        value.kind_ = JsonValue::Kind::kFlag;
        value.number_ = element.get_bool().value_unsafe() ? 1 : 0;
        return absl::OkStatus();
      case Type::INT64:
        value.kind_ = JsonValue::Kind::kInteger;
        value.number_ = element.get_int64().value_unsafe();
        return absl::OkStatus();
      case Type::UINT64:
      case Type::DOUBLE:
        return absl::InvalidArgumentError("a number that is not a 64-bit integer");
      case Type::STRING:
        value.kind_ = JsonValue::Kind::kText;
        value.text_ = element.get_string().value_unsafe();
        return absl::OkStatus();
      case Type::ARRAY:
        return CopyArray(element.get_array().value_unsafe(), value);
      case Type::OBJECT:
        return CopyObject(element.get_object().value_unsafe(), value);
    }
    return absl::InvalidArgumentError("not JSON");
  }

 private:
  static absl::Status CopyArray(const simdjson::dom::array& array, JsonValue& value) {
    value.kind_ = JsonValue::Kind::kArray;
    value.items_.reserve(array.size());
    for (const simdjson::dom::element item : array) {
      const absl::Status status = Copy(item, value.items_.emplace_back());
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
  static absl::Status CopyObject(const simdjson::dom::object& object, JsonValue& value) {
    value.kind_ = JsonValue::Kind::kObject;
    value.fields_.reserve(object.size());
    for (const simdjson::dom::key_value_pair field : object) {
      auto& [key, copy] = value.fields_.emplace_back();
      key = field.key;
      const absl::Status status = Copy(field.value, copy);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }
};

absl::StatusOr<JsonValue> JsonValue::Parse(std::string_view text) {
  // The parser keeps its memory from one message to the next.
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element element;
  const simdjson::error_code error = parser.parse(text.data(), text.size()).get(element);
  if (error != simdjson::SUCCESS) return Fault(error);
  JsonValue value;
  const absl::Status status = JsonValueBuilder::Copy(element, value);
  if (!status.ok()) return status;
  return value;
}

uint64_t JsonValue::id() const {
  uint64_t value = 0;
  const char* const end = text_.data() + text_.size();
  const auto [stop, fault] = std::from_chars(text_.data(), end, value);
  return fault == std::errc() && stop == end ? value : 0;
}

const JsonValue& JsonValue::operator[](std::string_view key) const {
  static const JsonValue kNothing;
  for (const auto& [name, value] : fields_) {
    if (name == key) return value;
  }
  return kNothing;
}

bool JsonValue::Has(std::string_view key) const {
  for (const auto& [name, value] : fields_) {
    if (name == key) return true;
  }
  return false;
}

}  // namespace warpbook::gateway
