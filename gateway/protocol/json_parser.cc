#include "gateway/protocol/json_parser.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace warpbook::gateway {
namespace {

namespace ondemand = simdjson::ondemand;

// An object of more keys has them sorted at its end, to find one that occurs twice.
constexpr size_t kKeysComparedMax = 32;
constexpr std::string_view kWhitespace = " \t\n\r";

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kWhitespace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhitespace) - first + 1);
}

// The text of a word, up to the next token.
std::string_view TokenOf(ondemand::value& value) { return value.raw_json_token(); }
std::string_view TokenOf(ondemand::document& document) {
  std::string_view token;
  return document.raw_json_token().get(token) == simdjson::SUCCESS ? token : std::string_view();
}

// The text behind a quote, up to the next one, where nothing in it is escaped: it is what it means.
// There is a quote: simdjson refuses a text whose strings do not end before anything of it is
// looked at.
std::optional<std::string_view> PlainText(const char* text) {
  const char* end = text;
  while (*end != '"' && *end != '\\') ++end;
  if (*end != '"') return std::nullopt;
  return std::string_view(text, static_cast<size_t>(end - text));
}

// Drops the digits that the text begins with; false where there is none.
bool TakeDigits(std::string_view& text) {
  const size_t before = text.size();
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
  return text.size() < before;
}

// RFC 8259, section 6.
bool IsJsonNumber(std::string_view text) {
  if (!text.empty() && text[0] == '-') text.remove_prefix(1);
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  if (!TakeDigits(text)) return false;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
    if (!TakeDigits(text)) return false;
  }
  return text.empty();
}

}  // namespace

struct JsonParser::Buffers {
  ondemand::parser parser;
  std::string padded;                  // the text, and simdjson's padding behind it
  std::vector<std::string_view> keys;  // of a large object, to compare them
};

// Walks one document, depth first. Every function answers kNone or what is wrong.
struct JsonParser::Walker {
  FieldTree& tree;
  std::vector<std::string_view>& keys;
  bool duplicate_found = false;
  std::string_view duplicate_key;

