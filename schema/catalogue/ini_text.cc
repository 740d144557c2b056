#include "schema/catalogue/ini_text.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"

namespace warpbook {
namespace {

constexpr std::string_view kBlank = " \t";

std::string_view Strip(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// The position (from 1) of the first character that is neither printable ASCII nor a tab.
std::optional<size_t> FindForeignCharacter(std::string_view line) {
  const auto* at =
      std::ranges::find_if(line, [](char c) { return (c < ' ' || c > '~') && c != '\t'; });
  if (at == line.end()) return std::nullopt;
  return static_cast<size_t>(at - line.begin()) + 1;
}

// "[kind name]" or "[kind]"; nullopt where it is neither.
std::optional<IniSection> ParseTitle(std::string_view text) {
  if (text.size() < 2 || text.back() != ']') return std::nullopt;
  const std::string_view inside = Strip(text.substr(1, text.size() - 2));
  const size_t blank = inside.find_first_of(kBlank);
  IniSection section;
  section.kind = std::string(inside.substr(0, blank));
  if (blank != std::string_view::npos) section.name = std::string(Strip(inside.substr(blank)));
  if (section.kind.empty() || section.name.find_first_of(kBlank) != std::string::npos) {
    return std::nullopt;
  }
  return section;
}

absl::Status AddSection(std::string_view text, const std::string& name, int line,
                        std::vector<IniSection>& sections) {
  auto section = ParseTitle(text);
  if (!section) {
    return IniFault(name, line, absl::StrCat("\"", std::string(text), "\" is not a [section]"));
  }
  section->line = line;
  for (const IniSection& other : sections) {
    if (other.Title() == section->Title()) {
      return IniFault(name, line,
                      absl::StrCat(section->Title(), ": given before, in line ", other.line));
    }
  }
  sections.push_back(*std::move(section));
  return absl::OkStatus();
}

absl::Status AddEntry(std::string_view text, const std::string& name, int line,
                      std::vector<IniSection>& sections) {
  const size_t equals = text.find('=');
  const std::string key(Strip(text.substr(0, equals)));
  if (equals == std::string_view::npos || key.empty()) {
    return IniFault(name, line, absl::StrCat("\"", std::string(text), "\" is not \"key = value\""));
  }
  if (sections.empty()) {
    return IniFault(name, line, absl::StrCat(key, ": stands before the first [section]"));
  }
  IniSection& section = sections.back();
  const std::string value(Strip(text.substr(equals + 1)));
  if (value.empty()) {
    return IniFault(name, line, absl::StrCat(section.Title(), ": ", key, ": has no value"));
  }
  for (const IniEntry& other : section.entries) {
    if (other.key == key) {
      return IniFault(
          name, line,
          absl::StrCat(section.Title(), ": ", key, ": given before, in line ", other.line));
    }
  }
  section.entries.push_back({key, value, line});
  return absl::OkStatus();
}

}  // namespace

std::string IniSection::Title() const {
  return name.empty() ? kind : absl::StrCat(kind, " ", name);
}

absl::Status IniFault(const std::string& name, int line, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", what));
}

absl::StatusOr<std::vector<IniSection>> ParseIni(std::string_view text, const std::string& name) {
  std::vector<IniSection> sections;
  int line = 0;
  while (!text.empty()) {
    ++line;
    const size_t end = text.find('\n');
    const std::string_view whole = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (const auto column = FindForeignCharacter(whole)) {
      return IniFault(name, line, absl::StrCat("character ", *column, " is not printable ASCII"));
    }
    const std::string_view content = Strip(whole.substr(0, whole.find('#')));
    if (content.empty()) continue;
    const absl::Status added = content.front() == '[' ? AddSection(content, name, line, sections)
                                                      : AddEntry(content, name, line, sections);
    if (!added.ok()) return added;
  }
  return sections;
}

}  // namespace warpbook
