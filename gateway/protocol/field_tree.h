// FieldTree: one message as a flat tree of named fields, whatever it was encoded in, so that each
// field can be judged strictly and by name, and in one way for both encodings. JsonParser and
// BinaryParser fill it.
//
// Reused from message to message, to keep its memory. One thread owns one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/protocol/key_tag.h"

namespace warpbook::gateway {

struct FieldNode {
  // JSON has the first six: its numbers are judged by their text. FlatBuffers has objects, arrays,
  // strings (a word of an enum is one), bools, and the last three.
  enum class Kind : uint8_t {
    kObject,
    kArray,
    kString,
    kNumber,
    kBool,
    kNull,
    kInteger,   // int64_t
    kUnsigned,  // uint64_t
    kBytes,
  };
  Kind kind = Kind::kNull;
  bool is_true = false;      // of a bool
  bool known = false;        // a reader has asked for this field
  uint32_t first_child = 0;  // 0: none, as the root is nobody's child
  uint32_t next_sibling = 0;
  uint64_t key_tag = 0;   // KeyTag(key)
  std::string_view key;   // in an object
  std::string_view text;  // a string without its escapes; a number as it is written; bytes
  uint64_t bits = 0;      // of kInteger and kUnsigned; of an object: which tags its keys may have
};

class FieldTree {
 public:
  static constexpr uint32_t kRoot = 0;
  // The root object and everything in it are at most this deep; the root itself is 1.
  static constexpr int kDepthMax = 8;

  // Nothing but a root of no kind.
  void Reset() { nodes_.assign(1, FieldNode{}); }
  // A new child of `parent`, behind `last_sibling` (0: the first). Nodes move when one is added.
  uint32_t AddChild(uint32_t parent, uint32_t last_sibling) {
    const auto index = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
    (last_sibling == 0 ? nodes_[parent].first_child : nodes_[last_sibling].next_sibling) = index;
    return index;
  }

  // The same with a key.
  uint32_t AddField(uint32_t parent, uint32_t last_sibling, std::string_view key, uint64_t tag) {
    const uint32_t index = AddChild(parent, last_sibling);
    nodes_[index].key = key;
    nodes_[index].key_tag = tag;
    nodes_[parent].bits |= MarkOf(tag);
    return index;
  }

  FieldNode& node(uint32_t index) { return nodes_[index]; }
  const FieldNode& node(uint32_t index) const { return nodes_[index]; }
  // The child of that key, or 0. The search begins at `hint`, one of the children, or 0: many
  // messages have their fields in the order in which they are read.
  uint32_t FindChild(uint32_t parent, std::string_view key, uint64_t tag, uint32_t hint = 0) const {
    if ((nodes_[parent].bits & MarkOf(tag)) == 0) return 0;
    const uint32_t first = nodes_[parent].first_child;
    const uint32_t found = hint == 0 ? 0 : FindBetween(hint, 0, key, tag);
    return found != 0 ? found : FindBetween(first, hint, key, tag);
  }
  size_t CountChildren(uint32_t parent) const {
    size_t count = 0;
    for (uint32_t child = nodes_[parent].first_child; child != 0;
         child = nodes_[child].next_sibling) {
      ++count;
    }
    return count;
  }

 private:
  // One of 64 bits: a key whose bit is not among those of an object's keys need not be looked for.
  static uint64_t MarkOf(uint64_t tag) { return uint64_t{1} << (tag >> 58); }
  uint32_t FindBetween(uint32_t child, uint32_t end, std::string_view key, uint64_t tag) const {
    for (; child != end; child = nodes_[child].next_sibling) {
      if (nodes_[child].key_tag == tag && nodes_[child].key == key) return child;
    }
    return 0;
  }

  std::vector<FieldNode> nodes_;
};

}  // namespace warpbook::gateway
