// The market's small vocabularies. Their values are stored in the journal: they are never
// renumbered. Names(): the words that people and the JSON API use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace warpbook {

enum class Side : uint8_t { kBuy = 0, kSell = 1 };
enum class OrderType : uint8_t { kLimit = 0, kMarket = 1 };
enum class TimeInForce : uint8_t { kGtc = 0, kGtd = 1, kIoc = 2, kFok = 3 };
// A buyer's priority inside a price level; the value is the order of its queue.
enum class Tier : uint8_t { kPremium = 0, kStandard = 1, kEconomy = 2 };
// What is known of a provider's node; the value is the order of its queue. As a bid's minimum,
// kListed accepts all.
enum class Assurance : uint8_t { kAttested = 0, kVerified = 1, kListed = 2 };
enum class SelfTradePrevention : uint8_t {
  kCancelNewest = 0,
  kCancelOldest = 1,
  kCancelBoth = 2,
  kDecrement = 3,
};
enum class InstrumentState : uint8_t { kOpen = 0, kHalted = 1, kGateClosed = 2, kClosed = 3 };
enum class CancelReason : uint8_t {
  kRequested = 0,
  kIocRemainder = 1,
  kExpired = 2,  // its own time (gtd), or the end of its lease's resale
  kGateClosed = 3,
  kSelfTrade = 4,
  kBelowMinFill = 5,
  kAmendedToFilled = 6,  // an amend to at most what is filled
  kCapacityReduced = 7,
  kLimitReduced = 8,   // the account's bonded limit fell
  kDowngraded = 9,     // the node's assurance fell
  kDisconnected = 10,  // its session ended, and had asked for this
  kTimer = 11,         // its session's dead-man timer ran out
};
// When the orders that a guard stands over are cancelled.
enum class OrderGuardMode : uint8_t {
  kOff = 0,
  kSession = 1,  // the session ends: those that it has placed
  kAccount = 2,  // the session ends: all of its account
  kTimer = 3,    // a time has come: all of the account
};
// The life of a lease as the engine keeps it; settlement refines it (settlement/leases).
enum class LeaseState : uint8_t {
  kReserved = 0,
  kActive = 1,
  kDelivered = 2,  // the window ended and the provider had started
  kFailed = 3,     // the window ended and the provider had not started
  kSettled = 4,
  kResold = 5,    // all of it, before its window: other leases took its place
  kDisputed = 6,  // delivered, says the provider; the buyer says not
};
// What a dispute was found to be.
enum class DisputeVerdict : uint8_t { kNone = 0, kFounded = 1, kUnfounded = 2 };
enum class AccountKind : uint8_t { kMember = 0, kOperator = 1, kSettlement = 2 };
// Where a credit is. kIssued is the source (its balance is minus all that was issued).
enum class CreditBucket : uint8_t {
  kIssued = 0,
  kFree = 1,
  kLocked = 2,
  kEscrow = 3,
  kOwed = 4,
  kConsumed = 5,
  kBurned = 6,
  // In passing from one account or lease to another: empty again when the command ends.
  kClearing = 7,
};
// What a request to settlement asks for.
enum class RequestKind : uint8_t { kDeposit = 0, kTopUp = 1, kWithdrawal = 2 };

// What a key may do: bits.
enum class Scope : uint32_t { kRead = 1, kTrade = 2, kProvide = 4, kOperate = 8, kSettle = 16 };
inline constexpr uint32_t kMemberScopes = 1 | 2 | 4;

inline constexpr size_t kTierCount = 3;

// Names<E>: the words of an enum, in the order of its values.
template <typename E>
struct EnumNames;
template <>
struct EnumNames<Side> {
  static constexpr std::array<std::string_view, 2> kNames = {"buy", "sell"};
};
template <>
struct EnumNames<OrderType> {
  static constexpr std::array<std::string_view, 2> kNames = {"limit", "market"};
};
template <>
struct EnumNames<TimeInForce> {
  static constexpr std::array<std::string_view, 4> kNames = {"gtc", "gtd", "ioc", "fok"};
};
template <>
struct EnumNames<Tier> {
  static constexpr std::array<std::string_view, 3> kNames = {"premium", "standard", "economy"};
};
template <>
struct EnumNames<Assurance> {
  static constexpr std::array<std::string_view, 3> kNames = {"attested", "verified", "listed"};
};
template <>
struct EnumNames<SelfTradePrevention> {
  static constexpr std::array<std::string_view, 4> kNames = {"cancel_newest", "cancel_oldest",
                                                             "cancel_both", "decrement"};
};
template <>
struct EnumNames<InstrumentState> {
  static constexpr std::array<std::string_view, 4> kNames = {"open", "halted", "gate_closed",
                                                             "closed"};
};
template <>
struct EnumNames<CancelReason> {
  static constexpr std::array<std::string_view, 12> kNames = {
      "requested",     "ioc_remainder", "expired",        "gate_closed",
      "self_trade",    "min_fill",      "amended_filled", "capacity_reduced",
      "limit_reduced", "downgraded",    "disconnected",   "timer"};
};
template <>
struct EnumNames<OrderGuardMode> {
  static constexpr std::array<std::string_view, 4> kNames = {"off", "session", "account", "timer"};
};
template <>
struct EnumNames<LeaseState> {
  static constexpr std::array<std::string_view, 7> kNames = {
      "reserved", "active", "delivered", "failed", "settled", "resold", "disputed"};
};
template <>
struct EnumNames<DisputeVerdict> {
  static constexpr std::array<std::string_view, 3> kNames = {"none", "founded", "unfounded"};
};
template <>
struct EnumNames<AccountKind> {
  static constexpr std::array<std::string_view, 3> kNames = {"member", "operator", "settlement"};
};
template <>
struct EnumNames<CreditBucket> {
  static constexpr std::array<std::string_view, 8> kNames = {
      "issued", "free", "locked", "escrow", "owed", "consumed", "burned", "clearing"};
};
template <>
struct EnumNames<RequestKind> {
  static constexpr std::array<std::string_view, 3> kNames = {"deposit", "top_up", "withdrawal"};
};

template <typename E>
constexpr bool IsValid(E value) {
  return static_cast<size_t>(value) < EnumNames<E>::kNames.size();
}

// The word for a value; "invalid" for one outside the vocabulary.
template <typename E>
constexpr std::string_view Name(E value) {
  return IsValid(value) ? EnumNames<E>::kNames[static_cast<size_t>(value)] : "invalid";
}

// The value of a word, or nullopt.
template <typename E>
constexpr std::optional<E> ParseName(std::string_view word) {
  for (size_t i = 0; i < EnumNames<E>::kNames.size(); ++i) {
    if (EnumNames<E>::kNames[i] == word) return static_cast<E>(i);
  }
  return std::nullopt;
}

}  // namespace warpbook
