// TableWriter: builds one table of schema/wire/client_messages.fbs from the calls that JsonWriter
// takes for the same message: keys by name, objects and arrays that open and close. FlatBuffers are
// built from their leaves, so the fields of a table are kept until it is closed. A key or a word
// that the schema does not have is a bug, and checked.
//
// Keeps its memory from message to message. Each thread has its own.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/protocol/table_shape.h"
#include "schema/types/amounts.h"

namespace warpbook::gateway {

class TableWriter {
 public:
  TableWriter() = default;
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  // The calling thread's own, which writes one message at a time.
  static TableWriter& OfThread();

  // Begins a message whose root is of that shape; what was written of an earlier one is dropped. A
  // union becomes its member number N + 1 where N is the root's method or channel, written before.
  void Begin(const TableShape& root);
  // Appends the message, whose root object is closed.
  void Finish(std::string& out);

  void BeginObject();
  void EndObject();
  void BeginArray();
  void EndArray();
  void Key(std::string_view key);

  // The value of the key, or the next element of the array.
  void Text(std::string_view text);  // a string or, where the schema has an enum, a word of it
  void Bool(bool value);
  void Integer(int64_t value);
  void Unsigned(uint64_t value);
  void Bytes(std::span<const uint8_t> bytes);
  // An element of an array of levels.
  void Level(Price price, Quantity gpus);

 private:
  // A value that waits for its table or vector to be closed.
  struct Value {
    const FieldShape* field = nullptr;
    uint64_t bits = 0;   // a scalar, a level's price, or the offset of what is built
    int32_t gpus = 0;    // of a level
    uint8_t member = 0;  // of a union
  };
  // A table or vector that is open.
  struct Frame {
    const TableShape* shape = nullptr;  // of a table
    const FieldShape* field = nullptr;  // that it is the value of
    size_t first_value = 0;             // of those that wait for it
    uint32_t hint = 0;                  // where the next key may be
    uint8_t member = 0;                 // of a union
    bool is_array = false;
    bool ends_with_array = false;  // a table that stands for the array in it
  };

  // What the next value is for.
  const FieldShape& Target() const;
  void Add(const FieldShape& field, uint64_t bits) { values_.push_back({&field, bits, 0, 0}); }
  void AddInteger(uint64_t bits, bool is_negative);
  void AddToTable(const Value& value);
  uint32_t BuildVector(const FieldShape& field, std::span<const Value> values);
  template <typename T>
  void PushScalars(std::span<const Value> values);

  flatbuffers::FlatBufferBuilder builder_{4 * 1'024};
  const TableShape* root_shape_ = nullptr;
  std::vector<Frame> frames_;
  std::vector<Value> values_;
  const FieldShape* key_ = nullptr;
  uint8_t selector_ = 0;
  uint32_t root_ = 0;
};

}  // namespace warpbook::gateway
