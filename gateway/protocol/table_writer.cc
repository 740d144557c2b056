#include "gateway/protocol/table_writer.h"

#include <limits>

#include "schema/base/check.h"
#include "schema/wire/client_messages_generated.h"

namespace warpbook::gateway {
namespace {

using Type = FieldShape::Type;

// Whether a field of that type holds the integer, whose two's complement are the bits.
bool Fits(Type type, uint64_t bits, bool is_negative) {
  const auto value = static_cast<int64_t>(bits);
  switch (type) {
    case Type::kUnsignedShort:
      return !is_negative && bits <= std::numeric_limits<uint16_t>::max();
    case Type::kInt:
      return is_negative ? value >= std::numeric_limits<int32_t>::min()
                         : bits <= std::numeric_limits<int32_t>::max();
    case Type::kUnsignedInt:
      return !is_negative && bits <= std::numeric_limits<uint32_t>::max();
    case Type::kLong:
      return is_negative || bits <= std::numeric_limits<int64_t>::max();
    case Type::kUnsignedLong:
      return !is_negative;
    default:
      return false;
  }
}

// The number of a word. A method is written with points, its word with underlines.
uint8_t WordNumber(const TableShape& words, std::string_view text) {
  const FieldShape* word = words.Find(text);
  if (word == nullptr) {
    std::string name(text);
    for (char& c : name) c = c == '.' ? '_' : c;
    word = words.Find(name);
  }
  WARPBOOK_CHECK(word != nullptr);
  return static_cast<uint8_t>(word->index);
}

}  // namespace

TableWriter& TableWriter::OfThread() {
  thread_local TableWriter writer;
  return writer;
}

void TableWriter::Begin(const TableShape& root) {
  builder_.Clear();
  frames_.clear();
  values_.clear();
  root_shape_ = &root;
  key_ = nullptr;
  root_ = 0;
}

void TableWriter::Finish(std::string& out) {
  WARPBOOK_CHECK(frames_.empty() && root_ != 0);
  builder_.Finish(flatbuffers::Offset<flatbuffers::Table>(root_));
  out.append(reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize());
}

const FieldShape& TableWriter::Target() const {
  WARPBOOK_CHECK(!frames_.empty());
  const FieldShape* target = frames_.back().is_array ? frames_.back().field : key_;
  WARPBOOK_CHECK(target != nullptr);
  return *target;
}

void TableWriter::Key(std::string_view key) {
  Frame& frame = frames_.back();
  WARPBOOK_CHECK(frame.shape != nullptr);
  key_ = frame.shape->Find(key, frame.hint);
  WARPBOOK_CHECK(key_ != nullptr);
  frame.hint = key_->index + 1u;
}

void TableWriter::BeginObject() {
  if (frames_.empty()) {
    frames_.push_back({.shape = root_shape_});
    return;
  }
  const FieldShape& field = Target();
  const TableShape* shape = field.shape;
  uint8_t member = 0;
  if (field.type == Type::kUnion) {
    member = static_cast<uint8_t>(selector_ + 1);
    WARPBOOK_CHECK(member < shape->fields.size());
    shape = shape->fields[member].shape;
  } else {
    WARPBOOK_CHECK(field.type == Type::kTable && field.is_vector == frames_.back().is_array);
  }
  frames_.push_back(
      {.shape = shape, .field = &field, .first_value = values_.size(), .member = member});
}

void TableWriter::EndObject() {
  const Frame frame = frames_.back();
  const uint32_t start = builder_.StartTable();
  // The widest first, so that nothing is lost between them.
  for (const int size : {8, 4, 2, 1}) {
    for (size_t i = frame.first_value; i < values_.size(); ++i) {
      if (values_[i].field->inline_size() == size) AddToTable(values_[i]);
      const bool is_union = size == 1 && values_[i].member != 0;
      if (is_union) {
        builder_.AddElement<uint8_t>(
            static_cast<uint16_t>(values_[i].field->vtable_offset - sizeof(uint16_t)),
            values_[i].member);
      }
    }
  }
  const uint32_t offset = builder_.EndTable(start);
  values_.resize(frame.first_value);
  frames_.pop_back();
  if (frames_.empty()) {
    root_ = offset;
  } else {
    values_.push_back({frame.field, offset, 0, frame.member});
  }
}

void TableWriter::AddToTable(const Value& value) {
  const uint16_t at = value.field->vtable_offset;
  switch (value.field->is_vector ? Type::kTable : value.field->type) {
    case Type::kBool:
    case Type::kWord:
      return builder_.AddElement(at, static_cast<uint8_t>(value.bits));
    case Type::kUnsignedShort:
      return builder_.AddElement(at, static_cast<uint16_t>(value.bits));
    case Type::kInt:
    case Type::kUnsignedInt:
      return builder_.AddElement(at, static_cast<uint32_t>(value.bits));
    case Type::kLong:
    case Type::kUnsignedLong:
      return builder_.AddElement(at, value.bits);
    case Type::kText:
    case Type::kTable:
    case Type::kUnion:
      return builder_.AddOffset(at, flatbuffers::Offset<void>(static_cast<uint32_t>(value.bits)));
    default:
      WARPBOOK_CHECK(false);
  }
}

void TableWriter::BeginArray() {
  const FieldShape& field = Target();
  if (!field.is_vector) {
    // A member of a union is a table: the array is the first of its fields.
    BeginObject();
    frames_.back().ends_with_array = true;
    WARPBOOK_CHECK(!frames_.back().shape->fields.empty());
    key_ = &frames_.back().shape->fields.front();
  }
  WARPBOOK_CHECK(Target().is_vector);
  frames_.push_back({.field = &Target(), .first_value = values_.size(), .is_array = true});
}

void TableWriter::EndArray() {
  const Frame frame = frames_.back();
  const uint32_t offset = BuildVector(*frame.field, std::span(values_).subspan(frame.first_value));
  values_.resize(frame.first_value);
  frames_.pop_back();
  Add(*frame.field, offset);
  if (frames_.back().ends_with_array) EndObject();
}

uint32_t TableWriter::BuildVector(const FieldShape& field, std::span<const Value> values) {
  if (field.type == Type::kStruct) {
    const auto vector = builder_.CreateVectorOfStructs<client::Level>(
        values.size(), [values](size_t i, client::Level* level) {
          *level = client::Level(static_cast<int64_t>(values[i].bits), values[i].gpus);
        });
    return vector.o;
  }
  builder_.StartVector(values.size(), field.size);
  switch (field.type) {
    case Type::kWord:
      PushScalars<uint8_t>(values);
      break;
    case Type::kInt:
      PushScalars<uint32_t>(values);
      break;
    case Type::kLong:
    case Type::kUnsignedLong:
      PushScalars<uint64_t>(values);
      break;
    case Type::kText:
    case Type::kTable:
      for (size_t i = values.size(); i-- > 0;) {
        builder_.PushElement(flatbuffers::Offset<void>(static_cast<uint32_t>(values[i].bits)));
      }
      break;
    default:
      WARPBOOK_CHECK(false);
  }
  return builder_.EndVector(values.size());
}

template <typename T>
void TableWriter::PushScalars(std::span<const Value> values) {
  for (size_t i = values.size(); i-- > 0;) builder_.PushElement(static_cast<T>(values[i].bits));
}

void TableWriter::Text(std::string_view text) {
  const FieldShape& field = Target();
  WARPBOOK_CHECK(field.is_vector == frames_.back().is_array);
  if (field.type == Type::kWord) {
    const uint8_t number = WordNumber(*field.shape, text);
    const bool selects = frames_.size() == 1 && (field.name == "method" || field.name == "channel");
    if (selects) selector_ = number;
    return Add(field, number);
  }
  WARPBOOK_CHECK(field.type == Type::kText);
  Add(field, builder_.CreateString(text.data(), text.size()).o);
}

void TableWriter::Bool(bool value) {
  WARPBOOK_CHECK(Target().type == Type::kBool);
  Add(Target(), value ? 1 : 0);
}

void TableWriter::Integer(int64_t value) { AddInteger(static_cast<uint64_t>(value), value < 0); }

void TableWriter::Unsigned(uint64_t value) { AddInteger(value, false); }

void TableWriter::AddInteger(uint64_t bits, bool is_negative) {
  const FieldShape& field = Target();
  WARPBOOK_CHECK(field.is_vector == frames_.back().is_array && Fits(field.type, bits, is_negative));
  Add(field, bits);
}

void TableWriter::Bytes(std::span<const uint8_t> bytes) {
  WARPBOOK_CHECK(Target().type == Type::kByte && Target().is_vector);
  Add(Target(), builder_.CreateVector(bytes.data(), bytes.size()).o);
}

void TableWriter::Level(Price price, Quantity gpus) {
  WARPBOOK_CHECK(Target().type == Type::kStruct && frames_.back().is_array);
  values_.push_back({&Target(), static_cast<uint64_t>(price.value()), gpus.value(), 0});
}

}  // namespace warpbook::gateway
