#include "gateway/protocol/field_reader.h"

#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "schema/types/decimal.h"

namespace warpbook::gateway {
namespace {

// 9999-12-31T23:59:59.999999Z: later times would not print.
constexpr int64_t kTimeMax = 253'402'300'799'999'999;
constexpr int kMicroDecimals = 6;
constexpr const char* kIsNegative = "must not be negative";

std::string_view KindName(FieldNode::Kind kind) {
  switch (kind) {
    case FieldNode::Kind::kObject:
      return "an object";
    case FieldNode::Kind::kArray:
      return "an array";
    case FieldNode::Kind::kString:
      return "a string";
    case FieldNode::Kind::kNumber:
    case FieldNode::Kind::kInteger:
    case FieldNode::Kind::kUnsigned:
      return "an integer";
    case FieldNode::Kind::kBool:
      return "true or false";
    case FieldNode::Kind::kNull:
      return "null";
    case FieldNode::Kind::kBytes:
      return "bytes";
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

// The value of a hex digit, or 16.
unsigned HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

// Half as many bytes as digits; false where there is one that is none.
bool DecodeHex(std::string_view digits, uint8_t* bytes) {
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    const unsigned high = HexDigit(digits[i]), low = HexDigit(digits[i + 1]);
    if ((high | low) >= 16) return false;
    bytes[i / 2] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
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
  return object_ != kEmptyObject && tree_.FindChild(object_, name, KeyTag(name), hint_) != 0;
}

FieldNode* FieldReader::Find(std::string_view name, Need need) {
  const uint32_t index =
      object_ == kEmptyObject ? 0 : tree_.FindChild(object_, name, KeyTag(name), hint_);
  if (index == 0) {
    if (need == Need::kRequired) Refuse(RejectReason::kMissingField, name, "");
    return nullptr;
  }
  FieldNode& node = tree_.node(index);
  node.known = true;
  hint_ = node.next_sibling;
  return &node;
}

void FieldReader::RefuseKind(std::string_view name, FieldNode::Kind kind) {
  Refuse(RejectReason::kWrongType, name, "must be " + std::string(KindName(kind)));
}

std::optional<uint32_t> FieldReader::Node(std::string_view name, FieldNode::Kind kind, Need need) {
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return std::nullopt;
  if (node->kind != kind) {
    RefuseKind(name, kind);
    return std::nullopt;
  }
  return static_cast<uint32_t>(node - &tree_.node(0));
}

std::optional<std::string_view> FieldReader::Text(std::string_view name, size_t bytes_max,
                                                  Need need) {
  const auto index = Node(name, FieldNode::Kind::kString, need);
  if (!index) return std::nullopt;
  const std::string_view text = tree_.node(*index).text;
  if (text.empty() || text.size() > bytes_max) {
    Refuse(RejectReason::kMalformedText, name, absl::StrCat("1 to ", bytes_max, " bytes"));
    return std::nullopt;
  }
  return text;
}

std::optional<bool> FieldReader::Bool(std::string_view name, Need need) {
  const auto index = Node(name, FieldNode::Kind::kBool, need);
  if (!index) return std::nullopt;
  return tree_.node(*index).is_true;
}

std::optional<int64_t> FieldReader::Integer(std::string_view name, int64_t min, int64_t max,
                                            Need need) {
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return std::nullopt;
  int64_t value = 0;
  bool fits = true;
  if (node->kind == FieldNode::Kind::kNumber) {
    const std::string_view text = node->text;
    // The parser has seen that it is a JSON number: what is left is 1.0, 1e3 and -0.
    if (text.find_first_of(".eE") != std::string_view::npos || text == "-0") {
      Refuse(RejectReason::kMalformedNumber, name, "must be a plain integer");
      return std::nullopt;
    }
    fits = std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  } else if (node->kind == FieldNode::Kind::kInteger || node->kind == FieldNode::Kind::kUnsigned) {
    value = static_cast<int64_t>(node->bits);
    fits = node->kind == FieldNode::Kind::kInteger || value >= 0;
  } else {
    RefuseKind(name, FieldNode::Kind::kNumber);
    return std::nullopt;
  }
  if (!fits || value < min || value > max) {
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
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return std::nullopt;
  if (node->kind == FieldNode::Kind::kInteger) return NotNegative(name, *node);
  if (node->kind != FieldNode::Kind::kString) {
    RefuseKind(name, FieldNode::Kind::kString);
    return std::nullopt;
  }
  const std::string_view text = node->text;
  const auto value = ParseDecimal(text, decimals);
  if (value) return value;
  const bool negative = text.starts_with('-');
  if (IsDecimal(text.substr(negative ? 1 : 0), decimals)) {
    Refuse(RejectReason::kOutOfRange, name, negative ? kIsNegative : "is too large");
  } else {
    Refuse(RejectReason::kMalformedDecimal, name,
           decimals == 0 ? std::string("must be digits, without a leading zero")
                         : absl::StrCat("must be digits with at most ", decimals,
                                        " behind a point, without a leading zero"));
  }
  return std::nullopt;
}

std::optional<int64_t> FieldReader::NotNegative(std::string_view name, const FieldNode& node) {
  const auto value = static_cast<int64_t>(node.bits);
  if (value >= 0) return value;
  Refuse(RejectReason::kOutOfRange, name, kIsNegative);
  return std::nullopt;
}

std::optional<Price> FieldReader::PositivePrice(std::string_view name, Need need) {
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return std::nullopt;
  bool is_positive = true;
  if (node->kind == FieldNode::Kind::kInteger) {
    is_positive = static_cast<int64_t>(node->bits) > 0;
  } else if (node->kind == FieldNode::Kind::kString) {
    const bool negative = node->text.starts_with('-');
    const auto magnitude = ParsePrice(node->text.substr(negative ? 1 : 0));
    if (magnitude && !negative && magnitude->value() > 0) return magnitude;
    is_positive = !magnitude;  // what is no price is for Decimal to say
  }
  if (!is_positive) {
    Refuse(RejectReason::kPriceNotPositive, name, "");
    return std::nullopt;
  }
  const auto value = Decimal(name, kMicroDecimals, need);
  return value ? std::optional(Price(*value)) : std::nullopt;
}

std::optional<uint64_t> FieldReader::Unsigned(std::string_view name, Need need) {
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return std::nullopt;
  uint64_t value = 0;
  if (node->kind == FieldNode::Kind::kUnsigned) {
    value = node->bits;
  } else if (node->kind != FieldNode::Kind::kString) {
    RefuseKind(name, FieldNode::Kind::kString);
    return std::nullopt;
  } else {
    const std::string_view text = node->text;
    if (!AllDigits(text) || (text.size() > 1 && text[0] == '0')) {
      Refuse(RejectReason::kMalformedText, name, "must be digits, without a leading zero");
      return std::nullopt;
    }
    const auto error = std::from_chars(text.data(), text.data() + text.size(), value).ec;
    if (error != std::errc()) value = 0;
  }
  if (value == 0) {
    Refuse(RejectReason::kOutOfRange, name, "must be 1 to 18446744073709551615");
    return std::nullopt;
  }
  return value;
}

void FieldReader::HexInto(std::string_view name, uint8_t* bytes, size_t count) {
  const FieldNode* node = Find(name, Need::kRequired);
  if (node == nullptr) return;
  const std::string_view text = node->text;
  bool fits = false;
  if (node->kind == FieldNode::Kind::kBytes) {
    fits = text.size() == count;
    if (fits) std::memcpy(bytes, text.data(), count);
  } else if (node->kind == FieldNode::Kind::kString) {
    fits = text.size() == 2 * count && DecodeHex(text, bytes);
  } else {
    return RefuseKind(name, FieldNode::Kind::kString);
  }
  if (fits) return;
  Refuse(RejectReason::kMalformedText, name,
         absl::StrCat(count, " bytes, in JSON ", 2 * count, " hex digits"));
}

std::string FieldReader::Blob(std::string_view name, size_t bytes_max, Need need) {
  const FieldNode* node = Find(name, need);
  if (node == nullptr) return "";
  std::string bytes;
  bool fits = true;
  if (node->kind == FieldNode::Kind::kBytes) {
    bytes = node->text;
  } else if (node->kind == FieldNode::Kind::kString) {
    fits = absl::Base64Unescape({node->text.data(), node->text.size()}, &bytes);
  } else {
    RefuseKind(name, FieldNode::Kind::kString);
    return "";
  }
  if (fits && bytes.size() <= bytes_max) return bytes;
  Refuse(RejectReason::kMalformedText, name,
         absl::StrCat("at most ", bytes_max, " bytes, in JSON as base64"));
  return "";
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
