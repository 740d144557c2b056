// Reading the ledger back: what an audit adds up anew from the transfers, what a summary tells, and
// whether two databases hold the same. Each reads one moment of the database, also while a worker
// writes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "settlement/ledger/invariants.h"
#include "settlement/store/database.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

struct Audit {
  Cursor cursor;
  LedgerFigures figures;  // for settlement/ledger/invariants.h
};
// `on_part`, where there is one, is told what has been read, in words.
absl::StatusOr<Audit> ReadAudit(Database& database,
                                const std::function<void(absl::string_view)>& on_part = nullptr);

struct Summary {
  Cursor cursor;
  std::map<std::string, int64_t> leases;  // by state
  int64_t gpu_minutes_sold = 0;
  int64_t gpu_minutes_resold = 0;     // again for each resale of the same ones
  int64_t gpu_minutes_delivered = 0;  // as settled
  // Posted.
  int64_t deposits = 0, withdrawals = 0, top_ups = 0;
  HoldingTotals totals{};
  SupplyCounters counters;
};
absl::StatusOr<Summary> ReadSummary(Database& database);

// One table (or all balances) as it can be compared: how many rows, and a checksum over them in any
// order.
struct TableDigest {
  std::string table;
  int64_t rows = 0;
  std::string checksum;
  friend bool operator==(const TableDigest&, const TableDigest&) = default;
};

// All that follows from the journal alone, with its cursor. The outbox does not.
struct LedgerDigest {
  Cursor cursor;
  std::vector<TableDigest> tables;
  std::vector<std::pair<LedgerAccount, int64_t>> balances;  // ascending
};
absl::StatusOr<LedgerDigest> ReadDigest(Database& database);

}  // namespace warpbook::settlement
