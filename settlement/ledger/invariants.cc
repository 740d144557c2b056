#include "settlement/ledger/invariants.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "schema/types/arithmetic.h"
#include "schema/types/decimal.h"
#include "settlement/tokens/supply.h"

namespace warpbook::settlement {
namespace {

int128 Total(const LedgerFigures& figures, Holding holding) {
  return figures.totals[static_cast<size_t>(holding)];
}

int128 Wide(Tokens tokens) { return tokens.value(); }

// Sums of totals are wider than a total; for people only.
std::string Text(int128 value) {
  const auto narrow = Narrow(value);
  return narrow ? absl::StrCat(*narrow) : "beyond 63 bits";
}

std::string DescribeTally(const Tally& tally, absl::string_view things) {
  std::string text = absl::StrCat(tally.checked, " ", things, ", ", tally.wrong, " wrong");
  if (tally.wrong > 0) absl::StrAppend(&text, ", such as ", tally.example);
  return text;
}

// All TOK outside issuance and vault.
int128 Circulating(const LedgerFigures& figures) {
  return Total(figures, Holding::kOutside) + Total(figures, Holding::kFee) +
         Total(figures, Holding::kTokens);
}

class SupplyWithinCap : public Invariant {
 public:
  std::string_view name() const override { return "supply identity and cap"; }
  bool Holds(const LedgerFigures& figures) const override {
    const int128 supply = -Total(figures, Holding::kIssuance) - Total(figures, Holding::kVault);
    return supply == Circulating(figures) && supply <= kSupplyCap.value();
  }
  std::string Describe(const LedgerFigures& figures) const override {
    return absl::StrCat("issuance ", Text(Total(figures, Holding::kIssuance)), ", vault ",
                        Text(Total(figures, Holding::kVault)), ", circulating ",
                        Text(Circulating(figures)), " uTOK, cap ", kSupplyCap.value());
  }
};

class CountersAgree : public Invariant {
 public:
  std::string_view name() const override { return "supply counters agree with the accounts"; }
  bool Holds(const LedgerFigures& figures) const override {
    const SupplyCounters& c = figures.counters;
    const int128 issued = Wide(c.genesis) + Wide(c.emitted) - Wide(c.retired);
    const int128 vault =
        Wide(c.burned) - Wide(c.reminted_provider) - Wide(c.reminted_fee) - Wide(c.retired);
    return c == figures.counters_derived && figures.transfers_uncounted == 0 &&
           c.genesis == kGenesisTokens && c.emitted <= kEmissionPool &&
           -Total(figures, Holding::kIssuance) == issued &&
           Total(figures, Holding::kVault) == vault &&
           Total(figures, Holding::kOutside) ==
               Wide(c.genesis) - Wide(c.deposited) + Wide(c.withdrawn);
  }
  std::string Describe(const LedgerFigures& figures) const override {
    const SupplyCounters& c = figures.counters;
    return absl::StrCat("genesis ", c.genesis.value(), ", emitted ", c.emitted.value(),
                        ", deposited ", c.deposited.value(), ", withdrawn ", c.withdrawn.value(),
                        ", burned ", c.burned.value(), ", re-minted ", c.reminted_provider.value(),
                        " + ", c.reminted_fee.value(), ", retired ", c.retired.value(), " uTOK",
                        c == figures.counters_derived && figures.transfers_uncounted == 0
                            ? ""
                            : "; the transfers give other counters");
  }
};

class NoAccountBelowZero : public Invariant {
 public:
  std::string_view name() const override { return "no account below zero but the sources"; }
  bool Holds(const LedgerFigures& figures) const override { return figures.accounts.wrong == 0; }
  std::string Describe(const LedgerFigures& figures) const override {
    return DescribeTally(figures.accounts, "accounts");
  }
};

class CreditsConserved : public Invariant {
 public:
  std::string_view name() const override { return "credits conserved"; }
  bool Holds(const LedgerFigures& figures) const override {
    // `issued` is a source: its balance is minus what was issued.
    return -Total(figures, Holding::kIssued) - Total(figures, Holding::kConsumed) -
               Total(figures, Holding::kBurned) ==
           Total(figures, Holding::kFree) + Total(figures, Holding::kLocked) +
               Total(figures, Holding::kEscrow) + Total(figures, Holding::kOwed);
  }
  std::string Describe(const LedgerFigures& figures) const override {
    return absl::StrCat(
        "issued ", Text(-Total(figures, Holding::kIssued)), " - consumed ",
        Text(Total(figures, Holding::kConsumed)), " - burned ",
        Text(Total(figures, Holding::kBurned)), " = free ", Text(Total(figures, Holding::kFree)),
        " + locked ", Text(Total(figures, Holding::kLocked)), " + escrow ",
        Text(Total(figures, Holding::kEscrow)), " + owed ", Text(Total(figures, Holding::kOwed)));
  }
};

class EmissionFollowsDays : public Invariant {
 public:
  std::string_view name() const override { return "emission is that of the days"; }
  bool Holds(const LedgerFigures& figures) const override {
    return figures.emitted_by_days == figures.counters.emitted;
  }
  std::string Describe(const LedgerFigures& figures) const override {
    return absl::StrCat("emitted ", figures.counters.emitted.value(), ", on all days ",
                        figures.emitted_by_days.value(), " uTOK");
  }
};

class OwedIsOfLeases : public Invariant {
 public:
  std::string_view name() const override { return "what is owed is owed to leases"; }
  bool Holds(const LedgerFigures& figures) const override {
    return figures.owed_to_leases.value() == Total(figures, Holding::kOwed);
  }
  std::string Describe(const LedgerFigures& figures) const override {
    return absl::StrCat("owed ", Text(Total(figures, Holding::kOwed)), ", to leases ",
                        figures.owed_to_leases.value());
  }
};

class EngineAgrees : public Invariant {
 public:
  std::string_view name() const override { return "credits equal the engine's own totals"; }
  bool IsChecked(const LedgerFigures& figures) const override {
    return figures.checkpoint.has_value();
  }
  bool Holds(const LedgerFigures& figures) const override {
    if (!figures.checkpoint) return true;
    return figures.checkpoint->engine == figures.checkpoint->ledger &&
           figures.checkpoint->engine_decision == figures.checkpoint->ledger_decision;
  }
  std::string Describe(const LedgerFigures& figures) const override {
    if (!figures.checkpoint) {
      return IsEmpty(figures) ? "nothing to check yet"
                              : "not checked: the ledger has no checkpoint of the engine";
    }
    std::string text = absl::StrCat("at event ", figures.checkpoint->event.value());
    for (const HoldingInfo& info : kHoldings) {
      if (info.asset != Asset::kCredit) continue;
      const auto slot = static_cast<size_t>(info.holding);
      absl::StrAppend(&text, ", ", absl::string_view(info.name.data(), info.name.size()), " ",
                      figures.checkpoint->engine[slot]);
      if (figures.checkpoint->engine[slot] != figures.checkpoint->ledger[slot]) {
        absl::StrAppend(&text, " (ledger ", figures.checkpoint->ledger[slot], ")");
      }
    }
    absl::StrAppend(&text, ", decisions ", figures.checkpoint->engine_decision);
    if (figures.checkpoint->engine_decision != figures.checkpoint->ledger_decision) {
      absl::StrAppend(&text, " (ledger ", figures.checkpoint->ledger_decision, ")");
    }
    return text;
  }
};

class LeaseEscrowUsedOnce : public Invariant {
 public:
  std::string_view name() const override { return "each lease's escrow used exactly once"; }
  bool Holds(const LedgerFigures& figures) const override { return figures.leases.wrong == 0; }
  std::string Describe(const LedgerFigures& figures) const override {
    return DescribeTally(figures.leases, "leases");
  }
};

class AssetsSumToZero : public Invariant {
 public:
  std::string_view name() const override { return "each asset sums to zero"; }
  bool Holds(const LedgerFigures& figures) const override {
    return Sum(figures, Asset::kTok) == 0 && Sum(figures, Asset::kCredit) == 0;
  }
  std::string Describe(const LedgerFigures& figures) const override {
    return absl::StrCat("TOK ", Text(Sum(figures, Asset::kTok)), ", CREDIT ",
                        Text(Sum(figures, Asset::kCredit)));
  }

