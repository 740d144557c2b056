#include "gateway/protocol/json_tree.h"

#include <simdjson.h>

#include <algorithm>
#include <string>

namespace warpbook::gateway {
namespace {

namespace ondemand = simdjson::ondemand;

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

struct JsonTree::Buffers {
  ondemand::parser parser;
  std::string padded;  // the text, and simdjson's padding behind it
};

// Walks one document, depth first. Every function answers kNone or what is wrong.
struct JsonTree::Walker {
  std::vector<JsonNode>& nodes;
  std::vector<std::string_view> keys;  // of the object that ends, to compare them
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
        nodes[index].kind = JsonNode::Kind::kString;
        return value.get_string().get(nodes[index].text) == simdjson::SUCCESS
                   ? RejectReason::kNone
                   : RejectReason::kMalformedJson;
      default:
        return WalkWord(TokenOf(value), index);
    }
  }

  template <typename Value>
  RejectReason WalkObject(Value& value, uint32_t index, int depth) {
    if (depth > kDepthMax) return RejectReason::kNestingTooDeep;
    nodes[index].kind = JsonNode::Kind::kObject;
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
    uint32_t last = 0;
    for (auto result : object) {
      ondemand::field field;
      std::string_view key;
      if (std::move(result).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return RejectReason::kMalformedJson;
      }
      last = AddChild(index, last);
      nodes[last].key = key;
      const RejectReason reason = Walk(field.value(), last, depth + 1);
      if (reason != RejectReason::kNone) return reason;
    }
    LookForDuplicates(index);
    return RejectReason::kNone;
  }

  template <typename Value>
  RejectReason WalkArray(Value& value, uint32_t index, int depth) {
    if (depth > kDepthMax) return RejectReason::kNestingTooDeep;
    nodes[index].kind = JsonNode::Kind::kArray;
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
    uint32_t last = 0;
    for (auto result : array) {
      ondemand::value element;
      if (std::move(result).get(element) != simdjson::SUCCESS) return RejectReason::kMalformedJson;
      last = AddChild(index, last);
      const RejectReason reason = Walk(element, last, depth + 1);
      if (reason != RejectReason::kNone) return reason;
    }
    return RejectReason::kNone;
  }

  // A number, true, false or null: judged by its text, as simdjson would round a number or take -0
  // for 0. It is not taken out of the iteration, which steps over what was only looked at.
  RejectReason WalkWord(std::string_view token, uint32_t index) {
    JsonNode& node = nodes[index];
    node.text = Trim(token);
    if (node.text == "true" || node.text == "false") {
      node.kind = JsonNode::Kind::kBool;
      node.is_true = node.text == "true";
      return RejectReason::kNone;
    }
    if (node.text == "null") {
      node.kind = JsonNode::Kind::kNull;
      return RejectReason::kNone;
    }
    node.kind = JsonNode::Kind::kNumber;
    return IsJsonNumber(node.text) ? RejectReason::kNone : RejectReason::kMalformedJson;
  }

  uint32_t AddChild(uint32_t parent, uint32_t last_sibling) {
    const auto index = static_cast<uint32_t>(nodes.size());
    nodes.emplace_back();
    (last_sibling == 0 ? nodes[parent].first_child : nodes[last_sibling].next_sibling) = index;
    return index;
  }

  void LookForDuplicates(uint32_t object) {
    if (duplicate_found) return;
    keys.clear();
    for (uint32_t child = nodes[object].first_child; child != 0;
         child = nodes[child].next_sibling) {
      keys.push_back(nodes[child].key);
    }
    // Sorted, so that an object of ten thousand keys costs no ten thousand squared.
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice == keys.end()) return;
    duplicate_found = true;
    duplicate_key = *twice;
  }
};

JsonTree::JsonTree(size_t bytes_max)
    : bytes_max_(bytes_max), buffers_(std::make_unique<Buffers>()) {}
JsonTree::~JsonTree() = default;

JsonTree::Outcome JsonTree::Parse(std::string_view text) {
  nodes_.assign(1, JsonNode{});
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

  Walker walker{nodes_, {}, false, {}};
  const RejectReason reason = walker.Walk(document, kRoot, 1);
  if (reason != RejectReason::kNone) return {reason, {}};
  const JsonNode::Kind kind = nodes_[kRoot].kind;
  const bool is_container = kind == JsonNode::Kind::kObject || kind == JsonNode::Kind::kArray;
  // Whatever follows the value makes the text none. A lone word is only looked at: it must be the
  // whole text.
  const bool all_read = is_container || kind == JsonNode::Kind::kString
                            ? document.current_location().error() == simdjson::OUT_OF_BOUNDS
                            : Trim(text) == nodes_[kRoot].text;
  if (!all_read) return {RejectReason::kMalformedJson, {}};
  if (kind != JsonNode::Kind::kObject) return {RejectReason::kNotAnObject, {}};
  if (walker.duplicate_found) return {RejectReason::kDuplicateKey, walker.duplicate_key};
  return {};
}

uint32_t JsonTree::FindChild(uint32_t parent, std::string_view key) const {
  for (uint32_t child = nodes_[parent].first_child; child != 0;
       child = nodes_[child].next_sibling) {
    if (nodes_[child].key == key) return child;
  }
  return 0;
}

size_t JsonTree::CountChildren(uint32_t parent) const {
  size_t count = 0;
  for (uint32_t child = nodes_[parent].first_child; child != 0;
       child = nodes_[child].next_sibling) {
    ++count;
  }
  return count;
}

}  // namespace warpbook::gateway
