// Where payments for work come from, and in which order (2-tokens, Money flow 6). Pure integers.
#pragma once

#include <span>
#include <vector>

#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "settlement/tokens/money_flow.h"
#include "settlement/tokens/prices.h"

namespace warpbook::settlement {

// The emission of a day. What is unused at its end stays in the pool.
struct EmissionDay {
  Tokens budget;  // E: DailyEmission at its beginning
  Tokens spent;   // on settlements, so far

  // What may still be minted for settlements: floor(E / 2) for all of them together.
  Tokens LeftForSettlements() const;
  // What the work bonus is made of at the day's end.
  Tokens LeftForBonus() const { return budget - spent; }
  friend bool operator==(const EmissionDay&, const EmissionDay&) = default;
};

// What a lease is owed since its settlement found too little to pay from.
struct DeferredPayment {
  LeaseId lease;
  Credits owed;
};
struct DeferredSettlement {
  LeaseId lease;
  Settlement settlement;  // of what was owed, as a notional of its own: `owed` is what is left
};

// Pays what is owed, oldest first, at the price of now, as far as the funds go; the rest waits in
// the same order, and so does one whose work would be worth more than all tokens there can be. All
// of them are named that were paid something, or that come to an end as too small to be paid. Takes
// what was paid out of the funds: vault and emission.
std::vector<DeferredSettlement> PayDeferred(std::span<const DeferredPayment> oldest_first,
                                            TokenPrice high, Funds& funds);

// What a settlement leaves of the funds.
Funds Without(const Funds& funds, const Settlement& settlement);

}  // namespace warpbook::settlement
