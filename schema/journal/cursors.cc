#include "schema/journal/cursors.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "schema/base/crc32c.h"
#include "schema/journal/tail_reader.h"

namespace warpbook::journal {
namespace {

constexpr std::string_view kPrefix = "sequence ";
constexpr size_t kNameLengthMax = 64;

std::string CursorsDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/cursors");
}

bool IsValidName(std::string_view name) {
  return !name.empty() && name.size() <= kNameLengthMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::string Format(uint64_t sequence) {
  const std::string text = absl::StrCat("sequence ", sequence);
  return absl::StrFormat("%s crc32c %08x\n", text, Crc32c(std::as_bytes(std::span(text))));
}

// Only what Format wrote.
std::optional<uint64_t> Parse(std::string_view line) {
  if (!line.starts_with(kPrefix)) return std::nullopt;
  uint64_t sequence = 0;
  const auto result =
      std::from_chars(line.data() + kPrefix.size(), line.data() + line.size(), sequence);
  if (result.ec != std::errc() || Format(sequence) != line) return std::nullopt;
  return sequence;
}

}  // namespace

absl::StatusOr<std::vector<Cursor>> ReadCursors(FileSystem& files, const std::string& directory) {
  const std::string cursors_directory = CursorsDirectory(directory);
  const absl::StatusOr<std::vector<std::string>> names = files.List(cursors_directory);
  if (absl::IsNotFound(names.status())) return std::vector<Cursor>();
  if (!names.ok()) return names.status();
  std::vector<Cursor> cursors;
  for (const std::string& name : *names) {
    if (name.starts_with('.')) continue;  // the temporary file of a write that was interrupted
    const std::string path = absl::StrCat(cursors_directory, "/", name);
    const absl::StatusOr<std::string> line = ReadWholeFile(files, path);
    if (!line.ok()) return line.status();
    const std::optional<uint64_t> sequence = Parse(*line);
    if (!sequence) return absl::DataLossError(absl::StrCat(path, " is not a cursor"));
    cursors.push_back({name, *sequence});
  }
  return cursors;
}

absl::Status WriteCursor(FileSystem& files, const std::string& directory, const std::string& name,
                         uint64_t sequence) {
  if (!IsValidName(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is not a cursor's name (a-z, 0-9, '-', at most 64)"));
  }
  const std::string cursors_directory = CursorsDirectory(directory);
  const absl::Status made = files.MakeDirectory(cursors_directory);
  if (!made.ok()) return made;
  const absl::Status replaced = ReplaceFile(files, cursors_directory, name, Format(sequence));
  if (!replaced.ok()) return replaced;
  return files.SyncDirectory(directory);
}

absl::Status WriteCursor(const std::string& directory, const std::string& name, uint64_t sequence) {
  return WriteCursor(PosixFileSystem(), directory, name, sequence);
}

}  // namespace warpbook::journal
