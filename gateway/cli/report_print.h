// What settlement reports, as people read it: tables whose columns add up, and CSV. Pure functions
// of the answers' results.
#pragma once

#include <ostream>

#include "absl/status/status.h"
#include "gateway/client/json_value.h"

namespace warpbook::gateway {

// Each prints one report. DataLoss, behind what was printed, where its numbers do not add up.
absl::Status PrintSupply(const JsonValue& report, std::ostream& out);
absl::Status PrintLease(const JsonValue& report, std::ostream& out);
// Amounts of USD are credits, rounded down to micro-USD. A movement is shown as what the balance
// shown changes by, so that opening balance and movements make the closing balance as they stand.
absl::Status PrintStatement(const JsonValue& report, std::ostream& out);
void PrintDisclosures(const JsonValue& report, std::ostream& out);

// One row for the opening balance, one for each movement, one for the closing balance (RFC 4180);
// amounts as in the table, and behind them the credits, to the last one.
absl::Status PrintStatementCsv(const JsonValue& report, std::ostream& out);

}  // namespace warpbook::gateway
