// How the command shows things to people: tables, times, money.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/client/json_value.h"

namespace warpbook::gateway {

// Rows of cells in columns, two spaces apart. A title that begins with '>' makes its column
// right-aligned (without the '>').
class Table {
 public:
  explicit Table(const std::vector<std::string>& titles);
  void Add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::string> titles_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

// "2026-12-01 14:00:05" UTC; "-" for 0.
std::string FormatTime(int64_t micros);
// "1,234,567"; takes a decimal string too and groups what is before its point.
std::string GroupDigits(std::string_view number);
std::string GroupDigits(int64_t number);
// What a cell shows of a value: text and numbers as they are, "-" for none, yes or no for flags.
std::string Cell(const JsonValue& value);

// Whether standard output is a terminal that can be redrawn.
bool IsTerminal();

}  // namespace warpbook::gateway
