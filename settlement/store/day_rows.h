// The rows of days, owners and deferred payments: writing and reading them, and how the outbox
// keeps a decision about them. For the .cc files of settlement/store alone.
#pragma once

#include <pqxx/pqxx>

#include "absl/status/status.h"
#include "settlement/store/rows.h"
#include "settlement/store/statement_queue.h"

namespace warpbook::settlement {

// Leases must be written before: deferred payments are of them.
void WriteDayRows(StatementQueue& queue, const Changes& changes);

// Days, owners and what leases are owed.
absl::Status LoadDayRows(pqxx::transaction_base& transaction, StoredState& state);

// The outbox has one column for each amount: gross, retired and emitted are a lease's or a day's.
Settlement StoredFigures(const Decision& decision);
// The reverse, of a decision that was read with all of them as a lease's.
void MoveEpochFigures(Decision& decision);

}  // namespace warpbook::settlement
