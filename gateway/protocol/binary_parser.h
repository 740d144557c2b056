// BinaryParser: a ClientRequest of schema/wire/client_requests.fbs -> a FieldTree that looks like
// that of the same request in JSON: "method" is the type of the union `params`, the word of an enum
// is its text. The bytes are verified first; from then on nothing in them can lead outside.
//
// Reused from message to message, to keep its memory. One thread owns one.
#pragma once

#include <flatbuffers/table.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/protocol/field_tree.h"
#include "gateway/protocol/table_shape.h"
#include "schema/types/reject_reason.h"

namespace warpbook::gateway {

class BinaryParser {
 public:
  explicit BinaryParser(size_t bytes_max) : bytes_max_(bytes_max) {}

  // kFrameTooLarge, kInvalidUtf8, kMalformedBinary or kNone. The texts of the tree are valid until
  // the next Parse.
  RejectReason Parse(std::string_view bytes, FieldTree& tree);

 private:
  // Each answers kNone or what is wrong.
  RejectReason WalkTable(const flatbuffers::Table& table, const TableShape& shape, uint32_t parent);
  RejectReason WalkField(const flatbuffers::Table& table, const FieldShape& field, uint32_t parent,
                         uint32_t& last);
  RejectReason WalkUnion(const flatbuffers::Table& table, const FieldShape& type,
                         const FieldShape& field, uint32_t parent, uint32_t& last);
  RejectReason WalkVector(const uint8_t* vector, const FieldShape& field, uint32_t node);
  RejectReason WalkValue(const uint8_t* value, const FieldShape& field, uint32_t node);
  // A field that the schema does not have.
  void WalkUnknownFields(const flatbuffers::Table& table, size_t known_count, uint32_t parent,
                         uint32_t last);
  // A message can say more than it is long, where its parts are shared: not more than one may say
  // that shares nothing.
  bool Spend(size_t bytes);

  const size_t bytes_max_;
  std::vector<uint64_t> buffer_;  // the message, aligned
  FieldTree* tree_ = nullptr;     // of the message in work
  size_t budget_ = 0;
  std::deque<std::string> unknown_names_;
};

}  // namespace warpbook::gateway
