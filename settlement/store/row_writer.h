// RowWriter: many rows by one statement, each whole, so that the number of statements does not grow
// with that of rows. New rows go by COPY, the fastest way in. Rows that may be there or are there
// go as arrays, one per column (... FROM unnest(...)), and are found by their key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/store/database.h"

namespace pqxx {
class stream_to;
}

namespace warpbook::settlement {

class RowWriter {
 public:
  struct Column {
    std::string_view name;
    std::string_view type;  // "bigint"
  };
  enum class Rows {
    kNew,        // none of them is there
    kNewest,     // each is added, or replaces the one with its key
    kRewritten,  // all of them are there; their other columns stay as they are
  };

  // The first columns (one, unless said otherwise) are the key. From the first value of a writer of
  // new rows until its Finish, the transaction is that writer's alone.
  RowWriter(pqxx::transaction_base& transaction, std::string_view table,
            std::vector<Column> columns, Rows rows, size_t key_columns = 1);
  ~RowWriter();
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;

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

  // Writes the rows, if there are any. CHECKs that the last one is whole. Throws where one of those
  // that had to be there is not.
  void Finish();

 private:
  std::string& NextValue();
  void EndRow();
  void SendLines();
  std::string UnnestStatement() const;

  pqxx::transaction_base& transaction_;
  const std::string table_;
  const std::vector<Column> columns_;
  const Rows way_;
  const size_t key_columns_;
  // Lines of COPY that are not sent yet; or one array per column, without the braces.
  std::vector<std::string> texts_;
  std::unique_ptr<pqxx::stream_to> stream_;  // once there are lines
  size_t next_ = 0;                          // column
  size_t rows_ = 0;                          // whole ones
};

}  // namespace warpbook::settlement
