#include "gateway/protocol/binary_parser.h"

#include <flatbuffers/flatbuffers.h>
#include <simdjson.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/protocol/methods.h"
#include "schema/base/check.h"
#include "schema/wire/client_requests_generated.h"

namespace warpbook::gateway {
namespace {

using Type = FieldShape::Type;

constexpr flatbuffers::uoffset_t kTablesMax = 4'096;
// A word that the schema does not have: none of ours, and not empty.
constexpr std::string_view kUnknownWord = "?";

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// What an offset leads to.
const uint8_t* Follow(const uint8_t* offset) {
  return offset + Load<flatbuffers::uoffset_t>(offset);
}

void SetInteger(FieldNode& node, FieldNode::Kind kind, uint64_t bits) {
  node.kind = kind;
  node.bits = bits;
}

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace

RejectReason BinaryParser::Parse(std::string_view bytes, FieldTree& tree) {
  tree.Reset();
  if (bytes.size() > bytes_max_) return RejectReason::kFrameTooLarge;
  buffer_.resize((bytes.size() + sizeof(uint64_t) - 1) / sizeof(uint64_t));
  if (!bytes.empty()) std::memcpy(buffer_.data(), bytes.data(), bytes.size());
  const auto* data = reinterpret_cast<const uint8_t*>(buffer_.data());
  flatbuffers::Verifier verifier(data, bytes.size(), FieldTree::kDepthMax, kTablesMax);
  if (!verifier.VerifyBuffer<client::ClientRequest>()) return RejectReason::kMalformedBinary;

  tree_ = &tree;
  budget_ = bytes_max_;
  unknown_names_.clear();
  tree.node(FieldTree::kRoot).kind = FieldNode::Kind::kObject;
  return WalkTable(*flatbuffers::GetRoot<flatbuffers::Table>(data), ClientRequestShape(),
                   FieldTree::kRoot);
}

bool BinaryParser::Spend(size_t bytes) {
  if (bytes > budget_) return false;
  budget_ -= bytes;
  return true;
}

RejectReason BinaryParser::WalkTable(const flatbuffers::Table& table, const TableShape& shape,
                                     uint32_t parent) {
  // The vtable may be shared, but reading it takes as long as if it were not.
  if (!Spend(sizeof(flatbuffers::soffset_t) + Load<flatbuffers::voffset_t>(table.GetVTable()))) {
    return RejectReason::kMalformedBinary;
  }
  uint32_t last = 0;
  for (size_t i = 0; i < shape.fields.size(); ++i) {
    const FieldShape& field = shape.fields[i];
    const RejectReason reason = field.type == Type::kUnionType
                                    ? WalkUnion(table, field, shape.fields[++i], parent, last)
                                    : WalkField(table, field, parent, last);
    if (reason != RejectReason::kNone) return reason;
  }
  WalkUnknownFields(table, shape.fields.size(), parent, last);
  return RejectReason::kNone;
}

void BinaryParser::WalkUnknownFields(const flatbuffers::Table& table, size_t known_count,
                                     uint32_t parent, uint32_t last) {
  const uint8_t* const vtable = table.GetVTable();
  const size_t size = Load<flatbuffers::voffset_t>(vtable);
  for (size_t i = known_count;; ++i) {
    const size_t at = 2 * sizeof(flatbuffers::voffset_t) + i * sizeof(flatbuffers::voffset_t);
    if (at >= size) return;
    if (Load<flatbuffers::voffset_t>(vtable + at) == 0) continue;
    // One is enough to refuse the table.
    const std::string& name = unknown_names_.emplace_back(absl::StrCat("field ", i));
    tree_->AddField(parent, last, name, KeyTag(name));
    return;
  }
}

RejectReason BinaryParser::WalkUnion(const flatbuffers::Table& table, const FieldShape& type,
                                     const FieldShape& field, uint32_t parent, uint32_t& last) {
  static const uint64_t kMethodTag = KeyTag("method");
  const uint8_t* const type_value = table.GetAddressOf(type.vtable_offset);
  const size_t member = type_value == nullptr ? 0 : *type_value;
  if (member == 0) return RejectReason::kNone;  // there is none
  const bool is_known = member < field.shape->fields.size();
  last = tree_->AddField(parent, last, "method", kMethodTag);
  FieldNode& name = tree_->node(last);
  name.kind = FieldNode::Kind::kString;
  name.text = is_known ? kMethods[member - 1].name : std::string_view();
  const uint8_t* const value = table.GetAddressOf(field.vtable_offset);
  if (value == nullptr) return RejectReason::kNone;
  last = tree_->AddField(parent, last, field.name, field.tag);
  const uint32_t params = last;
  tree_->node(params).kind = FieldNode::Kind::kObject;
  if (!is_known) return RejectReason::kNone;
  return WalkTable(*reinterpret_cast<const flatbuffers::Table*>(Follow(value)),
                   *field.shape->fields[member].shape, params);
}

RejectReason BinaryParser::WalkField(const flatbuffers::Table& table, const FieldShape& field,
                                     uint32_t parent, uint32_t& last) {
  const uint8_t* const value = table.GetAddressOf(field.vtable_offset);
  if (value == nullptr) return RejectReason::kNone;
  last = tree_->AddField(parent, last, field.name, field.tag);
  const uint32_t node = last;
  return field.is_vector ? WalkVector(Follow(value), field, node) : WalkValue(value, field, node);
}

RejectReason BinaryParser::WalkVector(const uint8_t* vector, const FieldShape& field,
                                      uint32_t node) {
  const size_t count = Load<flatbuffers::uoffset_t>(vector);
  const uint8_t* const elements = vector + sizeof(flatbuffers::uoffset_t);
  if (!Spend(sizeof(flatbuffers::uoffset_t) + count * field.size)) {
    return RejectReason::kMalformedBinary;
  }
  if (field.type == Type::kByte) {
    tree_->node(node).kind = FieldNode::Kind::kBytes;
    tree_->node(node).text = {reinterpret_cast<const char*>(elements), count};
    return RejectReason::kNone;
  }
  tree_->node(node).kind = FieldNode::Kind::kArray;
  uint32_t last = 0;
  for (size_t i = 0; i < count; ++i) {
    last = tree_->AddChild(node, last);
    const RejectReason reason = WalkValue(elements + i * field.size, field, last);
    if (reason != RejectReason::kNone) return reason;
  }
  return RejectReason::kNone;
}

RejectReason BinaryParser::WalkValue(const uint8_t* value, const FieldShape& field,
                                     uint32_t index) {
  FieldNode& node = tree_->node(index);
  switch (field.type) {
    case Type::kBool:
      node.kind = FieldNode::Kind::kBool;
      node.is_true = *value != 0;
      return RejectReason::kNone;
    case Type::kWord:
      node.kind = FieldNode::Kind::kString;
      node.text =
          *value < field.shape->fields.size() ? field.shape->fields[*value].name : kUnknownWord;
      return RejectReason::kNone;
    case Type::kUnsignedShort:
      SetInteger(node, FieldNode::Kind::kUnsigned, Load<uint16_t>(value));
      return RejectReason::kNone;
    case Type::kInt:
      SetInteger(node, FieldNode::Kind::kInteger, static_cast<uint64_t>(Load<int32_t>(value)));
      return RejectReason::kNone;
    case Type::kUnsignedInt:
      SetInteger(node, FieldNode::Kind::kUnsigned, Load<uint32_t>(value));
      return RejectReason::kNone;
    case Type::kLong:
      SetInteger(node, FieldNode::Kind::kInteger, Load<uint64_t>(value));
      return RejectReason::kNone;
    case Type::kUnsignedLong:
      SetInteger(node, FieldNode::Kind::kUnsigned, Load<uint64_t>(value));
      return RejectReason::kNone;
    case Type::kText: {
      const uint8_t* const text = Follow(value);
      node.kind = FieldNode::Kind::kString;
      node.text = {reinterpret_cast<const char*>(text + sizeof(flatbuffers::uoffset_t)),
                   Load<flatbuffers::uoffset_t>(text)};
      if (!Spend(sizeof(flatbuffers::uoffset_t) + node.text.size())) {
        return RejectReason::kMalformedBinary;
      }
      return IsUtf8(node.text) ? RejectReason::kNone : RejectReason::kInvalidUtf8;
    }
    case Type::kTable:
      node.kind = FieldNode::Kind::kObject;
      return WalkTable(*reinterpret_cast<const flatbuffers::Table*>(Follow(value)), *field.shape,
                       index);
    default:
      WARPBOOK_CHECK(false);  // no request has one
  }
}

}  // namespace warpbook::gateway
