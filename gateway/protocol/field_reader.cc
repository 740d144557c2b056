#include "gateway/protocol/field_reader.h"

#include <charconv>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// 9999-12-31T23:59:59.999999Z: later times would not print.
constexpr int64_t kTimeMax = 253'402'300'799'999'999;

std::string_view KindName(JsonNode::Kind kind) {
  switch (kind) {
    case JsonNode::Kind::kObject:
      return "an object";
    case JsonNode::Kind::kArray:
      return "an array";
    case JsonNode::Kind::kString:
      return "a string";
    case JsonNode::Kind::kNumber:
      return "an integer";
    case JsonNode::Kind::kBool:
      return "true or false";
    case JsonNode::Kind::kNull:
      return "null";
  }
  return "";
}

bool AllDigits(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return true;
}

// Whether the text is a decimal but for its size: what ParseDecimal refuses for its range alone.
bool IsDecimal(std::string_view text, int decimals) {
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (!AllDigits(whole) || (whole.size() > 1 && whole[0] == '0')) return false;
  if (point == std::string_view::npos) return true;
  const std::string_view fraction = text.substr(point + 1);
  return AllDigits(fraction) && fraction.size() <= static_cast<size_t>(decimals);
}

}  // namespace

void Fault::Add(RejectReason reason, std::string param, std::string detail) {
  if (found() && refusal_.reason <= reason) return;
  refusal_ = {reason, std::move(param), std::move(detail)};
}

std::string CutForEcho(std::string_view text) {
  if (text.size() <= kEchoBytesMax) return std::string(text);
  size_t end = kEchoBytesMax;
  // Not inside a character: bytes 10xxxxxx continue one.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end));
}

void FieldReader::Refuse(RejectReason reason, std::string_view name, std::string detail) {
  fault_.Add(reason, path_ + CutForEcho(name), std::move(detail));
}

bool FieldReader::Has(std::string_view name) const {
  return object_ != kEmptyObject && tree_.FindChild(object_, name) != 0;
}

std::optional<uint32_t> FieldReader::Node(std::string_view name, JsonNode::Kind kind, Need need) {
  const uint32_t index = object_ == kEmptyObject ? 0 : tree_.FindChild(object_, name);
  if (index == 0) {
    if (need == Need::kRequired) Refuse(RejectReason::kMissingField, name, "");
    return std::nullopt;
  }
  JsonNode& node = tree_.node(index);
  node.known = true;
  if (node.kind != kind) {
    Refuse(RejectReason::kWrongType, name, "must be " + std::string(KindName(kind)));
    return std::nullopt;
  }
  return index;
}

std::optional<std::string_view> FieldReader::Text(std::string_view name, size_t bytes_max,
                                                  Need need) {
  const auto index = Node(name, JsonNode::Kind::kString, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  if (text.empty() || text.size() > bytes_max) {
    Refuse(RejectReason::kMalformedText, name, absl::StrCat("1 to ", bytes_max, " bytes"));
    return std::nullopt;
  }
  return text;
}

std::optional<bool> FieldReader::Bool(std::string_view name, Need need) {
  const auto index = Node(name, JsonNode::Kind::kBool, need);
  if (!index) return std::nullopt;
  return tree_.node(*index).is_true;
}

std::optional<int64_t> FieldReader::Integer(std::string_view name, int64_t min, int64_t max,
                                            Need need) {
  const auto index = Node(name, JsonNode::Kind::kNumber, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  // The tree has seen that it is a JSON number: what is left is 1.0, 1e3 and -0.
  if (text.find_first_of(".eE") != std::string_view::npos || text == "-0") {
    Refuse(RejectReason::kMalformedNumber, name, "must be a plain integer");
    return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < min || value > max) {
    Refuse(RejectReason::kOutOfRange, name, absl::StrCat("must be ", min, " to ", max));
    return std::nullopt;
  }
  return value;
}

std::optional<Timestamp> FieldReader::Time(std::string_view name, Need need) {
  const auto micros = Integer(name, 1, kTimeMax, need);
  return micros ? std::optional(Timestamp(*micros)) : std::nullopt;
}

std::optional<ClientOrderId> FieldReader::OrderName(std::string_view name, Need need) {
  const auto text = Text(name, ClientOrderId::kMaxLength, need);
  if (!text) return std::nullopt;
  const auto id = ClientOrderId::Parse(*text);
  if (!id) {
    Refuse(RejectReason::kMalformedText, name, "1 to 32 printable ASCII characters, no space");
  }
  return id;
}

std::optional<int64_t> FieldReader::Decimal(std::string_view name, int decimals, Need need) {
  const auto index = Node(name, JsonNode::Kind::kString, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  const auto value = ParseDecimal(text, decimals);
  if (value) return value;
  const bool negative = text.starts_with('-');
  if (IsDecimal(text.substr(negative ? 1 : 0), decimals)) {
    Refuse(RejectReason::kOutOfRange, name, negative ? "must not be negative" : "is too large");
  } else {
    Refuse(RejectReason::kMalformedDecimal, name,
           decimals == 0 ? std::string("must be digits, without a leading zero")
                         : absl::StrCat("must be digits with at most ", decimals,
                                        " behind a point, without a leading zero"));
  }
  return std::nullopt;
}

std::optional<Price> FieldReader::PositivePrice(std::string_view name, Need need) {
  const auto index = Node(name, JsonNode::Kind::kString, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  const bool negative = text.starts_with('-');
  const auto magnitude = ParsePrice(text.substr(negative ? 1 : 0));
  if (magnitude && (negative || magnitude->value() == 0)) {
    Refuse(RejectReason::kPriceNotPositive, name, "");
    return std::nullopt;
  }
  const auto value = Decimal(name, 6, need);
  return value ? std::optional(Price(*value)) : std::nullopt;
}

std::optional<uint64_t> FieldReader::Unsigned(std::string_view name, Need need) {
  const auto index = Node(name, JsonNode::Kind::kString, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  if (!AllDigits(text) || (text.size() > 1 && text[0] == '0')) {
    Refuse(RejectReason::kMalformedText, name, "must be digits, without a leading zero");
    return std::nullopt;
  }
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value == 0) {
    Refuse(RejectReason::kOutOfRange, name, "must be 1 to 18446744073709551615");
    return std::nullopt;
  }
  return value;
}

void FieldReader::HexInto(std::string_view name, uint8_t* bytes, size_t count) {
  const auto index = Node(name, JsonNode::Kind::kString, Need::kRequired);
  if (!index) return;
  const std::string_view text = tree_.node(*index).text;
  const bool all_hex = text.size() == 2 * count &&
                       text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (!all_hex) {
    Refuse(RejectReason::kMalformedText, name, absl::StrCat(2 * count, " hex digits"));
    return;
  }
  const std::string decoded = absl::HexStringToBytes(absl::string_view(text.data(), text.size()));
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<uint8_t>(decoded[i]);
}

void FieldReader::RefuseUnknownFields() {
  if (object_ == kEmptyObject) return;
  for (uint32_t child = tree_.node(object_).first_child; child != 0;
       child = tree_.node(child).next_sibling) {
    if (!tree_.node(child).known) {
      Refuse(RejectReason::kUnknownField, tree_.node(child).key, "");
      return;
    }
  }
}

}  // namespace warpbook::gateway