  // `value` is a document or a value of one: simdjson gives them one interface and two types.
  template <typename Value>
  RejectReason Walk(Value& value, uint32_t index, int depth) {
    ondemand::json_type type{};
    if (value.type().get(type) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
    switch (type) {
      case ondemand::json_type::object:
        return WalkObject(value, index, depth);
      case ondemand::json_type::array:
        return WalkArray(value, index, depth);
      case ondemand::json_type::string:
        return WalkString(value, index);
      default:
        return WalkWord(TokenOf(value), index);
    }
  }

  template <typename Value>
  RejectReason WalkObject(Value& value, uint32_t index, int depth) {
    if (depth > FieldTree::kDepthMax) return RejectReason::kNestingTooDeep;
    tree.node(index).kind = FieldNode::Kind::kObject;
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
    uint32_t last = 0;
    size_t count = 0;
    for (auto result : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(result).get(field) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
      if (const auto plain = PlainText(field.key().raw())) {
        key = *plain;
      } else if (field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return RejectReason::kMalformedJson;
      }
      const uint64_t tag = KeyTag(key);
      if (count++ < kKeysComparedMax && tree.FindChild(index, key, tag) != 0) NoteTwice(key);
      last = tree.AddField(index, last, key, tag);
      const RejectReason reason = Walk(field.value(), last, depth + 1);
      if (reason != RejectReason::kNone) return reason;
    }
    if (count > kKeysComparedMax) LookForDuplicates(index);
    return RejectReason::kNone;
  }

  template <typename Value>
  RejectReason WalkArray(Value& value, uint32_t index, int depth) {
    if (depth > FieldTree::kDepthMax) return RejectReason::kNestingTooDeep;
    tree.node(index).kind = FieldNode::Kind::kArray;
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
    uint32_t last = 0;
    for (auto result : array) {
      ondemand::value element;
      if (std::move(result).get(element) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
      last = tree.AddChild(index, last);
      const RejectReason reason = Walk(element, last, depth + 1);
      if (reason != RejectReason::kNone) return reason;
    }
    return RejectReason::kNone;
  }

  template <typename Value>
  RejectReason WalkString(Value& value, uint32_t index) {
    FieldNode& node = tree.node(index);
    node.kind = FieldNode::Kind::kString;
    const std::string_view token = TokenOf(value);
    const auto plain = token.empty() ? std::nullopt : PlainText(token.data() + 1);
    ondemand::raw_json_string skipped;
    const simdjson::error_code error =
        plain ? value.get_raw_json_string().get(skipped) : value.get_string().get(node.text);
    if (plain) node.text = *plain;
    return error == simdjson::SUCCESS ? RejectReason::kNone : RejectReason::kMalformedJson;
  }

  // A number, true, false or null: judged by its text, as simdjson would round a number or take -0
  // for 0. It is not taken out of the iteration, which steps over what was only looked at.
  RejectReason WalkWord(std::string_view token, uint32_t index) {
    FieldNode& node = tree.node(index);
    while (!token.empty() && kWhitespace.find(token.back()) != std::string_view::npos) {
      token.remove_suffix(1);
    }
    node.text = token;
    if (node.text == "true" || node.text == "false") {
      node.kind = FieldNode::Kind::kBool;
      node.is_true = node.text == "true";
      return RejectReason::kNone;
    }
    if (node.text == "null") {
      node.kind = FieldNode::Kind::kNull;
      return RejectReason::kNone;
    }
    node.kind = FieldNode::Kind::kNumber;
    return IsJsonNumber(node.text) ? RejectReason::kNone : RejectReason::kMalformedJson;
  }

  void NoteTwice(std::string_view key) {
    if (duplicate_found) return;
    duplicate_found = true;
    duplicate_key = key;
  }

  // So that an object of ten thousand keys costs no ten thousand squared.
  void LookForDuplicates(uint32_t object) {
    keys.clear();
    for (uint32_t child = tree.node(object).first_child; child != 0;
         child = tree.node(child).next_sibling) {
      keys.push_back(tree.node(child).key);
    }
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice != keys.end()) NoteTwice(*twice);
  }
};

JsonParser::JsonParser(size_t bytes_max)
    : bytes_max_(bytes_max), buffers_(std::make_unique<Buffers>()) {}
JsonParser::~JsonParser() = default;

JsonParser::Outcome JsonParser::Parse(std::string_view text, FieldTree& tree) {
  tree.Reset();
  if (text.size() > bytes_max_) return {RejectReason::kFrameTooLarge, {}};
  std::string& padded = buffers_->padded;
  padded.assign(text);
  padded.append(simdjson::SIMDJSON_PADDING, '\0');
  ondemand::document document;
  const simdjson::error_code error =
      buffers_->parser
          .iterate(simdjson::padded_string_view(padded.data(), text.size(), padded.size()))
          .get(document);
  if (error == simdjson::UTF8_ERROR) return {RejectReason::kInvalidUtf8, {}};
  if (error != simdjson::SUCCESS) return {RejectReason::kMalformedJson, {}};

  Walker walker{tree, buffers_->keys, false, {}};
  const RejectReason reason = walker.Walk(document, FieldTree::kRoot, 1);
  if (reason != RejectReason::kNone) return {reason, {}};
  const FieldNode::Kind kind = tree.node(FieldTree::kRoot).kind;
  const bool is_container = kind == FieldNode::Kind::kObject || kind == FieldNode::Kind::kArray;
  // Whatever follows the value makes the text none. A lone word is only looked at: it must be the
  // whole text.
  const bool all_read = is_container || kind == FieldNode::Kind::kString
                            ? document.current_location().error() == simdjson::OUT_OF_BOUNDS
                            : Trim(text) == tree.node(FieldTree::kRoot).text;
  if (!all_read) return {RejectReason::kMalformedJson, {}};
  if (kind != FieldNode::Kind::kObject) return {RejectReason::kNotAnObject, {}};
  if (walker.duplicate_found) return {RejectReason::kDuplicateKey, walker.duplicate_key};
  return {};
}

}  // namespace warpbook::gateway
