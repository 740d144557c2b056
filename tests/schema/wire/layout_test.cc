// Records are stored as their bytes: every struct's number, size and fields are held against
// tests/golden/record_layout.txt. A released struct never changes; a new shape is a new number and
// a new line there.
#include <doctest/doctest.h>
#include <flatbuffers/minireflect.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <type_traits>

#include "schema/wire/record.h"

namespace warpbook::wire {
namespace {

std::string_view TypeName(flatbuffers::ElementaryType type) {
  switch (type) {
    case flatbuffers::ET_UCHAR:
      return "u8";
    case flatbuffers::ET_USHORT:
      return "u16";
    case flatbuffers::ET_INT:
      return "i32";
    case flatbuffers::ET_UINT:
      return "u32";
    case flatbuffers::ET_LONG:
      return "i64";
    case flatbuffers::ET_ULONG:
      return "u64";
    case flatbuffers::ET_SEQUENCE:
      return "struct";
    default:
      return "unexpected";
  }
}

// "price:i64", an array "padding:u8x7".
std::string FieldText(const flatbuffers::TypeTable& table, size_t field, size_t& array) {
  const flatbuffers::TypeCode code = table.type_codes[field];
  const flatbuffers::TypeTable* type =
      code.sequence_ref < 0 ? nullptr : table.type_refs[code.sequence_ref]();
  const auto base_type = static_cast<flatbuffers::ElementaryType>(code.base_type);
  const size_t element = flatbuffers::InlineSize(base_type, type);
  const size_t count = code.is_repeating ? static_cast<size_t>(table.array_sizes[array++]) : 1;
  // Fields follow each other without a gap: what looks like padding is a field.
  const auto next = static_cast<size_t>(table.values[field + 1]);
  CAPTURE(table.names[field]);
  CHECK(static_cast<size_t>(table.values[field]) + element * count == next);
  CHECK(static_cast<size_t>(table.values[field]) % std::min<size_t>(element, 8) == 0);
  std::string text = std::string(table.names[field]) + ":" + std::string(TypeName(base_type));
  if (code.is_repeating) text += "x" + std::to_string(count);
  return text;
}

std::string StructText(const flatbuffers::TypeTable& table) {
  std::string text;
  size_t array = 0;
  for (size_t field = 0; field < table.num_elems; ++field) {
    text += " " + FieldText(table, field, array);
  }
  return text;
}

std::string LayoutText() {
  std::ostringstream text;
  text << "- CommandHeader " << sizeof(CommandHeader) << StructText(*CommandHeaderTypeTable())
       << "\n";
  text << "- EventHeader " << sizeof(EventHeader) << StructText(*EventHeaderTypeTable()) << "\n";
  text << "- PriceFeed " << sizeof(PriceFeed) << StructText(*PriceFeedTypeTable()) << "\n";
#define WARPBOOK_X(name, number) \
  text << number << " " #name " " << sizeof(name) << StructText(*name##TypeTable()) << "\n";
  WARPBOOK_COMMANDS(WARPBOOK_X)
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
  return text.str();
}

// No padding that the compiler added, which would be stored with whatever was in memory.
#define WARPBOOK_X(name, number)                                 \
  static_assert(std::has_unique_object_representations_v<name>); \
  static_assert(std::is_trivially_copyable_v<name>);
WARPBOOK_COMMANDS(WARPBOOK_X)
WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X

TEST_CASE("Every stored struct has the layout that the golden file pins") {
  std::ifstream file(WARPBOOK_RECORD_LAYOUT);
  const std::string golden(std::istreambuf_iterator<char>(file), {});
  const std::string ours = LayoutText();
  // Line by line, so that a difference is readable.
  std::istringstream golden_lines(golden);
  std::istringstream our_lines(ours);
  std::string golden_line;
  std::string our_line;
  while (std::getline(our_lines, our_line)) {
    golden_line.clear();
    std::getline(golden_lines, golden_line);
    CHECK(our_line == golden_line);
  }
  CHECK_FALSE(std::getline(golden_lines, golden_line));
}

TEST_CASE("Padding is only ever a struct's last field") {
  std::istringstream lines(LayoutText());
  for (std::string line; std::getline(lines, line);) {
    const size_t at = line.find(" padding:");
    if (at == std::string::npos) continue;
    CAPTURE(line);
    CHECK(line.find(' ', at + 1) == std::string::npos);
  }
}

TEST_CASE("Every record begins with its kind's header") {
#define WARPBOOK_X(name, number)                                        \
  CHECK(name##TypeTable()->type_refs[0]() == CommandHeaderTypeTable()); \
  CHECK(std::string_view(name##TypeTable()->names[0]) == "header");
  WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
#define WARPBOOK_X(name, number)                                      \
  CHECK(name##TypeTable()->type_refs[0]() == EventHeaderTypeTable()); \
  CHECK(std::string_view(name##TypeTable()->names[0]) == "header");
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
}

TEST_CASE("Type numbers are unique, commands' below 1000 and events' above") {
  std::set<int> numbers;
#define WARPBOOK_X(name, number)        \
  CHECK(numbers.insert(number).second); \
  CHECK(number > 0);                    \
  CHECK(number < kFirstEventType);      \
  CHECK(IsCommand(static_cast<RecordType>(number)));
  WARPBOOK_COMMANDS(WARPBOOK_X)
#undef WARPBOOK_X
#define WARPBOOK_X(name, number)        \
  CHECK(numbers.insert(number).second); \
  CHECK(number >= kFirstEventType);     \
  CHECK_FALSE(IsCommand(static_cast<RecordType>(number)));
  WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
  CHECK_FALSE(IsCommand(RecordType::kNone));
}

}  // namespace
}  // namespace warpbook::wire
