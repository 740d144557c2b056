// What must be true of the ledger (2-tokens, The ledger): one class per invariant, each a pure
// function of figures. The worker checks them on every batch, with figures from memory; `audit`
// checks them with figures that the database adds up anew from the transfers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/types/ids.h"
#include "settlement/ledger/ledger.h"

namespace warpbook::settlement {

// Of things looked at one by one: how many, how many of them wrong, and one of the wrong ones.
struct Tally {
  int64_t checked = 0;
  int64_t wrong = 0;
  std::string example;
};

// The engine's own totals of credits and the ledger's, at the same event.
struct CheckpointFigures {
  EventSequence event;
  uint64_t engine_decision = 0, ledger_decision = 0;  // the highest decision number
  // Credits by holding; of the sources and sinks their amounts (all positive).
  HoldingTotals engine{}, ledger{};
};

struct LedgerFigures {
  HoldingTotals totals{};           // of all balances
  SupplyCounters counters;          // as published
  SupplyCounters counters_derived;  // as the transfers give them
  int64_t transfers_uncounted = 0;  // transfers of TOK that no counter counts
  Tokens emitted_by_days;           // to pay for work and as bonus, on all days so far
  Credits owed_to_leases;           // what settled leases are still to be paid for
  std::optional<CheckpointFigures> checkpoint;
  Tally accounts;  // wrong: below zero without being a source
  Tally leases;    // wrong: its escrow is not used exactly once (see LeaseEscrowUsedOnce)
  Tally balances;  // wrong: a stored balance that is not the sum of its transfers
};

class Invariant {
 public:
  virtual ~Invariant() = default;
  // A short name in words, stable: demo and tests look for it.
  virtual std::string_view name() const = 0;
  // Whether the figures have what tells. Where not, nothing contradicts it, and Holds is true.
  virtual bool IsChecked(const LedgerFigures&) const { return true; }
  virtual bool Holds(const LedgerFigures& figures) const = 0;
  // The numbers that it looked at.
  virtual std::string Describe(const LedgerFigures& figures) const = 0;
};

// All of them, in the order in which they are reported.
const std::vector<std::unique_ptr<const Invariant>>& AllInvariants();

// The first that does not hold, as one sentence; nullopt where all hold.
std::optional<std::string> FindViolation(const LedgerFigures& figures);

// Whether the ledger holds nothing but the tokens of its beginning: nobody has deposited, burned or
// bought anything, and so there is nothing that could be wrong unseen.
bool IsEmpty(const LedgerFigures& figures);

// Of one lease, since its trade: what it says of its escrow, and what was moved under its name. All
// in credits.
struct LeaseEscrowFigures {
  struct Use {
    int64_t consumed = 0, burned = 0, refunded = 0, owed = 0;
    int64_t cleared = 0;  // to traders with gains, or to leases that were made from it
    friend bool operator==(const Use&, const Use&) = default;
  };
  int64_t paid_in = 0;           // as the trade says
  int64_t left = 0;              // that it still holds, as it says
  Use used;                      // by resales and by its settlement, as they say
  int64_t moved_in = 0;          // into escrow, by transfers
  Use moved;                     // out of it, by transfers
  int64_t gains = 0;             // as settled, to traders
  int64_t moved_gains = 0;       // to accounts' free credits out of clearing, by transfers
  bool moved_by_parties = true;  // nobody else's credits were moved
};
// Whether paid in = used + left exactly once: into escrow went what the trade says, out of it each
// part as resales and the settlement say and nothing else; all of it the credits of those who
// bought it or resold it.
bool EscrowUsedOnce(const LeaseEscrowFigures& figures);

}  // namespace warpbook::settlement
