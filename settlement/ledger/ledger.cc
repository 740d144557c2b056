#include "settlement/ledger/ledger.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "schema/types/arithmetic.h"

namespace warpbook::settlement {
namespace {

std::string Describe(const Transfer& transfer) {
  const auto describe = [](LedgerAccount account) {
    const std::string_view name = InfoOf(account.holding()).name;
    return absl::StrCat(absl::string_view(name.data(), name.size()), " of ",
                        account.member().value());
  };
  return absl::StrCat("transfer ", transfer.event.value(), ".", transfer.leg, " (", transfer.amount,
                      " from ", describe(transfer.debit), " to ", describe(transfer.credit), ")");
}

absl::Status Refuse(const Transfer& transfer, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(Describe(transfer), " refused: ", why));
}

// The moves of credits that there are: 1-market (Money, Sides) and 2-tokens (Money flow).
bool IsCreditTransfer(const Transfer& transfer) {
  struct Row {
    Holding from, to;
  };
  static constexpr std::array<Row, 13> kRows = {{
      {Holding::kIssued, Holding::kFree},
      {Holding::kFree, Holding::kLocked},
      {Holding::kFree, Holding::kEscrow},  // a dispute's deposit
      {Holding::kLocked, Holding::kFree},
      {Holding::kLocked, Holding::kEscrow},
      {Holding::kEscrow, Holding::kFree},
      {Holding::kEscrow, Holding::kConsumed},
      {Holding::kEscrow, Holding::kBurned},
      {Holding::kEscrow, Holding::kOwed},
      {Holding::kEscrow, Holding::kClearing},
      {Holding::kOwed, Holding::kConsumed},
      {Holding::kClearing, Holding::kFree},
      {Holding::kClearing, Holding::kEscrow},
  }};
  const AccountId from = transfer.debit.member();
  const AccountId to = transfer.credit.member();
  if (bool(from) && bool(to) && from != to) return false;
  return std::ranges::any_of(kRows, [&transfer](const Row& row) {
    return transfer.debit.holding() == row.from && transfer.credit.holding() == row.to;
  });
}

}  // namespace

Tokens SupplyCounters::*CounterOf(Holding from, Holding to, bool before_first_event) {
  struct Row {
    Holding from, to;
    Tokens SupplyCounters::*counter;
  };
  static constexpr std::array<Row, 9> kRows = {{
      {Holding::kIssuance, Holding::kOutside, &SupplyCounters::genesis},
      {Holding::kIssuance, Holding::kTokens, &SupplyCounters::emitted},
      {Holding::kIssuance, Holding::kFee, &SupplyCounters::emitted},
      {Holding::kOutside, Holding::kTokens, &SupplyCounters::deposited},
      {Holding::kTokens, Holding::kVault, &SupplyCounters::burned},
      {Holding::kVault, Holding::kTokens, &SupplyCounters::reminted_provider},
      {Holding::kVault, Holding::kFee, &SupplyCounters::reminted_fee},
      {Holding::kVault, Holding::kIssuance, &SupplyCounters::retired},
      {Holding::kTokens, Holding::kOutside, &SupplyCounters::withdrawn},
  }};
  for (const Row& row : kRows) {
    const bool genesis = row.counter == &SupplyCounters::genesis;
    if (from == row.from && to == row.to && genesis == before_first_event) return row.counter;
  }
  return nullptr;
}

absl::StatusOr<Ledger> Ledger::Restore(
    const std::vector<std::pair<LedgerAccount, int64_t>>& balances,
    const SupplyCounters& counters) {
  Ledger ledger;
  ledger.balances_.reserve(balances.size());
  for (const auto& [account, balance] : balances) {
    ledger.balances_[account] = balance;
    int64_t& total = ledger.totals_[static_cast<size_t>(account.holding())];
    if (__builtin_add_overflow(total, balance, &total)) {
      return absl::DataLossError("the stored balances do not fit 63 bits");
    }
  }
  ledger.counters_ = counters;
  return ledger;
}

absl::Status Ledger::Post(const Transfer& transfer) {
  const auto [event, leg, debit, credit, amount, lease] = transfer;
  if (amount <= 0) return Refuse(transfer, "the amount is not positive");
  if (debit.asset() != credit.asset()) return Refuse(transfer, "the assets differ");
  const bool tok = debit.asset() == Asset::kTok;
  const auto counter =
      tok ? CounterOf(debit.holding(), credit.holding(), event == EventSequence()) : nullptr;
  const bool known = tok ? counter != nullptr : IsCreditTransfer(transfer);
  if (!known) return Refuse(transfer, "the ledger knows no such transfer");

  int64_t debit_after = 0;
  int64_t credit_after = 0;
  int64_t debit_total = 0;
  int64_t credit_total = 0;
  if (__builtin_sub_overflow(balance(debit), amount, &debit_after) ||
      __builtin_sub_overflow(total(debit.holding()), amount, &debit_total) ||
      __builtin_add_overflow(balance(credit), amount, &credit_after) ||
      __builtin_add_overflow(total(credit.holding()), amount, &credit_total)) {
    return Refuse(transfer, "a balance would not fit 63 bits");
  }
  if (debit_after < 0 && !MayBeNegative(debit.holding())) {
    return Refuse(transfer, absl::StrCat("there is only ", balance(debit)));
  }
  std::optional<Tokens> counted;
  if (counter != nullptr) {
    counted = CheckedAdd(counters_.*counter, Tokens(amount));
    if (!counted) return Refuse(transfer, "a counter would not fit 63 bits");
  }
  balances_[debit] = debit_after;
  balances_[credit] = credit_after;
  totals_[static_cast<size_t>(debit.holding())] = debit_total;
  totals_[static_cast<size_t>(credit.holding())] = credit_total;
  if (counted) counters_.*counter = *counted;
  changed_.insert(debit);
  changed_.insert(credit);
  return absl::OkStatus();
}

void Ledger::Open(LedgerAccount account) {
  if (balances_.try_emplace(account, 0).second) changed_.insert(account);
}

int64_t Ledger::balance(LedgerAccount account) const {
  const auto found = balances_.find(account);
  return found == balances_.end() ? 0 : found->second;
}

std::vector<std::pair<LedgerAccount, int64_t>> Ledger::TakeChanged() {
  std::vector<std::pair<LedgerAccount, int64_t>> changed;
  changed.reserve(changed_.size());
  for (const LedgerAccount account : changed_) changed.emplace_back(account, balance(account));
  std::sort(changed.begin(), changed.end());
  changed_.clear();
  return changed;
}

}  // namespace warpbook::settlement
