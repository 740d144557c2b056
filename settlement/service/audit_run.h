// `warpbook-settlement audit`: every invariant of a ledger, added up anew from its transfers;
// whether the journal is the one that was posted; and whether that journal alone, replayed into an
// empty database, gives the same to the last unit.
#pragma once

#include <ostream>
#include <string>

#include "absl/status/statusor.h"

namespace warpbook::settlement {

struct AuditOptions {
  std::string conninfo;
  std::string journal_directory;  // empty: not looked at
  std::string replay_into;        // a conninfo; empty: not replayed
};

// Writes a line for each invariant and a total that names them to `out`, and what it is at, with
// times, to `progress`. Returns whether all hold.
absl::StatusOr<bool> RunAudit(const AuditOptions& options, std::ostream& out,
                              std::ostream& progress);

}  // namespace warpbook::settlement
