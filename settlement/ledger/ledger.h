// Ledger: the balances and counters that all transfers so far make, in memory. It refuses what no
// ledger may hold, so that a wrong transfer is never written. Settlement's worker thread owns it;
// the database holds the same balances and every transfer (settlement/store).
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "schema/types/amounts.h"
#include "settlement/ledger/transfer.h"

namespace warpbook::settlement {

// Published counters of TOK: each the sum of one kind of transfer since the beginning.
struct SupplyCounters {
  Tokens genesis;            // issuance -> outside, as event 0
  Tokens emitted;            // issuance -> members and fee
  Tokens deposited;          // outside -> members
  Tokens burned;             // members -> vault, for credits
  Tokens reminted_provider;  // vault -> members
  Tokens reminted_fee;       // vault -> fee
  Tokens retired;            // vault -> issuance
  Tokens withdrawn;          // members -> outside
  friend bool operator==(const SupplyCounters&, const SupplyCounters&) = default;
};

// The counter that a transfer of TOK adds to; null where the ledger knows no such transfer. Genesis
// is what happens before the first event (as event 0), and nothing else does.
Tokens SupplyCounters::*CounterOf(Holding from, Holding to, bool before_first_event);

// Sums over all accounts of a holding, by Holding's value.
using HoldingTotals = std::array<int64_t, kHoldingSlots>;

class Ledger {
 public:
  Ledger() = default;
  // As stored: balances (each account once) and counters. DataLoss where their sums do not fit 63
  // bits.
  static absl::StatusOr<Ledger> Restore(
      const std::vector<std::pair<LedgerAccount, int64_t>>& balances,
      const SupplyCounters& counters);

  // Moves the amount. FailedPrecondition, naming event and accounts, where the amount is not
  // positive, the assets differ, an account other than a source would fall below zero, a balance
  // would not fit 63 bits, or the ledger knows no such transfer; nothing has changed then.
  absl::Status Post(const Transfer& transfer);

  // Makes the account known, with nothing in it, so that it is stored.
  void Open(LedgerAccount account);

  int64_t balance(LedgerAccount account) const;
  int64_t total(Holding holding) const { return totals_[static_cast<size_t>(holding)]; }
  const HoldingTotals& totals() const { return totals_; }
  const SupplyCounters& counters() const { return counters_; }

  // The accounts that changed since the last call, ascending, with their balances.
  std::vector<std::pair<LedgerAccount, int64_t>> TakeChanged();

 private:
  absl::flat_hash_map<LedgerAccount, int64_t> balances_;
  absl::flat_hash_set<LedgerAccount> changed_;
  HoldingTotals totals_{};
  SupplyCounters counters_;
};

}  // namespace warpbook::settlement
