#include "settlement/ledger/invariants.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "settlement/ledger/postings.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

int64_t& At(LedgerFigures& figures, Holding holding) {
  return figures.totals[static_cast<size_t>(holding)];
}

// The figures of a sound ledger with something everywhere.
LedgerFigures Sound() {
  const AccountId member(17);
  const LedgerAccount vault(Holding::kVault);
  const LedgerAccount tokens(member, Holding::kTokens);
  const LedgerAccount free(member, Holding::kFree);
  const LedgerAccount locked(member, Holding::kLocked);
  const LedgerAccount escrow(member, Holding::kEscrow);
  Ledger ledger;
  CHECK(ledger.Post(GenesisPosting()).ok());
  uint64_t event = 0;
  const auto post = [&](LedgerAccount debit, LedgerAccount credit, int64_t amount) {
    CHECK(ledger.Post({EventSequence(++event), 0, debit, credit, amount, LeaseId()}).ok());
  };
  post(LedgerAccount(Holding::kOutside), tokens, 1'000);
  post(tokens, vault, 600);
  post(LedgerAccount(Holding::kIssued), free, 70'000);
  post(free, locked, 40'000);
  post(locked, escrow, 30'000);
  post(escrow, LedgerAccount(Holding::kConsumed), 9'000);
  post(escrow, LedgerAccount(Holding::kBurned), 300);
  post(escrow, LedgerAccount(member, Holding::kOwed), 700);
  post(vault, tokens, 93);
  post(vault, LedgerAccount(Holding::kFee), 2);
  post(vault, LedgerAccount(Holding::kIssuance), 5);
  post(LedgerAccount(Holding::kIssuance), tokens, 11);

  LedgerFigures figures;
  figures.totals = ledger.totals();
  figures.counters = figures.counters_derived = ledger.counters();
  figures.emitted_by_days = Tokens(11);
  figures.owed_to_leases = Credits(700);
  CheckpointFigures checkpoint;
  checkpoint.event = EventSequence(event);
  checkpoint.engine_decision = checkpoint.ledger_decision = 4;
  checkpoint.engine[static_cast<size_t>(Holding::kFree)] = 30'000;
  checkpoint.ledger = checkpoint.engine;
  figures.checkpoint = checkpoint;
  figures.accounts.checked = figures.leases.checked = figures.balances.checked = 8;
  return figures;
}

const Invariant& Named(const std::string& name) {
  const auto& all = AllInvariants();
  const auto found = std::ranges::find_if(all, [&](const auto& it) { return it->name() == name; });
  REQUIRE(found != all.end());
  return **found;
}

TEST_CASE("A sound ledger keeps every invariant") {
  const LedgerFigures figures = Sound();
  for (const auto& invariant : AllInvariants()) {
    CAPTURE(std::string(invariant->name()));
    CHECK(invariant->Holds(figures));
    CHECK_FALSE(invariant->Describe(figures).empty());
  }
  CHECK_FALSE(FindViolation(figures));
}

TEST_CASE("Each invariant fails when what it watches over is broken, and says so") {
  struct Row {
    const char* invariant;
    const char* what;
    std::function<void(LedgerFigures&)> breaks;
  };
  const Row rows[] = {
      {"supply identity and cap", "tokens from nowhere",
       [](LedgerFigures& f) { At(f, Holding::kTokens) += 1; }},
      {"supply identity and cap", "tokens lost from the vault",
       [](LedgerFigures& f) { At(f, Holding::kVault) -= 1; }},
      {"supply identity and cap", "more than the cap",
       [](LedgerFigures& f) {
         const int64_t above = kSupplyCap.value();
         At(f, Holding::kTokens) += above;
         At(f, Holding::kIssuance) -= above;
       }},
      {"supply counters agree with the accounts", "retired was not counted",
       [](LedgerFigures& f) { f.counters.retired -= Tokens(1); }},
      {"supply counters agree with the accounts", "burned twice",
       [](LedgerFigures& f) { f.counters.burned += Tokens(600); }},
      {"supply counters agree with the accounts", "the transfers say otherwise",
       [](LedgerFigures& f) { f.counters_derived.reminted_fee += Tokens(1); }},
      {"supply counters agree with the accounts", "a transfer that nothing counts",
       [](LedgerFigures& f) { f.transfers_uncounted = 1; }},
      {"supply counters agree with the accounts", "emitted beyond the pool",
       [](LedgerFigures& f) {
         const Tokens beyond = kEmissionPool;
         f.counters.emitted += beyond;
         f.counters_derived.emitted += beyond;
         At(f, Holding::kIssuance) -= beyond.value();
       }},
      {"supply counters agree with the accounts", "another genesis",
       [](LedgerFigures& f) {
         f.counters.genesis += Tokens(1);
         f.counters_derived.genesis += Tokens(1);
         At(f, Holding::kIssuance) -= 1;
         At(f, Holding::kOutside) += 1;
       }},
      {"emission is that of the days", "a bonus that no day knows",
       [](LedgerFigures& f) { f.emitted_by_days -= Tokens(1); }},
      {"what is owed is owed to leases", "owed to nobody",
       [](LedgerFigures& f) { f.owed_to_leases -= Credits(1); }},
      {"no account below zero but the sources", "an account below zero",
       [](LedgerFigures& f) { f.accounts.wrong = 1; }},
      {"credits conserved", "credits from nowhere",
       [](LedgerFigures& f) { At(f, Holding::kFree) += 1; }},
      {"credits conserved", "consumed and still in escrow",
       [](LedgerFigures& f) { At(f, Holding::kConsumed) += 9'000; }},
      {"credits equal the engine's own totals", "the engine has less",
       [](LedgerFigures& f) { f.checkpoint->engine[static_cast<size_t>(Holding::kFree)] -= 1; }},
      {"credits equal the engine's own totals", "the engine took one decision more",
       [](LedgerFigures& f) { f.checkpoint->engine_decision += 1; }},
      {"each lease's escrow used exactly once", "an escrow used twice",
       [](LedgerFigures& f) { f.leases.wrong = 1; }},
      {"each asset sums to zero", "a leg without its other",
       [](LedgerFigures& f) { At(f, Holding::kOutside) += 1; }},
      {"each asset sums to zero", "credits without their issue",
       [](LedgerFigures& f) { At(f, Holding::kOwed) += 1; }},
      {"balances are the sums of their transfers", "a balance that was changed by hand",
       [](LedgerFigures& f) { f.balances.wrong = 1; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    LedgerFigures figures = Sound();
    row.breaks(figures);
    CHECK_FALSE(Named(row.invariant).Holds(figures));
    const auto violation = FindViolation(figures);
    REQUIRE(violation);
    CHECK(violation->find("the ledger breaks") == 0);
  }
}

TEST_CASE("Without a checkpoint the engine is not contradicted, and nothing is checked") {
  const Invariant& agrees = Named("credits equal the engine's own totals");
  LedgerFigures figures = Sound();
  CHECK(agrees.IsChecked(figures));
  figures.checkpoint.reset();
  CHECK(agrees.Holds(figures));
  CHECK_FALSE(agrees.IsChecked(figures));
  CHECK_FALSE(IsEmpty(figures));
  CHECK(agrees.Describe(figures).find("not checked") == 0);
  CHECK_FALSE(FindViolation(figures));
}

TEST_CASE("A ledger is empty while it holds nothing but its genesis") {
  Ledger ledger;
  REQUIRE(ledger.Post(GenesisPosting()).ok());
  LedgerFigures figures;
  figures.totals = ledger.totals();
  CHECK(IsEmpty(figures));
  CHECK(Named("credits equal the engine's own totals").Describe(figures) == "nothing to check yet");
  for (const HoldingInfo& info : kHoldings) {
    if (info.holding == Holding::kIssuance || info.holding == Holding::kOutside) continue;
    CAPTURE(std::string(info.name));
    LedgerFigures used = figures;
    At(used, info.holding) = info.holding == Holding::kIssued ? -1 : 1;
    CHECK_FALSE(IsEmpty(used));
  }
}

TEST_CASE("A lease's escrow is used exactly once, each part as settled") {
  LeaseEscrowFigures open;
  open.paid_in = open.moved_in = open.left = 1'000;
  CHECK(EscrowUsedOnce(open));
  LeaseEscrowFigures settled = open;
  settled.left = 0;
  settled.used = settled.moved = {500, 5, 345, 100, 50};
  settled.gains = settled.moved_gains = 50;
  CHECK(EscrowUsedOnce(settled));
  LeaseEscrowFigures resold = open;  // in part
  resold.left = 400;
  resold.used = resold.moved = {0, 6, 540, 0, 54};
  CHECK(EscrowUsedOnce(resold));

  const auto broken = [](const LeaseEscrowFigures& base, auto member, int64_t by) {
    LeaseEscrowFigures figures = base;
    figures.*member += by;
    return !EscrowUsedOnce(figures);
  };
  const auto moves = [](const LeaseEscrowFigures& base, auto part, int64_t by) {
    LeaseEscrowFigures figures = base;
    figures.moved.*part += by;
    return !EscrowUsedOnce(figures);
  };
  using F = LeaseEscrowFigures;
  CHECK(broken(open, &F::moved_in, -1));
  CHECK(broken(open, &F::moved_gains, 1));
  CHECK(moves(open, &F::Use::consumed, 1));
  CHECK(moves(open, &F::Use::refunded, 1'000));
  CHECK(broken(settled, &F::moved_in, 1'000));
  CHECK(broken(settled, &F::moved_gains, -1));
  CHECK(moves(settled, &F::Use::consumed, 500));
  CHECK(moves(settled, &F::Use::burned, -5));
  CHECK(moves(settled, &F::Use::refunded, 1));
  CHECK(moves(settled, &F::Use::owed, -100));
  CHECK(moves(settled, &F::Use::cleared, -50));
  CHECK(moves(resold, &F::Use::cleared, 1));
  for (LeaseEscrowFigures figures : {open, settled, resold}) {
    figures.moved_by_parties = false;
    CHECK_FALSE(EscrowUsedOnce(figures));
  }
  // Parts that agree with what was moved, and are not the escrow.
  LeaseEscrowFigures less = settled;
  less.used.consumed = less.moved.consumed = 400;
  CHECK_FALSE(EscrowUsedOnce(less));
  LeaseEscrowFigures early = settled;
  early.left = 1'000;
  CHECK_FALSE(EscrowUsedOnce(early));
}

}  // namespace
}  // namespace warpbook::settlement
