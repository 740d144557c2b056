// Tokens into credits and credits into tokens (2-tokens, Money flow 1, 4 and 5). Pure integers;
// what is paid out is rounded down, what is burned is rounded up, each said where it happens.
#pragma once

#include <optional>

#include "schema/types/amounts.h"
#include "settlement/tokens/prices.h"

namespace warpbook::settlement {

inline constexpr int64_t kTopUpSpreadBps = 25;
inline constexpr int64_t kRetirePercent = 5;
inline constexpr int64_t kFeePercent = 2;

// What burning `burn` makes: floor(burn x low x 60 x (10,000 - 25) / (10^6 x 10^4)), for
// burn >= 0 and low > 0 (CHECKed). nullopt where 63 bits do not hold it.
std::optional<Credits> TopUpCredits(Tokens burn, TokenPrice low);

// What work of `notional` is worth: floor(notional x 10^6 / (60 x high)), for notional >= 0 and
// high > 0 (CHECKed). nullopt where that is more than all tokens there can be.
std::optional<Tokens> GrossTokens(Credits notional, TokenPrice high);

// The figures of one settlement.
//   escrow = consumed + burned + refunded + owed
//   verified = consumed + owed
//   out of the vault: provider + fee - emitted + retire
struct Settlement {
  Credits verified, consumed, burned, refunded, owed;
  Tokens gross, provider, fee, retire;
  Tokens emitted = {};  // of what provider and fee get: minted for it
  friend bool operator==(const Settlement&, const Settlement&) = default;
};

// What is in escrow and how much of it was earned: 0 <= verified <= notional, 0 <= surcharge,
// notional > 0 (CHECKed).
struct EarnedEscrow {
  Credits notional, surcharge, verified;
};

// What there is to pay from, each >= 0 (CHECKed). The vault pays, and emission what is missing;
// under stress (coverage.h) the other way round.
struct Funds {
  Tokens vault;
  Tokens emission = Tokens(0);  // what may still be minted today: of floor(E / 2) what is left
  bool emission_first = false;
};

// Settles at `high`. Where the funds do not hold what is due, the missing part waits as owed. Only
// work that the vault pays for is retired for. nullopt: the price is so low that the work is worth
// more than all tokens there can be; the lease waits for another price.
std::optional<Settlement> Settle(const EarnedEscrow& escrow, TokenPrice high, const Funds& funds);

// Nothing was earned: all is refunded, and no price is needed.
Settlement SettleUnearned(Credits notional, Credits surcharge);

}  // namespace warpbook::settlement
