// Which transfers an event of the journal is in the ledger (2-tokens, the table of Supply, and the
// buckets of credits). An event that moves nothing gives none.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "schema/types/amounts.h"
#include "schema/wire/events_generated.h"
#include "settlement/ledger/transfer.h"
#include "settlement/tokens/money_flow.h"

namespace warpbook::settlement {

// All TOK that there is at the beginning: issuance -> outside, as event 0.
Transfer GenesisPosting();

// Append to `transfers`. InvalidArgument, with the event's sequence, where the event names no
// account or an amount that is not positive: such an event was never made by an engine.
absl::Status AppendPostings(const wire::CreditsMoved& event, std::vector<Transfer>& transfers);
absl::Status AppendPostings(const wire::RequestDecided& event, std::vector<Transfer>& transfers);
absl::Status AppendPostings(const wire::LeaseSettled& event, std::vector<Transfer>& transfers);
absl::Status AppendPostings(const wire::DeferredPaid& event, std::vector<Transfer>& transfers);
absl::Status AppendPostings(const wire::EpochClosed& event, std::vector<Transfer>& transfers);
absl::Status AppendPostings(const wire::BonusPaid& event, std::vector<Transfer>& transfers);

// The TOK that a decision moves once it is posted, by itself (event and leg 0): what is still on
// its way to the engine is already spoken for.
struct TokenMove {
  LedgerAccount debit, credit;
  Tokens amount;
};
TokenMove DepositMove(AccountId account, Tokens amount);
TokenMove WithdrawalMove(AccountId account, Tokens amount);
TokenMove TopUpMove(AccountId account, Tokens burn);
TokenMove RetireMove(Tokens amount);
TokenMove BonusMove(AccountId account, Tokens amount);
// To provider and fee, out of the vault and (`emitted` of it, which is at most both) out of
// issuance, and what is retired; parts that are zero are left out.
std::vector<TokenMove> SettlementMoves(AccountId provider, const Settlement& figures);

}  // namespace warpbook::settlement
