#include "gateway/cli/print.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "schema/types/timestamp.h"

namespace warpbook::gateway {

Table::Table(const std::vector<std::string>& titles) {
  for (const std::string& title : titles) {
    right_.push_back(title.starts_with('>'));
    titles_.push_back(title.substr(right_.back() ? 1 : 0));
  }
}

void Table::Add(std::vector<std::string> cells) {
  cells.resize(titles_.size());
  rows_.push_back(std::move(cells));
}

void Table::Print(std::ostream& out) const {
  std::vector<size_t> widths;
  for (size_t column = 0; column < titles_.size(); ++column) {
    size_t width = titles_[column].size();
    for (const auto& row : rows_) width = std::max(width, row[column].size());
    widths.push_back(width);
  }
  const auto print_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string space(widths[column] - row[column].size(), ' ');
      if (column > 0) line += "  ";
      line += right_[column] ? space + row[column] : row[column] + space;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  };
  print_row(titles_);
  for (const auto& row : rows_) print_row(row);
}

std::string FormatTime(int64_t micros) {
  if (micros == 0) return "-";
  const std::time_t seconds = micros / kMicrosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return std::string(text, size);
}

std::string GroupDigits(std::string_view number) {
  const size_t begin = number.starts_with('-') ? 1 : 0;
  const size_t point = std::min(number.find('.'), number.size());
  std::string grouped(number.substr(0, begin));
  for (size_t i = begin; i < point; ++i) {
    if (i > begin && (point - i) % 3 == 0) grouped.push_back(',');
    grouped.push_back(number[i]);
  }
  grouped.append(number.substr(point));
  return grouped;
}

std::string GroupDigits(int64_t number) { return GroupDigits(absl::StrCat(number)); }

std::string Cell(const JsonValue& value) {
  switch (value.kind()) {
    case JsonValue::Kind::kText:
      return value.text();
    case JsonValue::Kind::kInteger:
      return absl::StrCat(value.integer());
    case JsonValue::Kind::kFlag:
      return value.flag() ? "yes" : "no";
    default:
      return "-";
  }
}

bool IsTerminal() { return isatty(STDOUT_FILENO) == 1; }

}  // namespace warpbook::gateway
