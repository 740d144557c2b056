// JsonParser: a JSON text -> a FieldTree, with the texts of its numbers kept. simdjson reads it;
// this walks all of it, so that nothing that is not JSON gets by unseen, and holds what JSON leaves
// open: how deep, and no key twice.
//
// Reused from message to message, to keep its memory. One thread owns one.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "gateway/protocol/field_tree.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {

class JsonParser {
 public:
  explicit JsonParser(size_t bytes_max);
  ~JsonParser();
  JsonParser(const JsonParser&) = delete;
  JsonParser& operator=(const JsonParser&) = delete;

  struct Outcome {
    RejectReason reason = RejectReason::kNone;
    std::string_view key;  // the key that occurs twice
  };
  // Reads an object. The reason is one of kFrameTooLarge, kInvalidUtf8, kNestingTooDeep,
  // kMalformedJson, kNotAnObject, kDuplicateKey, in this order of precedence, or kNone. The texts
  // of the tree are valid until the next Parse; where a key occurs twice the tree is there
  // nevertheless.
  Outcome Parse(std::string_view text, FieldTree& tree);

 private:
  struct Walker;
  struct Buffers;  // simdjson's parser, the padded copy of the text, and the walker's memory
  const size_t bytes_max_;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace warpbook::gateway
