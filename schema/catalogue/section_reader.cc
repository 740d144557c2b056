#include "schema/catalogue/section_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "schema/base/check.h"
#include "schema/types/decimal.h"

namespace warpbook {

SectionReader::SectionReader(const IniSection& section, const std::string& file)
    : section_(section), file_(file), used_(section.entries.size(), false) {}

int64_t SectionReader::Integer(std::string_view key, int64_t low, int64_t high) {
  const IniEntry* entry = Take(key);
  if (entry == nullptr) return low;
  const auto value = ParseDecimal(entry->value, 0);
  if (!value) {
    Fault(*entry, "is not a whole number");
    return low;
  }
  if (*value < low || *value > high) {
    Fault(*entry, absl::StrCat("is outside ", low, "..", high));
    return low;
  }
  return *value;
}

Price SectionReader::PositivePrice(std::string_view key) {
  constexpr Price kAnyPrice = Price(1);
  const IniEntry* entry = Take(key);
  if (entry == nullptr) return kAnyPrice;
  const auto price = ParsePrice(entry->value);
  if (!price) {
    Fault(*entry, "is not a decimal number with at most 6 digits behind the point");
    return kAnyPrice;
  }
  if (*price <= Price(0) || *price > kMaxPrice) {
    Fault(*entry, absl::StrCat("is not above 0 and at most ", FormatPrice(kMaxPrice)));
    return kAnyPrice;
  }
  return *price;
}

bool SectionReader::YesNo(std::string_view key) {
  const IniEntry* entry = Take(key);
  if (entry == nullptr) return false;
  if (entry->value != "yes" && entry->value != "no") Fault(*entry, "is neither yes nor no");
  return entry->value == "yes";
}

void SectionReader::Fault(std::string_view key, const std::string& what) {
  const IniEntry* entry = Find(key);
  WARPBOOK_CHECK(entry != nullptr);
  Fault(*entry, what);
}

void SectionReader::FaultOfSection(const std::string& what) {
  Keep(section_.line, absl::StrCat(section_.Title(), ": ", what));
}

absl::Status SectionReader::Finish() {
  for (size_t i = 0; i < used_.size(); ++i) {
    const IniEntry& entry = section_.entries[i];
    if (used_[i]) continue;
    Keep(entry.line, absl::StrCat(section_.Title(), ": ", entry.key, ": there is no such key"));
  }
  return status_;
}

const IniEntry* SectionReader::Find(std::string_view key) const {
  const auto at = std::ranges::find(section_.entries, key, &IniEntry::key);
  return at == section_.entries.end() ? nullptr : &*at;
}

const IniEntry* SectionReader::Take(std::string_view key) {
  const IniEntry* entry = Find(key);
  if (entry == nullptr) {
    FaultOfSection(absl::StrCat(std::string(key), ": is missing"));
  } else {
    used_[static_cast<size_t>(entry - section_.entries.data())] = true;
  }
  return entry;
}

void SectionReader::Fault(const IniEntry& entry, const std::string& what) {
  Keep(entry.line,
       absl::StrCat(section_.Title(), ": ", entry.key, ": \"", entry.value, "\" ", what));
}

void SectionReader::Keep(int line, const std::string& what) {
  if (status_.ok()) status_ = IniFault(file_, line, what);
}

}  // namespace warpbook
