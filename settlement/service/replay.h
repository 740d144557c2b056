// Replaying a journal cold: the whole ledger anew, in an empty database, and the comparison with
// one that was posted as the market ran.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "settlement/store/audit.h"

namespace warpbook::settlement {

// Ok where the journal holds the command at which the ledger stands, as it was posted.
absl::Status CheckJournal(const std::string& journal_directory, const Cursor& cursor);

struct ReplayOptions {
  std::string journal_directory;
  std::string conninfo;  // of the empty database; its schema is made first
  Sequence last_sequence;
  // Called now and then with the sequence that is posted; false: stop.
  std::function<bool(Sequence)> on_progress;
};

// Posts the journal's commands up to last_sequence; decides and sends nothing. FailedPrecondition
// where the database is not empty or the journal ends before. Cancelled: on_progress said so.
absl::Status Replay(const ReplayOptions& options);

// What differs between two ledgers, one sentence each, at most `most` of them; empty: they are the
// same to the last unit.
std::vector<std::string> Differences(const LedgerDigest& posted, const LedgerDigest& replayed,
                                     size_t most);

}  // namespace warpbook::settlement
