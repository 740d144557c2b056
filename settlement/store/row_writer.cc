#include "settlement/store/row_writer.h"

#include <charconv>
#include <pqxx/pqxx>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"

namespace warpbook::settlement {
namespace {

// Lines of COPY's text format, as they are to be sent.
struct CopyLines {
  std::string_view text;  // without the last line's end
};

}  // namespace
}  // namespace warpbook::settlement

// libpqxx 6 escapes each field of a COPY into a string of its own, which costs more than PostgreSQL
// takes to store it. This is its own hook for values that are escaped already.
template <>
inline std::string pqxx::internal::TypedCopyEscaper::operator()<warpbook::settlement::CopyLines>(
    const warpbook::settlement::CopyLines* lines) const {
  return std::string(lines->text);
}

namespace warpbook::settlement {

RowWriter::RowWriter(StatementQueue& queue, std::string_view table, std::vector<Column> columns,
                     Rows rows, size_t rows_max, size_t key_columns)
    : queue_(queue),
      table_(table),
      columns_(std::move(columns)),
      rows_are_(rows),
      way_(ChooseWay(rows, rows_max)),
      key_columns_(key_columns) {
  if (way_ != Way::kParameters) texts_.assign(way_ == Way::kCopy ? 1 : columns_.size(), "");
}

RowWriter::~RowWriter() = default;

RowWriter::Way RowWriter::ChooseWay(Rows rows, size_t rows_max) {
  // A statement is prepared for each number of rows up to this one.
  constexpr size_t kFewRows = 8;
  if (rows_max <= kFewRows) return Way::kParameters;
  return rows == Rows::kNew ? Way::kCopy : Way::kArrays;
}

RowWriter& RowWriter::Add(int64_t value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  NextValue().append(digits, end);
  return *this;
}

RowWriter& RowWriter::Add(bool value) {
  NextValue() += value ? 't' : 'f';
  return *this;
}

RowWriter& RowWriter::Add(std::string_view text) {
  std::string& value = NextValue();
  if (way_ == Way::kParameters) {
    value = text;
    return *this;
  }
  const bool copied = way_ == Way::kCopy;
  if (!copied) value += '"';
  for (const char c : text) {
    if (copied && (c == '\n' || c == '\r' || c == '\t')) {
      value += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
      continue;
    }
    if (c == '\\' || (c == '"' && !copied)) value += '\\';
    value += c;
  }
  if (!copied) value += '"';
  return *this;
}

RowWriter& RowWriter::AddNull() {
  std::string& value = NextValue();
  if (way_ == Way::kParameters) {
    texts_.back().reset();
  } else {
    value += way_ == Way::kCopy ? "\\N" : "NULL";
  }
  return *this;
}

std::string& RowWriter::NextValue() {
  if (next_ == 0 && rows_ > 0) EndRow();
  const size_t column = next_;
  next_ = (next_ + 1) % columns_.size();
  if (way_ == Way::kParameters) {
    if (next_ == 0) ++rows_;
    return texts_.emplace_back("").value();
  }
  std::string& text = *texts_[way_ == Way::kCopy ? 0 : column];
  if (way_ == Way::kCopy ? column > 0 : rows_ > 0) text += way_ == Way::kCopy ? '\t' : ',';
  if (next_ == 0) ++rows_;
  return text;
}

// Before the next one begins.
void RowWriter::EndRow() {
  constexpr size_t kPiece = size_t{64} << 10;
  if (way_ != Way::kCopy) return;
  if (texts_.front()->size() < kPiece) {
    *texts_.front() += '\n';
  } else {
    SendLines();
  }
}

// The stream adds the last one's end.
void RowWriter::SendLines() {
  if (stream_ == nullptr) {
    queue_.Flush();
    std::vector<std::string> names;
    for (const Column& column : columns_) names.emplace_back(column.name);
    stream_ = std::make_unique<pqxx::stream_to>(queue_.transaction(), table_, names);
  }
  *stream_ << std::make_tuple(CopyLines{*texts_.front()});
  texts_.front()->clear();
}

void RowWriter::Finish() {
  WARPBOOK_CHECK(next_ == 0);
  if (rows_ == 0) return;
  if (way_ == Way::kCopy) {
    SendLines();
    stream_->complete();
    stream_.reset();
    return;
  }
  Statement statement;
  statement.name = absl::StrCat(table_, " ", static_cast<int>(rows_are_), " ", columns_.size());
  statement.text = StatementText();
  statement.rows = rows_;
  statement.otherwise = [table = table_, expected = rows_](size_t written) {
    return absl::FailedPreconditionError(
        absl::StrCat("of ", expected, " rows of ", table, " only ", written,
                     " are there: the database is not as it was left"));
  };
  if (way_ == Way::kParameters) {
    absl::StrAppend(&statement.name, " of ", rows_);
    statement.parameters = std::move(texts_);
    queue_.Add(std::move(statement));
    return;
  }
  for (const auto& array : texts_) statement.parameters.push_back("{" + *array + "}");
  queue_.Run(statement);
}

// The rows as the statement's parameters have them: "VALUES ($1::bigint, $2::text), ..." or
// "unnest($1::bigint[], $2::text[])".
std::string RowWriter::Parameters() const {
  const bool arrays = way_ == Way::kArrays;
  std::string text = arrays ? "unnest" : "VALUES ";
  size_t number = 0;
  for (size_t row = 0; row < (arrays ? 1 : rows_); ++row) {
    text += row == 0 ? "(" : "), (";
    for (size_t i = 0; i < columns_.size(); ++i) {
      text += (i == 0 ? "$" : ", $") + std::to_string(++number) + "::";
      text += columns_[i].type;
      if (arrays) text += "[]";
    }
  }
  return text + ")";
}

std::string RowWriter::StatementText() const {
  std::string names;
  std::string assignments;
  std::string key;
  std::string same_key;
  const char* const source = rows_are_ == Rows::kNewest ? "excluded." : "given.";
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string separator = i == 0 ? "" : ", ";
    const std::string name(columns_[i].name);
    names += separator + name;
    if (i < key_columns_) {
      key += separator + name;
      same_key += (i == 0 ? "" : " AND ") + table_ + "." + name + " = given." + name;
    } else {
      assignments += (i == key_columns_ ? "" : ", ") + name + " = " + source + name;
    }
  }
  const bool arrays = way_ == Way::kArrays;
  if (rows_are_ == Rows::kRewritten) {
    return absl::StrCat("UPDATE ", table_, " SET ", assignments, " FROM ", arrays ? "" : "(",
                        Parameters(), arrays ? "" : ")", " AS given (", names, ") WHERE ",
                        same_key);
  }
  return absl::StrCat("INSERT INTO ", table_, " (", names, ") ", arrays ? "SELECT * FROM " : "",
                      Parameters(),
                      rows_are_ == Rows::kNewest
                          ? absl::StrCat(" ON CONFLICT (", key, ") DO UPDATE SET ", assignments)
                          : "");
}

}  // namespace warpbook::settlement
