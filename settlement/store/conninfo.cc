#include "settlement/store/conninfo.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "schema/base/file.h"

namespace warpbook::settlement {

absl::StatusOr<std::string> ResolveConninfo(const std::string& database,
                                            const std::string& database_file) {
  if (database.empty() && database_file.empty()) {
    return absl::InvalidArgumentError("--database (or --database-file) is missing");
  }
  if (database_file.empty()) return database;
  if (!database.empty()) {
    return absl::InvalidArgumentError("--database and --database-file are both given");
  }
  const auto text = ReadWholeFile(PosixFileSystem(), database_file);
  if (!text.ok()) return text.status();
  const absl::string_view conninfo = absl::StripAsciiWhitespace(*text);
  if (conninfo.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(database_file, " holds no connection string"));
  }
  return std::string(conninfo);
}

}  // namespace warpbook::settlement
