// An account's statement, for a person: what it had, one line for each thing that happened, what it
// has; opening + all lines = closing, holding by holding, to the last unit. Pure functions of what
// was read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "settlement/store/lease_query.h"
#include "settlement/store/statement_query.h"

namespace warpbook::settlement {

// Lines of one statement.
inline constexpr size_t kStatementLinesMax = 10'000;

enum class MovementKind : uint8_t {
  kDeposit,     // tokens that came in
  kWithdrawal,  // tokens that went out
  kTopUp,       // tokens burned, and the credits made for them
  kOrders,      // what orders locked and released, as one line until something else happens
  kTrade,       // into a lease's escrow, with what the order's lock has no more use for
  kResale,      // of a lease's GPUs: its escrow, released, burned or left to the new lease
  kSettlement,  // a lease's escrow, used
  kGain,        // of who resold a lease, or won its dispute, at its settlement
  kDispute,     // the deposit of one, into a lease's escrow
  kDeferred,    // what was owed of a lease, consumed when it was paid
  kPayment,     // tokens for work
  kBonus,       // tokens that were minted, for no lease
  kOther,
};
std::string_view Name(MovementKind kind);

// What went from one holding to another, the account's or the exchange's; of several transfers
// between the same ones, their sum.
struct MovementPart {
  Holding from, to;
  int64_t amount = 0;
  friend bool operator==(const MovementPart&, const MovementPart&) = default;
};

// One line: transfers that follow each other, of one kind and lease, posted in one second (but
// orders, which are gathered over any time).
struct Movement {
  MovementKind kind = MovementKind::kOther;
  int64_t second = 0;  // of the first transfer
  EventSequence first_event, last_event;
  LeaseId lease;
  std::string reference;
  int64_t transfers = 0;
  std::vector<MovementPart> parts;
  HoldingTotals change{};  // of the account's holdings
};

// ResourceExhausted: there would be too many lines. DataLoss: opening and lines do not make the
// closing balances.
absl::StatusOr<std::vector<Movement>> MovementsOf(const StatementFigures& figures,
                                                  AccountId account);

// Everything as one JSON object: opening, movements with the balances behind each, what came into
// and went out of each holding, closing.
std::string StatementJson(const StatementFigures& figures, AccountId account,
                          const std::vector<Movement>& movements);

// What a lease's transfers say of its escrow.
struct LeaseProof {
  Credits paid_in;
  Credits consumed, burned, refunded, owed, gains;
  Credits to_resales;  // to the escrow of leases that were made from it
  Credits left;
  Tokens to_provider, fee, retired;
  // paid_in = consumed + burned + gains + refunded + owed + to_resales + left, and each of them is
  // what the lease's record says.
  bool adds_up = false;
};
LeaseProof ProveLease(const LeaseFigures& lease);

// Everything of a lease as one JSON object, proof and transfers included.
std::string LeaseJson(const LeaseFigures& lease);

}  // namespace warpbook::settlement
