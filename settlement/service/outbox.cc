#include "settlement/service/outbox.h"

#include "absl/strings/str_cat.h"

namespace warpbook::settlement {

namespace {

// Whether what the decision is on is there to be decided.
bool IsOpen(const Decision& decision, const Books& books) {
  switch (decision.kind) {
    case DecisionKind::kSettleLease:
      return books.FindOpenLease(decision.lease) != nullptr;
    case DecisionKind::kPayDeferred:
      return books.FindOwed(decision.lease) != nullptr;
    case DecisionKind::kCloseEpoch:
      return decision.epoch.day == books.days().day().day;
    case DecisionKind::kPayBonus:
      return decision.epoch.day == books.days().due_day() &&
             books.days().due_bonuses().contains(decision.account);
    case DecisionKind::kMarkOwner:
      return true;
    default:
      return books.open_requests().contains(decision.request);
  }
}

}  // namespace

absl::StatusOr<Outbox> Outbox::Restore(const std::vector<Decision>& decisions, const Books& books) {
  Outbox outbox;
  for (const Decision& decision : decisions) {
    if (!IsOpen(decision, books) || decision.number <= outbox.last_number()) {
      return absl::DataLossError(absl::StrCat("the outbox holds decision ", decision.number,
                                              ", which is on nothing open"));
    }
    outbox.Add(decision, books);
  }
  return outbox;
}

Outbox::Entry Outbox::Describe(const Decision& decision, const Books& books) const {
  Entry entry{decision, {}, {}};
  const Settlement& figures = decision.settlement;
  switch (decision.kind) {
    case DecisionKind::kSettleLease: {
      WARPBOOK_CHECK(!Decides(decision.lease));
      const Lease& lease = *books.FindOpenLease(decision.lease);
      entry.moves = SettlementMoves(lease.terms().provider, figures);
      entry.leaves_owed = figures.owed > Credits(0);
      return entry;
    }
    case DecisionKind::kPayDeferred: {
      WARPBOOK_CHECK(!Decides(decision.lease));
      const OwedRow& owed = *books.FindOwed(decision.lease);
      entry.moves = SettlementMoves(owed.provider, figures);
      entry.leaves_owed = figures.consumed < owed.left;
      return entry;
    }
    case DecisionKind::kCloseEpoch:
      if (decision.epoch.retire > Tokens(0)) entry.moves = {RetireMove(decision.epoch.retire)};
      return entry;
    case DecisionKind::kPayBonus:
      WARPBOOK_CHECK(!DecidesBonus(decision.account));
      entry.moves = {BonusMove(decision.account, decision.epoch.bonus)};
      return entry;
    case DecisionKind::kMarkOwner:
      WARPBOOK_CHECK(!Marks(decision.owner));
      return entry;
    default:
      break;
  }
  WARPBOOK_CHECK(!Decides(decision.request));
  const RequestRow& row = books.open_requests().at(decision.request);
  if (decision.kind == DecisionKind::kPostDeposit) {
    entry.moves = {DepositMove(row.account, row.amount)};
    entry.reference = row.reference;
  } else if (decision.kind == DecisionKind::kPostWithdrawal) {
    entry.moves = {WithdrawalMove(row.account, row.amount)};
    entry.reference = row.reference;
  } else if (decision.kind == DecisionKind::kPostTopUp) {
    entry.moves = {TopUpMove(row.account, row.amount)};
  }
  return entry;
}

void Outbox::Add(const Decision& decision, const Books& books) {
  WARPBOOK_CHECK(decision.number > last_number() && IsOpen(decision, books));
  Entry entry = Describe(decision, books);
  Account(entry, 1);
  entries_.push_back(std::move(entry));
}

bool Outbox::TakeBack(const Decision& decision) {
  if (entries_.empty() || decision.number > last_number() ||
      decision.number < entries_.front().decision.number) {
    return false;
  }
  // Numbers are read back in order, so it is the first one here.
  WARPBOOK_CHECK(entries_.front().decision.number == decision.number);
  if (entries_.front().decision == decision) {
    Account(entries_.front(), -1);
    entries_.pop_front();
    return false;
  }
  *this = Outbox();
  return true;
}

int64_t Outbox::Effect(LedgerAccount account) const {
  const auto found = effects_.find(account);
  return found == effects_.end() ? 0 : found->second;
}

void Outbox::Account(const Entry& entry, int sign) {
  const Decision& decision = entry.decision;
  for (const TokenMove& move : entry.moves) {
    // At most kMaxTokens each, of which the ledger has fewer than 2^63 / kMaxTokens under way.
    effects_[move.debit] -= sign * move.amount.value();
    effects_[move.credit] += sign * move.amount.value();
    if (effects_[move.debit] == 0) effects_.erase(move.debit);
    if (effects_[move.credit] == 0) effects_.erase(move.credit);
  }
  issued_ += Credits(sign * decision.credits.value());
  emitted_ += Tokens(sign * decision.settlement.emitted.value());
  if (sign > 0) {
    if (decision.request) requests_.insert(decision.request);
    if (decision.lease) leases_.insert(decision.lease);
    if (!entry.reference.empty()) references_.insert(entry.reference);
    if (decision.account) bonuses_.insert(decision.account);
    if (decision.owner) marks_.insert(decision.owner);
    if (entry.leaves_owed) ++leaving_owed_;
  } else {
    requests_.erase(decision.request);
    leases_.erase(decision.lease);
    references_.erase(entry.reference);
    bonuses_.erase(decision.account);
    marks_.erase(decision.owner);
    if (entry.leaves_owed) --leaving_owed_;
  }
}

}  // namespace warpbook::settlement
