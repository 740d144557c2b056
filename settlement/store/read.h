// Reading rows: what load, audit and reports share. For the .cc files of settlement/store alone.
#pragma once

#include <cstdint>
#include <pqxx/pqxx>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

inline int64_t Int(const pqxx::field& field) { return field.as<int64_t>(); }
inline int32_t Int32(const pqxx::field& field) { return field.as<int32_t>(); }
inline uint64_t Unsigned(const pqxx::field& field) {
  return static_cast<uint64_t>(field.as<int64_t>());
}
inline std::string_view Text(const pqxx::field& field) { return {field.c_str(), field.size()}; }

// DataLoss: the row of that key holds what no worker writes.
absl::Status Malformed(absl::string_view table, const pqxx::field& key);

// NotFound where not even genesis is posted.
absl::Status ReadCursor(pqxx::transaction_base& transaction, Cursor& cursor);
SupplyCounters ReadCounters(pqxx::transaction_base& transaction);
HoldingTotals ReadTotals(pqxx::transaction_base& transaction);
absl::Status ReadPrices(pqxx::transaction_base& transaction, PriceState& prices);
// Ascending by account.
absl::Status ReadBalances(pqxx::transaction_base& transaction,
                          std::vector<std::pair<LedgerAccount, int64_t>>& balances);

}  // namespace warpbook::settlement
