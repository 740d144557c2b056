// The connection string of PostgreSQL as programs are told it: by itself, or in a file, as it may
// hold a password.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace warpbook::settlement {

// InvalidArgument, in one sentence, where neither or both are given, or the file holds none; as
// ReadWholeFile where it cannot be read.
absl::StatusOr<std::string> ResolveConninfo(const std::string& database,
                                            const std::string& database_file);

}  // namespace warpbook::settlement
