// A decision of settlement: one numbered command for the engine. It is written to the outbox before
// it is sent, and posted when it is read back from the journal.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "schema/types/amounts.h"
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
};

struct Decision {
  uint64_t number = 0;  // gapless from 1
  DecisionKind kind = DecisionKind::kPostDeposit;
  Sequence request;                           // of all but kSettleLease
  Credits credits;                            // of a top-up: what it makes
  RejectReason reason = RejectReason::kNone;  // of a refusal
  LeaseId lease;                              // of kSettleLease, as are the following
  Settlement settlement;
  int64_t weight = 0;  // verified: GPU-minutes x 10,000
  Minutes delivered;
  friend bool operator==(const Decision&, const Decision&) = default;
};

// The word that the API and the database have for it: "post_deposit".
std::string_view Name(DecisionKind kind);
std::optional<DecisionKind> ParseDecisionKind(std::string_view word);

// The decision that a command of the journal is; nullopt where it is another command.
std::optional<Decision> DecisionOf(wire::RecordView command);

}  // namespace warpbook::settlement
