// The accounts of the ledger. An account is a number without text: the exchange account that it
// belongs to (0: the exchange itself) x 16 + what it holds. The asset follows from the latter.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "schema/base/check.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"

namespace warpbook::settlement {

enum class Asset : uint8_t { kTok = 1, kCredit = 2 };

// What an account holds. Stored in account numbers: never renumbered.
enum class Holding : uint8_t {
  // Of the exchange, TOK.
  kIssuance = 1,  // the source of all TOK: minus what exists outside the vault and inside it
  kVault = 2,     // burned for credits; pays for work
  kOutside = 3,   // not deposited
  kFee = 4,
  // Of the exchange, credits.
  kIssued = 5,  // the source of all credits
  kConsumed = 6,
  kBurned = 7,
  // Of a member.
  kTokens = 8,  // TOK
  kFree = 9,    // credits
  kLocked = 10,
  kEscrow = 11,
  kOwed = 12,
  // Of the exchange, credits: in passing between two members or leases, empty after each command.
  kClearing = 13,
};

struct HoldingInfo {
  Holding holding;
  std::string_view name;  // stored in the database
  Asset asset;
  bool of_member;
};
inline constexpr std::array<HoldingInfo, 13> kHoldings = {{
    {Holding::kIssuance, "issuance", Asset::kTok, false},
    {Holding::kVault, "vault", Asset::kTok, false},
    {Holding::kOutside, "outside", Asset::kTok, false},
    {Holding::kFee, "fee", Asset::kTok, false},
    {Holding::kIssued, "issued", Asset::kCredit, false},
    {Holding::kConsumed, "consumed", Asset::kCredit, false},
    {Holding::kBurned, "burned", Asset::kCredit, false},
    {Holding::kTokens, "tokens", Asset::kTok, true},
    {Holding::kFree, "free", Asset::kCredit, true},
    {Holding::kLocked, "locked", Asset::kCredit, true},
    {Holding::kEscrow, "escrow", Asset::kCredit, true},
    {Holding::kOwed, "owed", Asset::kCredit, true},
    {Holding::kClearing, "clearing", Asset::kCredit, false},
}};
inline constexpr size_t kHoldingSlots = 16;  // one more than the largest value, a power of two

constexpr const HoldingInfo& InfoOf(Holding holding) {
  const auto index = static_cast<size_t>(holding) - 1;
  WARPBOOK_CHECK(index < kHoldings.size());
  return kHoldings[index];
}
constexpr std::string_view Name(Asset asset) { return asset == Asset::kTok ? "TOK" : "CREDIT"; }

// The sources of each asset are the only accounts that may stand below zero.
constexpr bool MayBeNegative(Holding holding) {
  return holding == Holding::kIssuance || holding == Holding::kIssued;
}

class LedgerAccount {
 public:
  // Exchange accounts that the numbering has room for: their number x 16 fits 63 bits.
  static constexpr uint64_t kMemberMax = (uint64_t{1} << 59) - 1;

  constexpr LedgerAccount() = default;
  // One of the exchange's own.
  explicit constexpr LedgerAccount(Holding holding) : number_(static_cast<int64_t>(holding)) {
    WARPBOOK_CHECK(!InfoOf(holding).of_member);
  }
  // A member's: 1 <= member <= kMemberMax (CHECKed).
  constexpr LedgerAccount(AccountId member, Holding holding)
      : number_(static_cast<int64_t>(member.value() * kHoldingSlots) +
                static_cast<int64_t>(holding)) {
    WARPBOOK_CHECK(bool(member) && member.value() <= kMemberMax && InfoOf(holding).of_member);
  }
  // nullopt where no account has this number.
  static constexpr std::optional<LedgerAccount> FromNumber(int64_t number) {
    if (number <= 0) return std::nullopt;
    LedgerAccount account;
    account.number_ = number;
    const auto slot = static_cast<uint64_t>(number) % kHoldingSlots;
    if (slot == 0 || slot > kHoldings.size()) return std::nullopt;
    if (InfoOf(account.holding()).of_member != bool(account.member())) return std::nullopt;
    return account;
  }

  constexpr int64_t number() const { return number_; }
  constexpr AccountId member() const {
    return AccountId(static_cast<uint64_t>(number_) / kHoldingSlots);
  }
  constexpr Holding holding() const {
    return static_cast<Holding>(static_cast<uint64_t>(number_) % kHoldingSlots);
  }
  constexpr Asset asset() const { return InfoOf(holding()).asset; }
  friend constexpr auto operator<=>(LedgerAccount, LedgerAccount) = default;
  template <typename H>
  friend H AbslHashValue(H state, LedgerAccount account) {
    return H::combine(std::move(state), account.number_);
  }

 private:
  int64_t number_ = 0;
};

// Where the ledger keeps what the engine keeps in a bucket of the account.
constexpr LedgerAccount AccountOfBucket(CreditBucket bucket, AccountId member) {
  switch (bucket) {
    case CreditBucket::kIssued:
      return LedgerAccount(Holding::kIssued);
    case CreditBucket::kFree:
      return LedgerAccount(member, Holding::kFree);
    case CreditBucket::kLocked:
      return LedgerAccount(member, Holding::kLocked);
    case CreditBucket::kEscrow:
      return LedgerAccount(member, Holding::kEscrow);
    case CreditBucket::kOwed:
      return LedgerAccount(member, Holding::kOwed);
    case CreditBucket::kConsumed:
      return LedgerAccount(Holding::kConsumed);
    case CreditBucket::kBurned:
      return LedgerAccount(Holding::kBurned);
    case CreditBucket::kClearing:
      return LedgerAccount(Holding::kClearing);
  }
  WARPBOOK_CHECK(false);
}

}  // namespace warpbook::settlement
