// RowWriter: many rows in one statement, each whole. Values go to the database as arrays, one per
// column (INSERT ... SELECT FROM unnest(...)), so the number of statements does not grow with that
// of rows. Rows whose key is there already are replaced, where the writer is told to.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/store/database.h"

namespace warpbook::settlement {

class RowWriter {
 public:
  struct Column {
    std::string_view name;
    std::string_view type;  // "bigint"
  };
  enum class OnConflict { kFail, kReplace };

  // The first column is the key that kReplace goes by.
  RowWriter(std::string_view table, std::initializer_list<Column> columns, OnConflict on_conflict);

  // The next value, column by column, row by row.
  RowWriter& Add(int64_t value);
  RowWriter& Add(bool value);
  RowWriter& Add(std::string_view text);  // any text without a zero byte
  RowWriter& AddNull();
  // The next value, or null where it has none.
  template <typename T>
  RowWriter& Add(const std::optional<T>& value) {
    return value ? Add(*value) : AddNull();
  }

  // Writes the rows, if there are any. CHECKs that the last one is whole.
  void WriteTo(pqxx::transaction_base& transaction) const;

 private:
  std::string& NextElement();

  const std::string table_;
  const std::vector<Column> columns_;
  const OnConflict on_conflict_;
  std::vector<std::string> arrays_;  // one per column, without the braces
  size_t next_ = 0;                  // column
};

}  // namespace warpbook::settlement
