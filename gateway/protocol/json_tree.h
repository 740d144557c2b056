// JsonTree: a JSON text as a flat tree with the texts of its numbers kept, so that each field can
// be judged strictly and by name. simdjson reads it; this walks all of it, so that nothing that is
// not JSON gets by unseen, and holds what JSON leaves open: how deep, and no key twice.
//
// Reused from message to message, to keep its memory. One thread owns one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "schema/types/reject_reason.h"

namespace warpbook::gateway {

struct JsonNode {
  enum class Kind : uint8_t { kObject, kArray, kString, kNumber, kBool, kNull };
  Kind kind = Kind::kNull;
  bool is_true = false;      // of a bool
  bool known = false;        // a reader has asked for this field
  uint32_t first_child = 0;  // 0: none, as the root is nobody's child
  uint32_t next_sibling = 0;
  std::string_view key;   // in an object
  std::string_view text;  // a string without its escapes; a number as it is written
};

class JsonTree {
 public:
  // The root object and everything in it are at most this deep; the root itself is 1.
  static constexpr int kDepthMax = 8;

  explicit JsonTree(size_t bytes_max);
  ~JsonTree();
  JsonTree(const JsonTree&) = delete;
  JsonTree& operator=(const JsonTree&) = delete;

  struct Outcome {
    RejectReason reason = RejectReason::kNone;
    std::string_view key;  // the key that occurs twice
  };
  // Reads an object. The reason is one of kFrameTooLarge, kInvalidUtf8, kNestingTooDeep,
  // kMalformedJson, kNotAnObject, kDuplicateKey, in this order of precedence, or kNone. The nodes
  // are valid until the next Parse; where a key occurs twice they are there nevertheless.
  Outcome Parse(std::string_view text);

  static constexpr uint32_t kRoot = 0;
  JsonNode& node(uint32_t index) { return nodes_[index]; }
  const JsonNode& node(uint32_t index) const { return nodes_[index]; }
  // The child of that key, or 0.
  uint32_t FindChild(uint32_t parent, std::string_view key) const;
  size_t CountChildren(uint32_t parent) const;

 private:
  struct Walker;
  struct Buffers;  // simdjson's parser and the padded copy of the text
  const size_t bytes_max_;
  std::unique_ptr<Buffers> buffers_;
  std::vector<JsonNode> nodes_;
};

}  // namespace warpbook::gateway
