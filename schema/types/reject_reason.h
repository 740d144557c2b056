// RejectReason: every way in which a request can be refused, numbered by block. Numbers and codes
// are part of the public API and of the journal: never renumbered, never used again.
//   1000 the message itself         1100 session and keys      1200 admission and load
//   2000 orders                     2100 money and backing     2200 capacity and leases
//   2300 accounts and operators     3000 settlement's decisions
// Precedence: where several would apply, the one that comes first in the block's table is given;
// the blocks apply in the order of the path (message, session, admission, engine). The engine's
// order of checks for an order is that of kReasons from kDeadlinePassed to kEngineFull, but
// kNotPermitted and kOwnerNotVerified right after kUnknownAccount and kUnknownLease right before
// kLeaseNotResalable
// (engine/core/order_checks.h declares it).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace warpbook {

enum class RejectReason : uint16_t {
  kNone = 0,

  // The message itself.
  kFrameTooLarge = 1001,
  kInvalidUtf8 = 1002,
  kBinaryNotSupported = 1003,
  kNestingTooDeep = 1004,
  kMalformedJson = 1005,
  kNotAnObject = 1006,
  kDuplicateKey = 1007,
  kMethodMissing = 1008,
  kUnknownMethod = 1009,
  kUnknownField = 1010,
  kMissingField = 1011,
  kWrongType = 1012,
  kMalformedNumber = 1013,
  kMalformedDecimal = 1014,
  kOutOfRange = 1015,
  kMalformedText = 1016,
  kUnknownValue = 1017,
  kConflictingFields = 1018,
  kMalformedBinary = 1019,
  kTextNotSupported = 1020,

  // Session and keys.
  kNotLoggedOn = 1101,
  kAlreadyLoggedOn = 1102,
  kNoChallenge = 1103,
  kChallengeExpired = 1104,
  kTimestampOutOfRange = 1105,
  kUnknownKey = 1106,
  kBadSignature = 1107,
  kScopeMissing = 1108,
  kOperatorListenerOnly = 1109,
  kUnknownChannel = 1110,
  kAlreadySubscribed = 1111,
  kNotSubscribed = 1112,
  kTooManySubscriptions = 1113,
  kSnapshotTooLarge = 1114,
  kResumeAhead = 1120,
  kResumeUnderWay = 1121,

  // Admission and load.
  kShuttingDown = 1201,
  kRateLimited = 1202,
  kEngineBusy = 1203,
  kTooManyInFlight = 1204,
  kSettlementDelayed = 1205,
  kSlowConsumer = 1206,
  kMalformedCommand = 1207,
  kStorageLow = 1208,
  kSettlementUnavailable = 1209,
  kIdleConnection = 1210,
  kHistoryBusy = 1220,
  kHistoryUnavailable = 1221,

  // Orders, in the order of the engine's checks.
  kDeadlinePassed = 2001,
  kUnknownAccount = 2002,
  kUnknownInstrument = 2003,
  kClientOrderIdReused = 2004,
  kUnknownOrder = 2005,
  kInstrumentHalted = 2006,
  kInstrumentGateClosed = 2007,
  kInstrumentClosed = 2008,
  kLessThanOneMinute = 2009,
  kInvalidQuantity = 2010,
  kInvalidMinFill = 2011,
  kPriceNotPositive = 2012,
  kPriceOffTick = 2013,
  kPriceOutsideBand = 2014,
  kMarketNeedsIocOrFok = 2015,
  kPostOnlyNeedsResting = 2016,
  kExpiryInPast = 2017,
  kFieldNotForSide = 2018,
  kAskNeedsNodeOrLease = 2019,
  // 2020 was resale_not_available.
  kTooManyOrders = 2021,
  kTooManyOrdersInBook = 2022,
  kPostOnlyWouldTrade = 2023,
  kFokNotFillable = 2024,
  kFokMeetsOwnOrder = 2025,
  kLeaseNotResalable = 2026,
  kResaleChainTooLong = 2027,
  kInsufficientLeaseGpus = 2028,

  // Money and backing.
  kUnknownNode = 2101,
  kNodeNotApproved = 2102,
  kNodeWrongInstrument = 2103,
  kInsufficientCapacity = 2104,
  kBondedLimitExceeded = 2105,
  kInsufficientCredits = 2106,
  kAmountOverflow = 2107,
  kEngineFull = 2108,

  // Capacity and leases.
  kUnknownLease = 2201,
  kLeaseWrongState = 2202,
  kLeaseNotStartable = 2203,
  kLeaseStartTooLate = 2204,
  kMinuteOutsideLease = 2205,
  kMinuteInFuture = 2206,
  kHeartbeatTooLate = 2207,
  kLeaseNotDelivered = 2208,
  kDisputeTimeOver = 2209,
  kJudgingTimeOver = 2210,
  kUnknownProbe = 2211,
  kNoProbe = 2212,
  kProbeAnswerUnexpected = 2213,
  kProbeUnderWay = 2214,

  // Accounts and operators.
  kKeyInUse = 2301,
  kTooManyKeys = 2302,
  kInvalidScopes = 2303,
  kNotPermitted = 2304,
  kTooManyAccounts = 2305,
  kTooManyNodes = 2306,
  kInvalidAmount = 2307,
  kInvalidPriceFeed = 2308,
  kInvalidInstrument = 2309,
  kInstrumentExists = 2310,
  kInvalidInstrumentState = 2311,
  kSettlementBacklog = 2312,
  kInvalidReference = 2313,
  kTooManyRequests = 2314,
  kLastKey = 2315,
  kUnknownOwner = 2316,
  kOwnerNotVerified = 2317,

  // Settlement's decisions, and the engine's answers to them.
  kNumberRepeated = 3001,
  kNumberGap = 3002,
  kUnknownRequest = 3003,
  kDecisionMismatch = 3004,
  kPricesUnavailable = 3101,
  kInsufficientTokens = 3102,
  kReferenceReused = 3103,
  kTopUpTooSmall = 3104,
};

struct RejectReasonInfo {
  RejectReason reason;
  std::string_view code;     // lower_snake_case, stable
  std::string_view message;  // one sentence for people, ending in a period
};

// All reasons but kNone, ascending by number.
std::span<const RejectReasonInfo> AllRejectReasons();

// The reason's row; nullopt for kNone or a number that is none of ours.
std::optional<RejectReasonInfo> FindRejectReason(RejectReason reason);

// The reason's code, "none" for kNone, "unknown" for a number that is none of ours.
std::string_view RejectReasonCode(RejectReason reason);

}  // namespace warpbook
