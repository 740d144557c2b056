// RowWriter: many rows by one statement, each whole, so that the number of statements does not grow
// with that of rows. A few rows are the statement's parameters, one for each value, and wait in the
// queue with the transaction's other small statements. Many new rows go by COPY, the fastest way
// in; many that may be there or are there as arrays, one per column (... FROM unnest(...)).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settlement/store/statement_queue.h"

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

  // At most so many rows will come. They are found by their key: the first columns, one unless said
  // otherwise. From the first value of a writer of new rows until its Finish, the transaction is
  // that writer's alone.
  RowWriter(StatementQueue& queue, std::string_view table, std::vector<Column> columns, Rows rows,
            size_t rows_max, size_t key_columns = 1);
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

  // Writes the rows, if there are any, or lets them wait in the queue, which throws BodyFailed
  // where one of those that had to be there is not. CHECKs that the last one is whole.
  void Finish();

 private:
  enum class Way { kParameters, kArrays, kCopy };
  static Way ChooseWay(Rows rows, size_t rows_max);
  std::string& NextValue();
  void EndRow();
  void SendLines();
  std::string Parameters() const;
  std::string StatementText() const;

  StatementQueue& queue_;
  const std::string table_;
  const std::vector<Column> columns_;
  const Rows rows_are_;
  const Way way_;
  const size_t key_columns_;
  // By way: every value; one array per column, without the braces; lines of COPY that are not sent.
  std::vector<std::optional<std::string>> texts_;
  std::unique_ptr<pqxx::stream_to> stream_;  // once there are lines
  size_t next_ = 0;                          // column
  size_t rows_ = 0;                          // whole ones
};

}  // namespace warpbook::settlement
