#include "gateway/cli/print.h"

#include <doctest/doctest.h>

#include <limits>
#include <sstream>

namespace warpbook::gateway {
namespace {

TEST_CASE("A table aligns its columns and ends no line in spaces") {
  Table table({"name", ">count", "note"});
  CHECK(table.empty());
  table.Add({"a", "1,000", "x"});
  table.Add({"longer", "7"});
  std::ostringstream out;
  table.Print(out);
  CHECK(out.str() ==
        "name    count  note\n"
        "a       1,000  x\n"
        "longer      7\n");
}

TEST_CASE("Digits are grouped before the point alone") {
  CHECK(GroupDigits("0") == "0");
  CHECK(GroupDigits("999") == "999");
  CHECK(GroupDigits("1000") == "1,000");
  CHECK(GroupDigits("-1234567.1234567") == "-1,234,567.1234567");
  CHECK(GroupDigits("-123") == "-123");
  CHECK(GroupDigits("") == "");
  CHECK(GroupDigits(std::numeric_limits<int64_t>::min()) == "-9,223,372,036,854,775,808");
}

TEST_CASE("Times are UTC, and none is a dash") {
  CHECK(FormatTime(0) == "-");
  CHECK(FormatTime(1'796'133'600'123'456) == "2026-12-01 14:00:00");
}

}  // namespace
}  // namespace warpbook::gateway
