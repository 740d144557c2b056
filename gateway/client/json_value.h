// JsonValue: one parsed JSON value that owns what it holds. The parser is simdjson; this tree keeps
// it out of the headers of those who read replies.
//
// Access is forgiving, because a missing field is an ordinary thing in a reply: value["a"]["b"] is
// null where there is no such field, and text(), integer() and flag() of another kind are "", 0 and
// false. Who must tell the difference asks kind(). Immutable once parsed: any thread may read it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace warpbook::gateway {

class JsonValue {
 public:
  enum class Kind : uint8_t { kNull, kFlag, kInteger, kText, kArray, kObject };

  JsonValue() = default;

  // Parses one value. InvalidArgument where the text is not JSON or holds a number that is not a
  // 64-bit integer: the API has no others.
  static absl::StatusOr<JsonValue> Parse(std::string_view text);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kNull; }
  bool flag() const { return kind_ == Kind::kFlag && number_ != 0; }
  int64_t integer() const { return kind_ == Kind::kInteger ? number_ : 0; }
  const std::string& text() const { return text_; }
  // An id, which the API writes as a decimal string; 0 where it is none.
  uint64_t id() const;

  // The elements of an array, else none.
  const std::vector<JsonValue>& items() const { return items_; }
  // The field of an object, or null. Of a key that is there twice, the first.
  const JsonValue& operator[](std::string_view key) const;
  bool Has(std::string_view key) const;
  // The fields of an object in the order of the text, else none.
  const std::vector<std::pair<std::string, JsonValue>>& fields() const { return fields_; }

 private:
  friend class JsonValueBuilder;

  Kind kind_ = Kind::kNull;
  int64_t number_ = 0;
  std::string text_;
  std::vector<JsonValue> items_;
  std::vector<std::pair<std::string, JsonValue>> fields_;
};

}  // namespace warpbook::gateway
