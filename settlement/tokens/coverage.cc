#include "settlement/tokens/coverage.h"

#include <limits>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

void CheckInputs(Tokens vault, TokenPrice median, Credits debt) {
  WARPBOOK_CHECK(vault >= Tokens(0) && vault <= kMaxTokens);
  WARPBOOK_CHECK(median > TokenPrice(0) && median <= kMaxTokenPrice);
  WARPBOOK_CHECK(debt >= Credits(0));
}

}  // namespace

int64_t CoverageBps(Tokens vault, TokenPrice median, Credits debt) {
  CheckInputs(vault, median, debt);
  if (debt == Credits(0)) return kCoverageWholeBps;
  // 10^15 x 10^9 x 600,000 stays below 2^100. Rounded down: a vault is not called fuller than it
  // is.
  const int128 worth = int128{vault.value()} * median.value() * 60 * 10'000;
  const int128 bps = worth / (int128{kMicroTokPerTok} * debt.value());
  return Narrow(bps).value_or(std::numeric_limits<int64_t>::max());
}

CoverageState NextCoverageState(CoverageState before, int64_t coverage_bps) {
  const int64_t stressed_below =
      before == CoverageState::kStressed ? kCoverageRecoveryBps : kCoverageStressBps;
  if (coverage_bps < stressed_below) return CoverageState::kStressed;
  return coverage_bps < kCoverageWarnBps ? CoverageState::kWarning : CoverageState::kSound;
}

Tokens SurplusToRetire(Tokens vault, TokenPrice median, Credits debt) {
  CheckInputs(vault, median, debt);
  if (debt == Credits(0)) return Tokens(0);
  // The smallest vault with that coverage: rounded up, as what is kept.
  const int128 unit = int128{median.value()} * 60 * 10'000;
  const int128 kept =
      (int128{kCoverageSurplusBps} * kMicroTokPerTok * debt.value() + unit - 1) / unit;
  if (kept >= vault.value()) return Tokens(0);
  return Tokens(static_cast<int64_t>((vault.value() - kept) / 2));
}

}  // namespace warpbook::settlement
