#include "schema/journal/dump.h"

#include <algorithm>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "flatbuffers/minireflect.h"
#include "schema/journal/tail_reader.h"

namespace warpbook::journal {
namespace {

using flatbuffers::ElementaryType;
using flatbuffers::TypeCode;
using flatbuffers::TypeTable;

const TypeTable* TypeTableOf(wire::RecordType type) {
  switch (type) {
#define WARPBOOK_X(name, number)  \
  case wire::RecordType::k##name: \
    return wire::name##TypeTable();
    WARPBOOK_COMMANDS(WARPBOOK_X)
    WARPBOOK_EVENTS(WARPBOOK_X)
#undef WARPBOOK_X
    case wire::RecordType::kNone:
      return nullptr;
  }
  return nullptr;
}

template <typename T>
T Load(const uint8_t* at) {
  return flatbuffers::ReadScalar<T>(at);
}

std::string FormatScalar(ElementaryType type, const uint8_t* at) {
  switch (type) {
    case flatbuffers::ET_CHAR:
      return absl::StrCat(Load<int8_t>(at));
    case flatbuffers::ET_UCHAR:
      return absl::StrCat(Load<uint8_t>(at));
    case flatbuffers::ET_SHORT:
      return absl::StrCat(Load<int16_t>(at));
    case flatbuffers::ET_USHORT:
      return absl::StrCat(Load<uint16_t>(at));
    case flatbuffers::ET_INT:
      return absl::StrCat(Load<int32_t>(at));
    case flatbuffers::ET_UINT:
      return absl::StrCat(Load<uint32_t>(at));
    case flatbuffers::ET_LONG:
      return absl::StrCat(Load<int64_t>(at));
    case flatbuffers::ET_ULONG:
      return absl::StrCat(Load<uint64_t>(at));
    default:
      return "?";  // the schema has no other scalars
  }
}

std::string FormatBytes(std::span<const uint8_t> bytes) {
  size_t length = bytes.size();
  while (length > 0 && bytes[length - 1] == 0) --length;
  if (length == 0) return "-";
  const absl::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const bool is_text = std::ranges::all_of(
      bytes.first(length), [](uint8_t c) { return c > 0x20 && c < 0x7f && c != '"'; });
  if (is_text) return absl::StrCat("\"", text.substr(0, length), "\"");
  return absl::BytesToHexString(text);
}

void AppendFields(const TypeTable& table, const uint8_t* object, std::string& line);

void AppendField(const TypeTable& table, size_t index, size_t array_length, const uint8_t* at,
                 std::string& line) {
  const TypeCode code = table.type_codes[index];
  const auto type = static_cast<ElementaryType>(code.base_type);
  const absl::string_view name = table.names[index];
  if (type != flatbuffers::ET_SEQUENCE) {
    if (name == "padding") return;
    absl::StrAppend(&line, " ", name, "=",
                    array_length > 0 ? FormatBytes({at, array_length}) : FormatScalar(type, at));
    return;
  }
  const TypeTable& inner = *table.type_refs[code.sequence_ref]();
  if (array_length == 0) {
    AppendFields(inner, at, line);  // a header: its fields are the record's own
    return;
  }
  const size_t size = flatbuffers::InlineSize(type, &inner);
  for (size_t i = 0; i < array_length; ++i) {
    absl::StrAppend(&line, " ", name, "[", i, "]={");
    std::string fields;
    AppendFields(inner, at + i * size, fields);
    absl::StrAppend(&line, fields.substr(1), "}");
  }
}

void AppendFields(const TypeTable& table, const uint8_t* object, std::string& line) {
  size_t arrays = 0;
  for (size_t i = 0; i < table.num_elems; ++i) {
    const bool is_array = table.type_codes[i].is_repeating != 0;
    const size_t array_length = is_array ? static_cast<size_t>(table.array_sizes[arrays++]) : 0;
    AppendField(table, i, array_length, object + table.values[i], line);
  }
}

}  // namespace

std::string FormatRecord(wire::RecordView record) {
  const TypeTable* table = TypeTableOf(record.type());
  const std::string_view name = wire::RecordName(record.type());
  std::string line(name);
  if (table != nullptr) {
    AppendFields(*table, reinterpret_cast<const uint8_t*>(record.body()), line);
  }
  return line;
}

absl::Status DumpJournal(FileSystem& files, const std::string& directory, uint64_t from,
                         uint64_t to, const std::function<void(std::string_view)>& print_line) {
  absl::StatusOr<std::unique_ptr<TailReader>> reader = TailReader::Open(files, directory, from);
  if (!reader.ok()) return reader.status();
  while (true) {
    const absl::StatusOr<std::optional<BatchView>> batch = (*reader)->Next();
    if (!batch.ok()) return batch.status();
    if (!batch->has_value()) return absl::OkStatus();
    uint64_t sequence = 0;
    std::string time;
    for (const wire::RecordView record : wire::Records((*batch)->records)) {
      const bool is_command = wire::IsCommand(record.type());
      if (is_command) {
        sequence = record.command_header().sequence();
        time = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ",
                                absl::FromUnixMicros(record.command_header().time_us()),
                                absl::UTCTimeZone());
      }
      if (sequence > to) return absl::OkStatus();
      if (sequence < from) continue;
      print_line(absl::StrCat(sequence, " ", time, is_command ? " " : "   ", FormatRecord(record)));
    }
  }
}

}  // namespace warpbook::journal
