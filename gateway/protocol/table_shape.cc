#include "gateway/protocol/table_shape.h"

#include <flatbuffers/minireflect.h>

#include <map>
#include <memory>

#include "schema/base/check.h"
#include "schema/wire/client_messages_generated.h"
#include "schema/wire/client_requests_generated.h"

namespace warpbook::gateway {
namespace {

using Type = FieldShape::Type;

Type TypeOf(flatbuffers::ElementaryType type, const flatbuffers::TypeTable* of) {
  switch (type) {
    case flatbuffers::ET_UTYPE:
      return Type::kUnionType;
    case flatbuffers::ET_BOOL:
      return Type::kBool;
    case flatbuffers::ET_UCHAR:
      return of == nullptr ? Type::kByte : Type::kWord;
    case flatbuffers::ET_USHORT:
      return Type::kUnsignedShort;
    case flatbuffers::ET_INT:
      return Type::kInt;
    case flatbuffers::ET_UINT:
      return Type::kUnsignedInt;
    case flatbuffers::ET_LONG:
      return Type::kLong;
    case flatbuffers::ET_ULONG:
      return Type::kUnsignedLong;
    case flatbuffers::ET_STRING:
      return Type::kText;
    case flatbuffers::ET_SEQUENCE:
      if (of == nullptr || of->st == flatbuffers::ST_TABLE) return Type::kTable;
      return of->st == flatbuffers::ST_UNION ? Type::kUnion : Type::kStruct;
    default:
      WARPBOOK_CHECK(false);  // the schema uses no other type
  }
}

// flatc puts '_' behind a name that is a word of C++.
std::string_view NameOf(const char* name) {
  std::string_view text = name;
  if (text.ends_with('_')) text.remove_suffix(1);
  return text;
}

// The shapes of a root and of all that it holds.
class Shapes {
 public:
  explicit Shapes(const flatbuffers::TypeTable* root) : root_(Add(root)) {}
  const TableShape& root() const { return *root_; }

 private:
  const TableShape* Add(const flatbuffers::TypeTable* table) {
    const auto [entry, is_new] = shapes_.try_emplace(table);
    if (!is_new) return entry->second.get();
    entry->second = std::make_unique<TableShape>();
    TableShape& shape = *entry->second;
    shape.fields.resize(table->num_elems);
    for (size_t i = 0; i < table->num_elems; ++i) {
      shape.fields[i] = MakeField(*table, i);
    }
    return &shape;
  }

  FieldShape MakeField(const flatbuffers::TypeTable& table, size_t index) {
    const flatbuffers::TypeCode code = table.type_codes[index];
    // A word's type is its own enum: there is nothing in it.
    const flatbuffers::TypeTable* of = code.sequence_ref < 0 || table.st == flatbuffers::ST_ENUM
                                           ? nullptr
                                           : table.type_refs[code.sequence_ref]();
    FieldShape field;
    field.name = NameOf(table.names[index]);
    field.tag = KeyTag(field.name);
    const auto type = static_cast<flatbuffers::ElementaryType>(code.base_type);
    field.type = TypeOf(type, of);
    field.is_vector = code.is_repeating != 0;
    field.index = static_cast<uint16_t>(index);
    field.vtable_offset = flatbuffers::FieldIndexToOffset(static_cast<uint16_t>(index));
    if (of == nullptr && type == flatbuffers::ET_SEQUENCE) return field;  // a union's none
    field.size = static_cast<uint8_t>(flatbuffers::InlineSize(type, of));
    // A union's members are known by the union itself.
    if (of != nullptr && field.type != Type::kUnionType) field.shape = Add(of);
    return field;
  }

  std::map<const flatbuffers::TypeTable*, std::unique_ptr<TableShape>> shapes_;
  const TableShape* root_;
};

}  // namespace

const FieldShape* TableShape::Find(std::string_view name, size_t hint) const {
  const uint64_t tag = KeyTag(name);
  const size_t count = fields.size();
  for (size_t step = 0, i = hint < count ? hint : 0; step < count; ++step) {
    if (fields[i].tag == tag && fields[i].name == name) return &fields[i];
    if (++i == count) i = 0;
  }
  return nullptr;
}

const TableShape& ClientRequestShape() {
  static const Shapes kShapes(client::ClientRequestTypeTable());
  return kShapes.root();
}

const TableShape& ServerMessageShape() {
  static const Shapes kShapes(client::ServerMessageTypeTable());
  return kShapes.root();
}

}  // namespace warpbook::gateway
