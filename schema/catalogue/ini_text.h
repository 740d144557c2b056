// The text of a configuration file, cut into sections and entries and nothing more:
//
//   # a comment, also behind a value
//   [kind name]
//   key = value
//
// Lines are ASCII, a section's name may be absent, a value may not be empty. What sections and keys
// there may be is for the caller to say. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace warpbook {

struct IniEntry {
  std::string key;
  std::string value;
  int line = 0;
};

struct IniSection {
  std::string kind;  // "class"
  std::string name;  // "H100-SXM"; may be empty
  int line = 0;
  std::vector<IniEntry> entries;  // in the file's order, no key twice

  // The title as messages show it: "class H100-SXM".
  std::string Title() const;
};

// The sections in the file's order, no title twice. `name` stands for the file in messages, which
// read like "catalogue.conf:12: class H100-SXM: tick: given twice".
absl::StatusOr<std::vector<IniSection>> ParseIni(std::string_view text, const std::string& name);

// "name:line: what" as an InvalidArgument.
absl::Status IniFault(const std::string& name, int line, const std::string& what);

}  // namespace warpbook
