// What the public reports are made from: supply and disclosures (2-tokens of the design,
// Disclosure). Each reads one moment of the database, also while a worker writes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "settlement/store/database.h"
#include "settlement/store/rows.h"
#include "settlement/tokens/class_index.h"

namespace warpbook::settlement {

// Ends the statement that is under way on a connection, if one is: it fails with DeadlineExceeded.
// From any thread, as long as the connection is not being closed.
void CancelStatement(Database& database);

struct TokenFigures {
  Cursor cursor;
  HoldingTotals totals{};
  SupplyCounters counters;
  PriceState prices;
  std::string coverage;  // its state; "" before the market's first day
  // The day of emission under way, which is behind the market's time until the day before is
  // closed.
  std::optional<int32_t> emission_day;
  Tokens bonus_due;  // of the last closed day: promised and not minted yet
};
absl::StatusOr<TokenFigures> ReadTokenFigures(Database& database);

// What the metrics tell of the ledger.
struct MonitoredFigures {
  TokenFigures tokens;
  std::map<std::string, int64_t> leases;  // that are not settled, by state; every state is there
};
absl::StatusOr<MonitoredFigures> ReadMonitoredFigures(Database& database);

// Today and the days before it, by the day on which work was settled.
inline constexpr int64_t kDisclosedWorkDays = 30;
// By the market's time of its settlement.
inline constexpr int64_t kIndexHours = 24;
// Among how many of the last fills a class's last price is looked for.
inline constexpr int64_t kLastPriceFills = 10'000;

struct GenesisRow {
  LedgerAccount account;  // that got tokens at the beginning
  Tokens amount;
};
struct OwnerNotional {
  OwnerId owner;
  Credits verified;
};
struct DisclosureFigures {
  TokenFigures tokens;
  std::vector<GenesisRow> genesis;    // ascending by account
  std::vector<OwnerNotional> owners;  // of providers, over kDisclosedWorkDays; ascending
  std::map<ClassId, std::vector<DeliveredWork>> work;  // over kIndexHours, by owner and price
  std::map<ClassId, Price> last_prices;                // of classes that traded of late
};
absl::StatusOr<DisclosureFigures> ReadDisclosures(Database& database);

}  // namespace warpbook::settlement
