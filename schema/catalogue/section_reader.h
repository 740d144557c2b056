// SectionReader: reads the typed values of one section's keys. The first fault is kept and later
// reads answer with anything in range, so that its caller reads key after key and asks for the
// outcome once, at the end. A key that is there but was never read is one that does not exist.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "schema/catalogue/ini_text.h"
#include "schema/types/amounts.h"

namespace warpbook {

class SectionReader {
 public:
  // Both must outlive the reader. `file` stands for the file in messages.
  SectionReader(const IniSection& section, const std::string& file);

  bool Has(std::string_view key) const { return Find(key) != nullptr; }
  int64_t Integer(std::string_view key, int64_t low, int64_t high);
  // Above 0 and at most kMaxPrice.
  Price PositivePrice(std::string_view key);
  bool YesNo(std::string_view key);

  // A fault that the caller found: of the value of a key that is there, or of the section itself.
  void Fault(std::string_view key, const std::string& what);
  void FaultOfSection(const std::string& what);

  bool ok() const { return status_.ok(); }
  // The first fault, of keys that nobody asked for too.
  absl::Status Finish();

 private:
  const IniEntry* Find(std::string_view key) const;
  // Marks the key as known; null, and a fault, where it is missing.
  const IniEntry* Take(std::string_view key);
  void Fault(const IniEntry& entry, const std::string& what);
  void Keep(int line, const std::string& what);

  const IniSection& section_;
  const std::string& file_;
  std::vector<bool> used_;
  absl::Status status_;
};

}  // namespace warpbook
