// The catalogue: what can be traded. Hardware classes, regions and the shape of windows, from one
// file, read once at start by every process and immutable afterwards (any thread may read it). The
// file's format is described in schema/catalogue/catalogue.conf, which is also the default one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook {

struct HardwareClass {
  ClassId id;
  std::string name;  // "H100-SXM": upper-case letters, digits, '-'
  int memory_gb = 0;
  int int8_dense_tops = 0;  // vendor's rate; 0: not known
  int memory_gb_per_s = 0;
  int tdp_watts = 0;
  bool has_probe = true;          // false: no probe runs on it, and it stays listed
  int probe_int8_tops = 0;        // what a card attained in the probe; 0: not measured
  int probe_memory_gb_per_s = 0;  // likewise
  Price reference_price;          // the index until there are trades enough
  Price tick;                     // a multiple of 1,000 micro-USD
  Price band_low, band_high;      // on the tick
  Minutes window_minutes;
  bool tradable = false;  // false: listed, but no windows are opened (no price known)
};

struct Region {
  RegionId id;
  std::string name;  // "us-east": lower-case letters, digits, '-'
};

struct Catalogue {
  std::vector<HardwareClass> classes;  // ascending by id
  std::vector<Region> regions;         // ascending by id
  int windows_ahead = 24;              // 1..168
  int notice_seconds = 120;
  int gate_minutes = 3;  // at least the notice plus one minute

  const HardwareClass* FindClass(ClassId id) const;
  const HardwareClass* FindClass(std::string_view name) const;
  const Region* FindRegion(RegionId id) const;
  const Region* FindRegion(std::string_view name) const;
};

// Reads a catalogue. A fault is one sentence that names file, line and key:
//   catalogue.conf:12: class H100-SXM: tick: "0.0205" is not a multiple of 0.001
absl::StatusOr<Catalogue> LoadCatalogue(const std::string& path);
// The same from text; `name` stands for the file in messages.
absl::StatusOr<Catalogue> ParseCatalogue(std::string_view text, const std::string& name);

// An instrument's symbol: class.region.window, "H100-SXM.us-east.2026-12-01T14:00" (UTC, window
// start).
std::string FormatSymbol(const Catalogue& catalogue, ClassId class_id, RegionId region_id,
                         Timestamp window_start);
struct SymbolParts {
  ClassId class_id;
  RegionId region_id;
  Timestamp window_start;
};
// nullopt where it is malformed or names a class or region that is not in the catalogue.
std::optional<SymbolParts> ParseSymbol(const Catalogue& catalogue, std::string_view symbol);

}  // namespace warpbook
