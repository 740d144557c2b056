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

RowWriter::RowWriter(pqxx::transaction_base& transaction, std::string_view table,
                     std::vector<Column> columns, Rows rows, size_t key_columns)
    : transaction_(transaction),
      table_(table),
      columns_(std::move(columns)),
      way_(rows),
      key_columns_(key_columns),
      texts_(rows == Rows::kNew ? 1 : columns_.size()) {}

RowWriter::~RowWriter() = default;

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
  const bool copied = way_ == Rows::kNew;
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
  NextValue() += way_ == Rows::kNew ? "\\N" : "NULL";
  return *this;
}

std::string& RowWriter::NextValue() {
  if (next_ == 0 && rows_ > 0) EndRow();
  std::string& text = texts_[way_ == Rows::kNew ? 0 : next_];
  if (way_ == Rows::kNew) {
    if (next_ > 0) text += '\t';
  } else if (rows_ > 0) {
    text += ',';
  }
  next_ = (next_ + 1) % columns_.size();
  if (next_ == 0) ++rows_;
  return text;
}

// Before the next one begins.
void RowWriter::EndRow() {
  constexpr size_t kPiece = size_t{64} << 10;
  if (way_ != Rows::kNew) return;
  if (texts_.front().size() < kPiece) {
    texts_.front() += '\n';
  } else {
    SendLines();
  }
}

// The stream adds the last one's end.
void RowWriter::SendLines() {
  if (stream_ == nullptr) {
    std::vector<std::string> names;
    for (const Column& column : columns_) names.emplace_back(column.name);
    stream_ = std::make_unique<pqxx::stream_to>(transaction_, table_, names);
  }
  *stream_ << std::make_tuple(CopyLines{texts_.front()});
  texts_.front().clear();
}

void RowWriter::Finish() {
  WARPBOOK_CHECK(next_ == 0);
  if (rows_ == 0) return;
  if (way_ == Rows::kNew) {
    SendLines();
    stream_->complete();
    stream_.reset();
    return;
  }
  std::vector<std::string> parameters;
  for (const std::string& array : texts_) parameters.push_back("{" + array + "}");
  // Planned once in the life of a connection: it knows the statement by its name again.
  const std::string name = absl::StrCat(table_, " ", static_cast<int>(way_), " ", columns_.size());
  transaction_.conn().prepare(name, UnnestStatement());
  const pqxx::result written =
      transaction_.exec_prepared(name, pqxx::prepare::make_dynamic_params(parameters));
  if (written.affected_rows() == rows_) return;
  throw pqxx::unexpected_rows(absl::StrCat("of ", rows_, " rows of ", table_, " only ",
                                           written.affected_rows(),
                                           " are there: the database is not as it was left"));
}

std::string RowWriter::UnnestStatement() const {
  std::string names;
  std::string arrays;
  std::string assignments;
  std::string key;
  std::string same_key;
  const char* const source = way_ == Rows::kNewest ? "excluded." : "given.";
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string separator = i == 0 ? "" : ", ";
    const std::string name(columns_[i].name);
    names += separator + name;
    arrays += separator + "$" + std::to_string(i + 1) + "::" + std::string(columns_[i].type) + "[]";
    if (i < key_columns_) {
      key += separator + name;
      same_key += (i == 0 ? "" : " AND ") + table_ + "." + name + " = given." + name;
    } else {
      assignments += (i == key_columns_ ? "" : ", ") + name + " = " + source + name;
    }
  }
  if (way_ == Rows::kNewest) {
    return "INSERT INTO " + table_ + " (" + names + ") SELECT * FROM unnest(" + arrays +
           ") ON CONFLICT (" + key + ") DO UPDATE SET " + assignments;
  }
  return "UPDATE " + table_ + " SET " + assignments + " FROM unnest(" + arrays + ") AS given (" +
         names + ") WHERE " + same_key;
}

}  // namespace warpbook::settlement
