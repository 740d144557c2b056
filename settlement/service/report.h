// What `audit` and `summary` print.
#pragma once

#include <string>

#include "settlement/store/audit.h"

namespace warpbook::settlement {

// One line for each invariant: PASS or FAIL, its name, the numbers; or NONE where there is nothing
// to check yet, in an empty ledger. *all_hold says whether none fails.
std::string AuditText(const Audit& audit, bool* all_hold);

// The summary as one JSON object. Amounts are decimal strings in the smallest unit, with TOK or USD
// beside them.
std::string SummaryJson(const Summary& summary);

}  // namespace warpbook::settlement
