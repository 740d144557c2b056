// SecondBooks: every transfer of the ledger added up a second time, and the escrow of each lease,
// so that the ledger's invariants have something to be held against.
#pragma once

#include <map>
#include <set>

#include "schema/types/ids.h"
#include "settlement/ledger/invariants.h"
#include "settlement/ledger/ledger.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::economics {

class SecondBooks {
 public:
  void Post(const settlement::Transfer& transfer);
  // What a fill and a settlement say of a lease.
  void Fill(LeaseId lease, Credits paid_in);
  void Settle(LeaseId lease, const settlement::Settlement& settled);

  // For settlement::FindViolation. Leases: those that changed since the last call.
  settlement::LedgerFigures Figures(const settlement::Ledger& ledger);

 private:
  settlement::Tally CheckAccounts(settlement::Tally& balances, const settlement::Ledger& ledger);

  std::map<settlement::LedgerAccount, int64_t> sums_;
  settlement::SupplyCounters counters_;
  int64_t uncounted_ = 0;
  std::map<LeaseId, settlement::LeaseEscrowFigures> leases_;
  std::set<LeaseId> changed_;
};

}  // namespace warpbook::economics
