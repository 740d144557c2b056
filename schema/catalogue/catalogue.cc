#include "schema/catalogue/catalogue.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/catalogue/ini_text.h"
#include "schema/catalogue/section_reader.h"
#include "schema/types/decimal.h"

namespace warpbook {
namespace {

constexpr size_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxNameLength = 32;
constexpr int64_t kTickUnit = 1'000;  // micro-USD: keeps surcharges exact (1-market, Money)
constexpr int kMaxFigure = 1'000'000;

bool IsName(std::string_view name, char first_letter, char last_letter) {
  const auto is_allowed = [&](char c) {
    return (c >= first_letter && c <= last_letter) || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= kMaxNameLength && name.front() != '-' &&
         name.back() != '-' && std::ranges::all_of(name, is_allowed);
}

absl::Status ReadMarket(const IniSection& section, const std::string& file, Catalogue& catalogue) {
  SectionReader reader(section, file);
  if (!section.name.empty()) reader.FaultOfSection("this section has no name");
  catalogue.windows_ahead = static_cast<int>(reader.Integer("windows_ahead", 1, 168));
  catalogue.notice_seconds = static_cast<int>(reader.Integer("notice_seconds", 0, 3'600));
  catalogue.gate_minutes = static_cast<int>(reader.Integer("gate_minutes", 1, 120));
  // A fill just before the gate still gets its notice and one whole minute.
  if (reader.ok() && catalogue.gate_minutes * 60 < catalogue.notice_seconds + 60) {
    reader.Fault("gate_minutes", "is less than notice_seconds and one minute more");
  }
  return reader.Finish();
}

// The id of a class or region: a stored number, so it may not stand for two.
template <typename Id, typename Item>
Id ReadId(SectionReader& reader, const std::vector<Item>& items) {
  const auto id = Id(static_cast<typename Id::rep>(
      reader.Integer("id", 1, std::numeric_limits<typename Id::rep>::max())));
  const auto other = std::ranges::find(items, id, &Item::id);
  if (reader.ok() && other != items.end()) {
    reader.Fault("id", absl::StrCat("is the id of ", other->name, " already"));
  }
  return id;
}

absl::Status ReadRegion(const IniSection& section, const std::string& file, Catalogue& catalogue) {
  SectionReader reader(section, file);
  if (!IsName(section.name, 'a', 'z')) {
    reader.FaultOfSection("a region's name is 1 to 32 lower-case letters, digits and inner '-'");
  }
  Region region;
  region.name = section.name;
  region.id = ReadId<RegionId>(reader, catalogue.regions);
  catalogue.regions.push_back(std::move(region));
  return reader.Finish();
}

void ReadPrices(SectionReader& reader, HardwareClass& hardware_class) {
  hardware_class.tick = reader.PositivePrice("tick");
  if (reader.ok() && hardware_class.tick.value() % kTickUnit != 0) {
    reader.Fault("tick", "is not a multiple of 0.001");
  }
  const auto on_tick = [&](std::string_view key) {
    const Price price = reader.PositivePrice(key);
    if (reader.ok() && price.value() % hardware_class.tick.value() != 0) {
      reader.Fault(
          key, absl::StrCat("is not a multiple of the tick ", FormatPrice(hardware_class.tick)));
    }
    return price;
  };
  hardware_class.band_low = on_tick("band_low");
  hardware_class.band_high = on_tick("band_high");
  hardware_class.reference_price = on_tick("reference_price");
  if (reader.ok() && hardware_class.band_high < hardware_class.band_low) {
    reader.Fault("band_high", "is below band_low");
  }
  if (reader.ok() && (hardware_class.reference_price < hardware_class.band_low ||
                      hardware_class.reference_price > hardware_class.band_high)) {
    reader.Fault("reference_price", "is outside the band");
  }
}

absl::Status ReadClass(const IniSection& section, const std::string& file, Catalogue& catalogue) {
  SectionReader reader(section, file);
  if (!IsName(section.name, 'A', 'Z')) {
    reader.FaultOfSection("a class's name is 1 to 32 upper-case letters, digits and inner '-'");
  }
  const auto figure = [&reader](std::string_view key) {
    return static_cast<int>(reader.Integer(key, 1, kMaxFigure));
  };
  HardwareClass hardware_class;
  hardware_class.name = section.name;
  hardware_class.id = ReadId<ClassId>(reader, catalogue.classes);
  hardware_class.memory_gb = figure("memory_gb");
  if (reader.Has("int8_dense_tops")) hardware_class.int8_dense_tops = figure("int8_dense_tops");
  hardware_class.memory_gb_per_s = figure("memory_gb_per_s");
  if (reader.Has("probe")) hardware_class.has_probe = reader.YesNo("probe");
  for (const auto& [key, measured] :
       {std::pair<std::string_view, int*>("probe_int8_tops", &hardware_class.probe_int8_tops),
        {"probe_memory_gb_per_s", &hardware_class.probe_memory_gb_per_s}}) {
    if (reader.Has(key)) *measured = figure(key);
  }
  hardware_class.tdp_watts = figure("tdp_watts");
  hardware_class.window_minutes =
      Minutes(static_cast<int32_t>(reader.Integer("window_minutes", 1, kMaxWindowMinutes.value())));
  if (reader.ok() && hardware_class.window_minutes.value() <= catalogue.gate_minutes) {
    reader.Fault("window_minutes", "is not longer than gate_minutes");
  }
  hardware_class.tradable = reader.YesNo("tradable");
  // A class that is only listed may leave its prices out, all of them.
  const auto has = [&reader](std::string_view key) { return reader.Has(key); };
  constexpr std::string_view kPriceKeys[] = {"tick", "band_low", "band_high", "reference_price"};
  if (hardware_class.tradable || std::ranges::any_of(kPriceKeys, has)) {
    ReadPrices(reader, hardware_class);
  }
  catalogue.classes.push_back(std::move(hardware_class));
  return reader.Finish();
}

absl::Status ReadSection(const IniSection& section, const std::string& file, Catalogue& catalogue) {
  if (section.kind == "market") return ReadMarket(section, file, catalogue);
  if (section.kind == "region") return ReadRegion(section, file, catalogue);
  if (section.kind == "class") return ReadClass(section, file, catalogue);
  return IniFault(file, section.line, absl::StrCat(section.Title(), ": there is no such section"));
}

template <typename Items, typename Key, typename Field>
auto FindBy(const Items& items, const Key& key, Field field) {
  const auto at = std::ranges::find(items, key, field);
  return at == items.end() ? nullptr : &*at;
}

}  // namespace

const HardwareClass* Catalogue::FindClass(ClassId id) const {
  return FindBy(classes, id, &HardwareClass::id);
}
const HardwareClass* Catalogue::FindClass(std::string_view name) const {
  return FindBy(classes, name, &HardwareClass::name);
}
const Region* Catalogue::FindRegion(RegionId id) const { return FindBy(regions, id, &Region::id); }
const Region* Catalogue::FindRegion(std::string_view name) const {
  return FindBy(regions, name, &Region::name);
}

absl::StatusOr<Catalogue> ParseCatalogue(std::string_view text, const std::string& name) {
  absl::StatusOr<std::vector<IniSection>> sections = ParseIni(text, name);
  if (!sections.ok()) return sections.status();
  // Classes are checked against the market's gate, which must therefore be known first.
  std::stable_partition(sections->begin(), sections->end(),
                        [](const IniSection& section) { return section.kind == "market"; });
  Catalogue catalogue;
  for (const IniSection& section : *sections) {
    const absl::Status read = ReadSection(section, name, catalogue);
    if (!read.ok()) return read;
  }
  for (const std::string_view kind : {"market", "region", "class"}) {
    if (std::ranges::find(*sections, kind, &IniSection::kind) == sections->end()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": there is no [", std::string(kind), "] section"));
    }
  }
  std::ranges::sort(catalogue.classes, {}, &HardwareClass::id);
  std::ranges::sort(catalogue.regions, {}, &Region::id);
  return catalogue;
}

absl::StatusOr<Catalogue> LoadCatalogue(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return absl::UnavailableError(
        absl::StrCat(path, ": cannot read the catalogue: ", std::strerror(errno)));
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": the catalogue is larger than 1 MiB"));
  }
  return ParseCatalogue(text, path);
}

}  // namespace warpbook
