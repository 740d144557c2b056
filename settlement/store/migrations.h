// The schema of the database: numbered migrations, forward only, applied by `warpbook-settlement
// migrate` in one transaction. What was applied is in the table schema_version with its hash.
//
// Two roles: warpbook_owner owns everything; warpbook_settlement is the service and may do what the
// migrations grant it: of transfers, SELECT and INSERT alone. `migrate` makes both where they are
// not there yet, which takes a superuser; afterwards warpbook_owner suffices.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "settlement/store/database.h"

namespace warpbook::settlement {

struct Migration {
  int version;
  std::string_view name;
  std::string_view sql;
};

// Ascending, from 1 without a gap.
const std::vector<Migration>& AllMigrations();

struct MigrateSummary {
  int version_before = 0;
  int version_after = 0;
};
// Brings the database to the newest version (or no further than to version_max), or changes
// nothing. FailedPrecondition where it is newer than this program or an applied migration has
// changed since.
absl::StatusOr<MigrateSummary> Migrate(Database& database,
                                       int version_max = std::numeric_limits<int>::max());

// Ok where the database has exactly this program's schema; else one sentence that says what to do.
absl::Status CheckSchema(Database& database);

}  // namespace warpbook::settlement