 private:
  static int128 Sum(const LedgerFigures& figures, Asset asset) {
    int128 sum = 0;
    for (const HoldingInfo& info : kHoldings) {
      if (info.asset == asset) sum += Total(figures, info.holding);
    }
    return sum;
  }
};

class BalancesMatchTransfers : public Invariant {
 public:
  std::string_view name() const override { return "balances are the sums of their transfers"; }
  bool Holds(const LedgerFigures& figures) const override { return figures.balances.wrong == 0; }
  std::string Describe(const LedgerFigures& figures) const override {
    return DescribeTally(figures.balances, "balances");
  }
};

}  // namespace

const std::vector<std::unique_ptr<const Invariant>>& AllInvariants() {
  static const auto* const kAll = [] {
    auto* all = new std::vector<std::unique_ptr<const Invariant>>();
    all->push_back(std::make_unique<SupplyWithinCap>());
    all->push_back(std::make_unique<CountersAgree>());
    all->push_back(std::make_unique<NoAccountBelowZero>());
    all->push_back(std::make_unique<EmissionFollowsDays>());
    all->push_back(std::make_unique<CreditsConserved>());
    all->push_back(std::make_unique<OwedIsOfLeases>());
    all->push_back(std::make_unique<EngineAgrees>());
    all->push_back(std::make_unique<LeaseEscrowUsedOnce>());
    all->push_back(std::make_unique<AssetsSumToZero>());
    all->push_back(std::make_unique<BalancesMatchTransfers>());
    return all;
  }();
  return *kAll;
}

std::optional<std::string> FindViolation(const LedgerFigures& figures) {
  for (const auto& invariant : AllInvariants()) {
    if (invariant->Holds(figures)) continue;
    const std::string_view name = invariant->name();
    return absl::StrCat("the ledger breaks \"", absl::string_view(name.data(), name.size()),
                        "\": ", invariant->Describe(figures));
  }
  return std::nullopt;
}

bool IsEmpty(const LedgerFigures& figures) {
  return std::ranges::all_of(kHoldings, [&figures](const HoldingInfo& info) {
    return info.holding == Holding::kIssuance || info.holding == Holding::kOutside ||
           Total(figures, info.holding) == 0;
  });
}

bool EscrowUsedOnce(const LeaseEscrowFigures& f) {
  const LeaseEscrowFigures::Use& used = f.used;
  if (!f.moved_by_parties || f.moved_in != f.paid_in || f.moved != used) return false;
  if (f.moved_gains != f.gains) return false;
  const int128 out = int128{used.consumed} + used.burned + used.refunded + used.owed + used.cleared;
  return out + f.left == f.paid_in;
}

}  // namespace warpbook::settlement
