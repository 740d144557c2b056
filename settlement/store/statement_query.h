// What an account's statement is made from: its transfers over a time, and what it had before and
// after. Reads one moment of the database, also while a worker writes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "settlement/store/database.h"
#include "settlement/store/rows.h"

namespace warpbook::settlement {

// What one statement is made from at most.
inline constexpr size_t kStatementTransfersMax = 100'000;

struct StatementTransfer {
  Transfer transfer;
  int64_t second = 0;     // since 1970, of the market: when it was posted
  std::string reference;  // of the deposit or withdrawal that it is
};

// Of a lease that transfers name.
struct StatementLease {
  std::string symbol;
  AccountId buyer, provider;
  int64_t settled_second = -1;  // -1: it is not settled
};

struct StatementFigures {
  Cursor cursor;
  OwnerId owner;
  int64_t from_second = 0, to_second = 0;
  // By holding. The closing balances are read apart from the transfers: from what the account has
  // now, back to the time's end.
  HoldingTotals opening{}, closing{};
  std::vector<StatementTransfer> transfers;  // by event and leg
  std::map<LeaseId, StatementLease> leases;
};

// Of what was posted from one of the market's seconds on, until before another. NotFound: there is
// no such account. ResourceExhausted: these are more transfers than one statement is made from.
absl::StatusOr<StatementFigures> ReadStatement(Database& database, AccountId account,
                                               int64_t from_second, int64_t to_second);

}  // namespace warpbook::settlement
