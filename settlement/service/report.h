// What `audit` and `summary` print.
#pragma once

#include <string>
#include <vector>

#include "settlement/store/audit.h"

namespace warpbook::settlement {

// What an audit found of one invariant.
struct Finding {
  enum class Verdict { kPass, kFail, kNone };  // kNone: there is nothing to check yet
  Verdict verdict = Verdict::kPass;
  std::string name;
  std::string detail;  // the numbers
};

// One for each invariant of the ledger.
std::vector<Finding> FindingsOf(const Audit& audit);
// "PASS  name: detail", with the line's end.
std::string TextOf(const Finding& finding);
// Whether none fails.
bool AllHold(const std::vector<Finding>& findings);
// One line that names them all, those that fail first.
std::string TotalOf(const std::vector<Finding>& findings);

// Where the ledger stands, and a line for each invariant. *all_hold says whether none fails.
std::string AuditText(const Audit& audit, bool* all_hold);

// The summary as one JSON object. Amounts are decimal strings in the smallest unit, with TOK or USD
// beside them.
std::string SummaryJson(const Summary& summary);

}  // namespace warpbook::settlement
