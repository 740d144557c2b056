#include "settlement/service/outbox.h"

#include "absl/strings/str_cat.h"

namespace warpbook::settlement {

absl::StatusOr<Outbox> Outbox::Restore(const std::vector<Decision>& decisions, const Books& books) {
  Outbox outbox;
  for (const Decision& decision : decisions) {
    const bool open = decision.kind == DecisionKind::kSettleLease
                          ? books.FindOpenLease(decision.lease) != nullptr
                          : books.open_requests().contains(decision.request);
    if (!open || decision.number <= outbox.last_number()) {
      return absl::DataLossError(absl::StrCat("the outbox holds decision ", decision.number,
                                              ", which is on nothing open"));
    }
    outbox.Add(decision, books);
  }
  return outbox;
}

void Outbox::Add(const Decision& decision, const Books& books) {
  WARPBOOK_CHECK(decision.number > last_number());
  Entry entry{decision, {}, {}};
  if (decision.kind == DecisionKind::kSettleLease) {
    const Lease* const lease = books.FindOpenLease(decision.lease);
    WARPBOOK_CHECK(lease != nullptr && !Decides(decision.lease));
    const Settlement& figures = decision.settlement;
    entry.moves =
        SettlementMoves(lease->terms().provider, figures.provider, figures.fee, figures.retire);
  } else {
    const auto request = books.open_requests().find(decision.request);
    WARPBOOK_CHECK(request != books.open_requests().end() && !Decides(decision.request));
    const RequestRow& row = request->second;
    if (decision.kind == DecisionKind::kPostDeposit) {
      entry.moves = {DepositMove(row.account, row.amount)};
      entry.reference = row.reference;
    } else if (decision.kind == DecisionKind::kPostWithdrawal) {
      entry.moves = {WithdrawalMove(row.account, row.amount)};
      entry.reference = row.reference;
    } else if (decision.kind == DecisionKind::kPostTopUp) {
      entry.moves = {TopUpMove(row.account, row.amount)};
    }
  }
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
  if (sign > 0) {
    if (decision.request) requests_.insert(decision.request);
    if (decision.lease) leases_.insert(decision.lease);
    if (!entry.reference.empty()) references_.insert(entry.reference);
  } else {
    requests_.erase(decision.request);
    leases_.erase(decision.lease);
    references_.erase(entry.reference);
  }
}

}  // namespace warpbook::settlement
