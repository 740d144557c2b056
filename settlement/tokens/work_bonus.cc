#include "settlement/tokens/work_bonus.h"

#include <algorithm>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {

Tokens PaidGross(const Settlement& settled) {
  if (settled.verified == Credits(0)) return Tokens(0);
  // Rounded down: paid out. At most the gross, because consumed <= verified.
  return Tokens(
      *MulDivDown(settled.gross.value(), settled.consumed.value(), settled.verified.value()));
}

std::vector<Tokens> WorkBonus(Tokens budget, std::span<const OwnerWork> work) {
  WARPBOOK_CHECK(budget >= Tokens(0) && budget <= kMaxTokens);
  int128 all = 0;
  for (const OwnerWork& owner : work) {
    WARPBOOK_CHECK(owner.gross >= Tokens(0));
    all += owner.gross.value();
  }
  // Every division is rounded down: paid out.
  const int64_t share_max = *MulDivDown(budget.value(), kBonusSharePercentMax, 100);
  std::vector<Tokens> bonus;
  bonus.reserve(work.size());
  for (const OwnerWork& owner : work) {
    if (owner.gross == Tokens(0)) {
      bonus.emplace_back(0);
      continue;
    }
    // At most the budget, as no gross is more than all of them: it fits.
    const auto share = static_cast<int64_t>(int128{budget.value()} * owner.gross.value() / all);
    const int64_t gross_max = *MulDivDown(owner.gross.value(), kBonusGrossPercentMax, 100);
    bonus.emplace_back(std::min({share, share_max, gross_max}));
  }
  return bonus;
}

}  // namespace warpbook::settlement
