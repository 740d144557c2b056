#include "settlement/tokens/funding.h"

#include <algorithm>

#include "schema/base/check.h"

namespace warpbook::settlement {

Tokens EmissionDay::LeftForSettlements() const {
  WARPBOOK_CHECK(budget >= Tokens(0) && spent >= Tokens(0) && spent <= budget);
  // Rounded down: paid out.
  return std::max(Tokens(budget.value() / 2) - spent, Tokens(0));
}

Funds Without(const Funds& funds, const Settlement& settlement) {
  Funds left = funds;
  left.emission -= settlement.emitted;
  left.vault -= settlement.provider + settlement.fee - settlement.emitted + settlement.retire;
  WARPBOOK_CHECK(left.emission >= Tokens(0) && left.vault >= Tokens(0));
  return left;
}

std::vector<DeferredSettlement> PayDeferred(std::span<const DeferredPayment> oldest_first,
                                            TokenPrice high, Funds& funds) {
  std::vector<DeferredSettlement> paid;
  for (const DeferredPayment& payment : oldest_first) {
    const auto settled = Settle({payment.owed, Credits(0), payment.owed}, high, funds);
    // Nobody is paid before one who waits longer.
    if (!settled || settled->owed == payment.owed) break;
    funds = Without(funds, *settled);
    paid.push_back({payment.lease, *settled});
    if (settled->owed > Credits(0)) break;
  }
  return paid;
}

}  // namespace warpbook::settlement
