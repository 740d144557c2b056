// A decision of settlement: one numbered command for the engine. It is written to the outbox before
// it is sent, and posted when it is read back from the journal.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/reject_reason.h"
#include "schema/wire/record.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {

enum class DecisionKind : uint8_t {
  kPostDeposit = 0,
  kPostTopUp = 1,
  kRefuseRequest = 2,
  kSettleLease = 3,
  kPostWithdrawal = 4,
  kPayDeferred = 5,
  kCloseEpoch = 6,
  kPayBonus = 7,
  kMarkOwner = 8,
};

// Whether the decision is on a request of a member's or an operator's.
constexpr bool IsOnRequest(DecisionKind kind) {
  return kind == DecisionKind::kPostDeposit || kind == DecisionKind::kPostWithdrawal ||
         kind == DecisionKind::kPostTopUp || kind == DecisionKind::kRefuseRequest;
}

// The close of a day of emission; of kPayBonus, one account's part of it (day, gross and bonus).
struct EpochTotals {
  int32_t day = 0;  // since 1970-01-01 UTC
  Tokens budget;    // what could be emitted on it
  Tokens emitted;   // of it, to pay for work
  Tokens bonus;     // of it, as work bonus
  Tokens gross;     // of the work that was paid
  Tokens retire;    // of the vault's surplus
  friend bool operator==(const EpochTotals&, const EpochTotals&) = default;
};

struct Decision {
  uint64_t number = 0;  // gapless from 1
  DecisionKind kind = DecisionKind::kPostDeposit;
  Sequence request;                           // that it is on
  Credits credits;                            // of a top-up: what it makes
  RejectReason reason = RejectReason::kNone;  // of a refusal
  LeaseId lease;                              // of kSettleLease and kPayDeferred
  // Likewise. What is refunded is not in it: the engine refunds what is left. Of kPayDeferred only
  // what is consumed and paid.
  Settlement settlement;
  int64_t weight = 0;  // of kSettleLease, verified: GPU-minutes x 10,000
  Minutes delivered;
  DisputeVerdict verdict = DisputeVerdict::kNone;
  EpochTotals epoch;  // of kCloseEpoch and kPayBonus
  AccountId account;  // of kPayBonus
  OwnerId owner;      // of kMarkOwner
  bool large = false;
  friend bool operator==(const Decision&, const Decision&) = default;
};

// The word that the API and the database have for it: "post_deposit".
std::string_view Name(DecisionKind kind);
std::optional<DecisionKind> ParseDecisionKind(std::string_view word);

// The decision that a command of the journal is; nullopt where it is another command.
std::optional<Decision> DecisionOf(wire::RecordView command);

}  // namespace warpbook::settlement
