// Economy: the token rules (settlement/tokens) at work on a ledger (settlement/ledger), without
// engine, journal or database: what an exchange does with prices, top-ups, finished leases and
// epochs. Whoever drives it is the market. Pure integers, no clock; one thread.
//
// What must hold is checked by Check() and throws simulation::Violation.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "schema/types/amounts.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"
#include "settlement/ledger/ledger.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/funding.h"
#include "settlement/tokens/prices.h"
#include "settlement/tokens/supply.h"
#include "settlement/tokens/work_bonus.h"
#include "tests/simulation/economics/second_books.h"

namespace warpbook::economics {

// What a lease was paid: at its settlement, or later for what was owed since.
struct Payment {
  LeaseId lease;
  AccountId buyer, provider;
  settlement::PriceQuote quote;  // all zero where nothing was verified: no price is needed
  settlement::Settlement settled;
  bool deferred = false;
};

// What an epoch's close paid and retired.
struct EpochClose {
  int64_t day = 0;  // that ended, from 1
  Tokens budget;    // of the bonus
  Tokens bonus;     // paid to all
  Tokens retired;   // of the vault's surplus
  Tokens emitted;   // on that day: for settlements and the bonus
  struct OwnerBonus {
    OwnerId owner;
    Tokens gross, bonus;
  };
  std::vector<OwnerBonus> owners;  // that were paid for work on that day
};

class Economy {
 public:
  // All TOK of the beginning are outside.
  Economy();

  // Whose gross and bonus an account's work counts as; the bonus goes to the first account that the
  // owner worked by on that day.
  void Open(AccountId account, OwnerId owner);

  // A price.set. Time may not fall.
  void SetPrices(const std::array<settlement::PriceFeed, settlement::kPriceFeeds>& feeds,
                 Timestamp now);
  std::optional<settlement::PriceQuote> quote() const;

  // Tokens that come in (as many as there are outside) and go out (as many as the account has);
  // what was moved.
  Tokens Deposit(AccountId account, Tokens amount);
  Tokens Withdraw(AccountId account, Tokens amount);
  // Burns the account's tokens for credits. nullopt, and nothing has changed: there is no price to
  // burn at, the account has less, or the credits would be none or too many.
  std::optional<Credits> TopUp(AccountId account, Tokens burn);
  // A fill: the buyer's free credits go to escrow. None where it has less.
  LeaseId Fill(AccountId buyer, AccountId provider, Credits notional, Credits surcharge);
  // The lease's window has ended: `verified` of its notional was earned. It is settled next.
  void Deliver(LeaseId lease, Credits verified);

  // Pays what is owed, oldest first, then what was delivered, in order. What needs a price waits
  // while there is none.
  void SettleDelivered();
  EpochClose CloseEpoch();

  // Every invariant of the ledger, and what the rules promise beyond it.
  void Check();

  Tokens tokens(AccountId account) const;
  Credits free(AccountId account) const;
  Credits credits(AccountId account) const;  // free, in escrow and owed
  Tokens vault() const;
  Tokens supply() const;  // circulating
  Credits debt() const;   // free, locked, in escrow or owed
  Credits owed() const;
  settlement::CoverageState coverage_state() const { return coverage_; }
  // At the median; nullopt without a price.
  std::optional<int64_t> coverage_bps() const;
  const settlement::SupplyCounters& counters() const { return ledger_.counters(); }
  size_t waiting() const { return delivered_.size(); }  // delivered, not settled
  // What was paid since the last call.
  std::vector<Payment> TakePayments();

 private:
  struct Lease {
    AccountId buyer, provider;
    settlement::EarnedEscrow escrow;
    Credits consumed;  // so far
  };

  void Post(settlement::LedgerAccount from, settlement::LedgerAccount to, int64_t amount,
            LeaseId lease = LeaseId());
  settlement::Funds FundsNow() const;
  void PayQueue(const settlement::PriceQuote& quote);
  bool SettleOne(LeaseId id, const std::optional<settlement::PriceQuote>& quote);
  void PostTokens(LeaseId id, const Lease& lease, const settlement::Settlement& settled);
  void Finish(LeaseId id, const settlement::PriceQuote& quote,
              const settlement::Settlement& settled, bool deferred);
  void UpdateCoverage();
  Tokens PayBonus(EpochClose& close);

  settlement::Ledger ledger_;
  SecondBooks books_;
  settlement::PriceState prices_;
  Timestamp now_;
  EventSequence event_;
  uint64_t next_lease_ = 1;
  std::map<AccountId, OwnerId> owners_;
  std::map<LeaseId, Lease> leases_;                 // until they are settled and nothing is owed
  std::vector<LeaseId> delivered_;                  // to be settled
  std::vector<settlement::DeferredPayment> queue_;  // oldest first
  Tokens pool_left_ = settlement::kEmissionPool;    // at the day's beginning
  settlement::EmissionDay day_;
  int64_t days_closed_ = 0;
  settlement::CoverageState coverage_ = settlement::CoverageState::kSound;
  struct Work {
    AccountId account;
    Tokens gross;
  };
  std::map<OwnerId, Work> work_;  // of the day
  Credits verified_;              // of all leases ever settled
  std::vector<Payment> payments_;
};

}  // namespace warpbook::economics
