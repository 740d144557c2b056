#include "tests/simulation/economics/second_books.h"

#include "absl/strings/str_cat.h"

namespace warpbook::economics {
namespace {

using settlement::Asset;
using settlement::Holding;
using settlement::SupplyCounters;
using settlement::Transfer;

// The table of 2-tokens, Supply, read once more.
Tokens* CounterFor(SupplyCounters& counters, const Transfer& transfer) {
  const Holding to = transfer.credit.holding();
  switch (transfer.debit.holding()) {
    case Holding::kIssuance:
      return to == Holding::kOutside ? &counters.genesis : &counters.emitted;
    case Holding::kOutside:
      return &counters.deposited;
    case Holding::kTokens:
      return to == Holding::kVault ? &counters.burned : &counters.withdrawn;
    case Holding::kVault:
      return to == Holding::kIssuance ? &counters.retired
             : to == Holding::kFee    ? &counters.reminted_fee
                                      : &counters.reminted_provider;
    default:
      return nullptr;
  }
}

}  // namespace

void SecondBooks::Post(const Transfer& transfer) {
  sums_[transfer.debit] -= transfer.amount;
  sums_[transfer.credit] += transfer.amount;
  if (transfer.debit.asset() == Asset::kTok) {
    Tokens* counter = CounterFor(counters_, transfer);
    if (counter == nullptr) {
      ++uncounted_;
    } else {
      *counter += Tokens(transfer.amount);
    }
  }
  if (!transfer.lease) return;
  auto& lease = leases_[transfer.lease];
  changed_.insert(transfer.lease);
  if (transfer.credit.holding() == Holding::kEscrow) lease.moved_in += transfer.amount;
  if (transfer.debit.holding() != Holding::kEscrow) return;
  auto& out = lease.moved;
  switch (transfer.credit.holding()) {
    case Holding::kConsumed:
      out.consumed += transfer.amount;
      break;
    case Holding::kBurned:
      out.burned += transfer.amount;
      break;
    case Holding::kFree:
      out.refunded += transfer.amount;
      break;
    case Holding::kOwed:
      out.owed += transfer.amount;
      break;
    default:
      out.cleared += transfer.amount;
  }
}

void SecondBooks::Fill(LeaseId lease, Credits paid_in) {
  leases_[lease].paid_in = paid_in.value();
  leases_[lease].left = paid_in.value();
  changed_.insert(lease);
}

void SecondBooks::Settle(LeaseId lease, const settlement::Settlement& settled) {
  auto& figures = leases_[lease];
  figures.left = 0;
  figures.used = {.consumed = settled.consumed.value(),
                  .burned = settled.burned.value(),
                  .refunded = settled.refunded.value(),
                  .owed = settled.owed.value()};
  changed_.insert(lease);
}

settlement::LedgerFigures SecondBooks::Figures(const settlement::Ledger& ledger) {
  settlement::LedgerFigures figures;
  figures.totals = ledger.totals();
  figures.counters = ledger.counters();
  figures.counters_derived = counters_;
  figures.transfers_uncounted = uncounted_;
  figures.accounts = CheckAccounts(figures.balances, ledger);
  for (const LeaseId id : changed_) {
    ++figures.leases.checked;
    const auto& lease = leases_[id];
    if (!settlement::EscrowUsedOnce(lease)) {
      ++figures.leases.wrong;
      figures.leases.example = absl::StrCat(id.value());
    }
    if (lease.left == 0) leases_.erase(id);
  }
  changed_.clear();
  return figures;
}

settlement::Tally SecondBooks::CheckAccounts(settlement::Tally& balances,
                                             const settlement::Ledger& ledger) {
  settlement::Tally accounts;
  for (const auto& [account, sum] : sums_) {
    ++accounts.checked;
    ++balances.checked;
    if (ledger.balance(account) != sum) {
      ++balances.wrong;
      balances.example = absl::StrCat(account.number());
    }
    if (sum < 0 && !settlement::MayBeNegative(account.holding())) {
      ++accounts.wrong;
      accounts.example = absl::StrCat(account.number());
    }
  }
  return accounts;
}

}  // namespace warpbook::economics
