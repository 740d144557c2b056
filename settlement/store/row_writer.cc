#include "settlement/store/row_writer.h"

#include <pqxx/pqxx>

#include "schema/base/check.h"

namespace warpbook::settlement {

RowWriter::RowWriter(std::string_view table, std::initializer_list<Column> columns,
                     OnConflict on_conflict)
    : table_(table), columns_(columns), on_conflict_(on_conflict), arrays_(columns.size()) {}

RowWriter& RowWriter::Add(int64_t value) {
  NextElement() += std::to_string(value);
  return *this;
}

RowWriter& RowWriter::Add(bool value) {
  NextElement() += value ? 't' : 'f';
  return *this;
}

RowWriter& RowWriter::Add(std::string_view text) {
  std::string& array = NextElement();
  array += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') array += '\\';
    array += c;
  }
  array += '"';
  return *this;
}

RowWriter& RowWriter::AddNull() {
  NextElement() += "NULL";
  return *this;
}

std::string& RowWriter::NextElement() {
  std::string& array = arrays_[next_];
  next_ = (next_ + 1) % columns_.size();
  if (!array.empty()) array += ',';
  return array;
}

void RowWriter::WriteTo(pqxx::transaction_base& transaction) const {
  WARPBOOK_CHECK(next_ == 0);
  if (arrays_.front().empty()) return;
  std::string names;
  std::string sources;
  std::string replacements;
  std::vector<std::string> parameters;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string separator = i == 0 ? "" : ", ";
    const std::string name(columns_[i].name);
    names += separator + name;
    sources +=
        separator + "$" + std::to_string(i + 1) + "::" + std::string(columns_[i].type) + "[]";
    if (i > 0) replacements += (i == 1 ? "" : ", ") + name + " = excluded." + name;
    parameters.push_back("{" + arrays_[i] + "}");
  }
  std::string statement =
      "INSERT INTO " + table_ + " (" + names + ") SELECT * FROM unnest(" + sources + ")";
  if (on_conflict_ == OnConflict::kReplace) {
    statement +=
        " ON CONFLICT (" + std::string(columns_.front().name) + ") DO UPDATE SET " + replacements;
  }
  transaction.exec_params(statement, pqxx::prepare::make_dynamic_params(parameters));
}

}  // namespace warpbook::settlement
