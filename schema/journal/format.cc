#include "schema/journal/format.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "schema/base/crc32c.h"

namespace warpbook::journal {
namespace {

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr size_t kNumberDigits = 8;

static_assert(std::has_unique_object_representations_v<SegmentHeader>);
static_assert(std::has_unique_object_representations_v<BatchHeader>);

}  // namespace

uint32_t SegmentHeaderCrc(const SegmentHeader& header) {
  return Crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(SegmentHeader, crc)));
}

uint32_t BatchHeaderCrc(const BatchHeader& header) {
  BatchHeader copy = header;
  copy.header_crc = 0;
  return Crc32c(std::as_bytes(std::span(&copy, 1)));
}

std::string SegmentHeaderFault(const SegmentHeader& header, uint64_t number) {
  if (header.magic != kSegmentMagic) return "it is not a segment of a journal";
  // Before the checksum: another version may keep its checksum elsewhere.
  if (header.format_version != kFormatVersion) {
    return absl::StrCat("it is of format version ", header.format_version,
                        ", this program reads version ", kFormatVersion);
  }
  if (header.crc != SegmentHeaderCrc(header)) return "the checksum of its header is wrong";
  if (header.number != number) {
    return absl::StrCat("its header says that it is segment ", header.number);
  }
  return "";
}

std::string RulesVersionFault(uint32_t rules_version, uint32_t ours) {
  if (rules_version == ours) return "";
  return absl::StrCat("it is of rules version ", rules_version, ", this program has version ",
                      ours);
}

std::string SegmentName(uint64_t number) { return absl::StrFormat("%08d.segment", number); }

std::optional<uint64_t> ParseSegmentName(std::string_view name) {
  if (!name.ends_with(kSegmentSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, name.size() - kSegmentSuffix.size());
  if (digits.size() < kNumberDigits) return std::nullopt;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  if (SegmentName(number) != name) return std::nullopt;
  return number;
}

std::string SegmentPath(const std::string& directory, uint64_t number) {
  return absl::StrCat(directory, "/", SegmentName(number));
}

}  // namespace warpbook::journal
