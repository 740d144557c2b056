#include "settlement/tokens/money_flow.h"

#include <algorithm>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

// a x b / c of non-negative values, rounded down or up. The callers keep the quotient at or below a
// or b, so it fits.
int64_t Down(int64_t a, int64_t b, int64_t c) {
  const auto quotient = MulDivDown(a, b, c);
  WARPBOOK_CHECK(quotient.has_value());
  return *quotient;
}
int64_t Up(int64_t a, int64_t b, int64_t c) {
  const auto quotient = MulDivUp(a, b, c);
  WARPBOOK_CHECK(quotient.has_value());
  return *quotient;
}

}  // namespace

std::optional<Credits> TopUpCredits(Tokens burn, TokenPrice low) {
  WARPBOOK_CHECK(burn >= Tokens(0) && low > TokenPrice(0) && low <= kMaxTokenPrice);
  // 2^63 x 10^12 x 598,500 stays below 2^123. Rounded down: paid out.
  const int128 product = int128{burn.value()} * low.value() * 60 * (10'000 - kTopUpSpreadBps);
  const auto credits = Narrow(product / (int128{kMicroTokPerTok} * 10'000));
  if (!credits) return std::nullopt;
  return Credits(*credits);
}

std::optional<Tokens> GrossTokens(Credits notional, TokenPrice high) {
  WARPBOOK_CHECK(notional >= Credits(0) && high > TokenPrice(0));
  // Rounded down: paid out.
  const int128 gross = int128{notional.value()} * kMicroTokPerTok / (int128{60} * high.value());
  if (gross > kMaxTokens.value()) return std::nullopt;
  return Tokens(static_cast<int64_t>(gross));
}

std::optional<Settlement> Settle(const EarnedEscrow& escrow, TokenPrice high, const Funds& funds) {
  const auto [notional, surcharge, verified] = escrow;
  WARPBOOK_CHECK(notional > Credits(0) && surcharge >= Credits(0));
  WARPBOOK_CHECK(funds.vault >= Tokens(0) && funds.emission >= Tokens(0));
  WARPBOOK_CHECK(verified >= Credits(0) && verified <= notional);
  const auto gross = GrossTokens(verified, high);
  if (!gross) return std::nullopt;

  Settlement result;
  result.verified = verified;
  result.gross = *gross;
  // Rounded up: burned. At most the surcharge, because verified <= notional.
  result.burned = Credits(Up(surcharge.value(), verified.value(), notional.value()));
  result.refunded = notional + surcharge - verified - result.burned;

  const int64_t retire_due = Up(gross->value(), kRetirePercent, 100);  // rounded up: retired
  const int64_t fee_due = Down(gross->value(), kFeePercent, 100);      // rounded down: paid
  const int64_t due = gross->value() - retire_due;
  if (due == 0) {
    // Too little to pay anyone. Nothing is missing, so all of it counts as consumed.
    result.consumed = verified;
    result.retire = std::min(funds.vault, Tokens(retire_due));
    return result;
  }
  const int64_t first =
      std::min(due, (funds.emission_first ? funds.emission : funds.vault).value());
  const int64_t second =
      std::min(due - first, (funds.emission_first ? funds.vault : funds.emission).value());
  const int64_t paid = first + second;
  const int64_t from_vault = funds.emission_first ? second : first;
  result.emitted = Tokens(paid - from_vault);
  result.fee = Tokens(Down(fee_due, paid, due));  // rounded down: the provider has the rest
  result.provider = Tokens(paid) - result.fee;
  // Rounded up: retired.
  result.retire =
      std::min(funds.vault - Tokens(from_vault), Tokens(Up(retire_due, from_vault, due)));
  // ceil(N x missing / due) = N - floor(N x paid / due), whose product is the smaller one.
  result.consumed = Credits(Down(verified.value(), paid, due));
  result.owed = verified - result.consumed;
  return result;
}

Settlement SettleUnearned(Credits notional, Credits surcharge) {
  Settlement result;
  result.refunded = notional + surcharge;
  return result;
}

}  // namespace warpbook::settlement
