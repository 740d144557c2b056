// TableShape: what a table, struct, union or enum of schema/wire/client.fbs has, by name: flatc's
// reflection tables, made ready for looking up. Both ways through the binary encoding go by it, so
// that a field has but one name and one place, those of the schema.
//
// Made once, constant from then on; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gateway/protocol/key_tag.h"

namespace warpbook::gateway {

struct TableShape;

// A field of a table or struct, a member of a union, or a word of an enum.
struct FieldShape {
  // kWord is a byte; kUnionType says, one field before it, what a kUnion is.
  enum class Type : uint8_t {
    kBool,
    kWord,
    kByte,
    kUnsignedShort,
    kInt,
    kUnsignedInt,
    kLong,
    kUnsignedLong,
    kText,
    kTable,
    kStruct,
    kUnion,
    kUnionType,
  };
  std::string_view name;
  uint64_t tag = 0;  // KeyTag(name)
  Type type = Type::kBool;
  bool is_vector = false;
  uint16_t index = 0;                 // in its table
  uint16_t vtable_offset = 0;         // of its entry
  uint8_t size = 0;                   // of the value, or of one element of a vector; in bytes
  const TableShape* shape = nullptr;  // of words, tables, structs and unions

  // What its table holds of it: the value, or where it is.
  uint8_t inline_size() const { return is_vector ? 4 : size; }
};

struct TableShape {
  std::vector<FieldShape>
      fields;  // of an enum: its words; of a union: its members, the first is none

  // The field of that name, or nullptr. Messages are written in about the schema's order, so that
  // the search begins at `hint`.
  const FieldShape* Find(std::string_view name, size_t hint = 0) const;
};

const TableShape& ClientRequestShape();
const TableShape& ServerMessageShape();

}  // namespace warpbook::gateway
