#include "schema/journal/snapshot_names.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace warpbook::journal {
namespace {

constexpr std::string_view kSuffix = ".snapshot";

std::optional<uint64_t> ParseSnapshotName(std::string_view name) {
  uint64_t sequence = 0;
  const auto result = std::from_chars(name.data(), name.data() + name.size(), sequence);
  if (result.ec != std::errc() || SnapshotName(sequence) != name) return std::nullopt;
  return sequence;
}

}  // namespace

std::string SnapshotsDirectory(const std::string& directory) {
  return absl::StrCat(directory, "/snapshots");
}

std::string SnapshotName(uint64_t sequence) {
  return absl::StrFormat("%020d%s", sequence, std::string(kSuffix));
}

std::string SnapshotPath(const std::string& directory, uint64_t sequence) {
  return absl::StrCat(SnapshotsDirectory(directory), "/", SnapshotName(sequence));
}

absl::StatusOr<std::vector<uint64_t>> ListSnapshots(FileSystem& files,
                                                    const std::string& directory) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(SnapshotsDirectory(directory));
  if (absl::IsNotFound(names.status())) return std::vector<uint64_t>();
  if (!names.ok()) return names.status();
  std::vector<uint64_t> sequences;
  for (const std::string& name : *names) {
    if (const std::optional<uint64_t> sequence = ParseSnapshotName(name)) {
      sequences.push_back(*sequence);
    }
  }
  std::ranges::sort(sequences);
  return sequences;
}

}  // namespace warpbook::journal
