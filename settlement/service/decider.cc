#include "settlement/service/decider.h"

#include <algorithm>
#include <optional>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"
#include "settlement/tokens/money_flow.h"
#include "settlement/tokens/prices.h"

namespace warpbook::settlement {
namespace {

class Decider {
 public:
  Decider(const Books& books, Outbox& outbox)
      : books_(books),
        outbox_(outbox),
        next_number_(std::max(books.cursor().decision_number, outbox.last_number()) + 1),
        prices_(QuotePrices(books.prices(), books.cursor().market_time)) {}

  std::vector<Decision> Run() {
    for (const auto& [sequence, request] : books_.open_requests()) {
      if (Full() || outbox_.requests() >= kPendingRequestDecisionsMax) break;
      if (!outbox_.Decides(sequence)) Take(DecideRequest(request));
    }
    SettleDue(books_.due_leases().needing_none());
    if (prices_) SettleDue(books_.due_leases().needing_price());
    return std::move(decisions_);
  }

 private:
  bool Full() const { return outbox_.size() >= kPendingDecisionsMax; }

  // What an account will hold once all decisions so far are posted.
  Tokens Projected(LedgerAccount account) const {
    return Tokens(books_.ledger().balance(account)) + Tokens(outbox_.Effect(account));
  }

  void Take(Decision decision) {
    decision.number = next_number_++;
    outbox_.Add(decision, books_);
    decisions_.push_back(decision);
  }

  Decision DecideRequest(const RequestRow& request) const {
    Decision decision;
    decision.request = request.sequence;
    decision.reason = ReasonToRefuse(request, decision);
    if (decision.reason != RejectReason::kNone) {
      decision.kind = DecisionKind::kRefuseRequest;
      decision.credits = Credits(0);
    }
    return decision;
  }

  // kNone: it is posted, by the decision that this fills in.
  RejectReason ReasonToRefuse(const RequestRow& request, Decision& decision) const {
    switch (request.kind) {
      case RequestKind::kDeposit:
        decision.kind = DecisionKind::kPostDeposit;
        return JudgeMove(request, LedgerAccount(Holding::kOutside));
      case RequestKind::kWithdrawal:
        decision.kind = DecisionKind::kPostWithdrawal;
        return JudgeMove(request, LedgerAccount(request.account, Holding::kTokens));
      case RequestKind::kTopUp:
        return DecideTopUp(request, decision);
    }
    WARPBOOK_CHECK(false);
  }

  // Of tokens that come in or go out, under a reference.
  RejectReason JudgeMove(const RequestRow& request, LedgerAccount source) const {
    if (Projected(source) < request.amount) return RejectReason::kInsufficientTokens;
    if (books_.ReferenceUsed(request.reference) || outbox_.PostsReference(request.reference)) {
      return RejectReason::kReferenceReused;
    }
    return RejectReason::kNone;
  }

  RejectReason DecideTopUp(const RequestRow& request, Decision& decision) const {
    decision.kind = DecisionKind::kPostTopUp;
    if (!prices_ || prices_->low <= TokenPrice(0)) return RejectReason::kPricesUnavailable;
    if (Projected(LedgerAccount(request.account, Holding::kTokens)) < request.amount) {
      return RejectReason::kInsufficientTokens;
    }
    const auto credits = TopUpCredits(request.amount, prices_->low);
    if (credits == Credits(0)) return RejectReason::kTopUpTooSmall;
    // All credits ever issued fit 63 bits: the engine's rule.
    const Credits issued = Credits(-books_.ledger().total(Holding::kIssued)) + outbox_.issued();
    if (!credits || !CheckedAdd(issued, *credits)) return RejectReason::kAmountOverflow;
    decision.credits = *credits;
    return RejectReason::kNone;
  }

  void SettleDue(const DueLeases::Queue& queue) {
    for (const auto& [due, id] : queue) {
      if (Full() || due > books_.cursor().market_time) return;
      if (outbox_.Decides(id)) continue;
      const Lease& lease = *books_.FindOpenLease(id);
      const auto settlement = SettleNow(lease);
      if (!settlement) continue;  // waits for another price
      Decision decision;
      decision.kind = DecisionKind::kSettleLease;
      decision.lease = id;
      decision.settlement = *settlement;
      decision.weight = lease.VerifiedWeight();
      decision.delivered = lease.PayableMinutes();
      Take(decision);
    }
  }

  std::optional<Settlement> SettleNow(const Lease& lease) const {
    const LeaseTerms& terms = lease.terms();
    const int64_t weight = lease.VerifiedWeight();
    const Credits verified = lease.EarnedByProvider(weight);
    std::optional<Settlement> settlement =
        verified == Credits(0)
            ? SettleUnearned(terms.notional, terms.surcharge)
            : Settle({lease.provider_notional(), terms.surcharge, verified}, prices_->high,
                     {.vault = Projected(LedgerAccount(Holding::kVault))});
    if (!settlement) return std::nullopt;
    // Of a lease that was resold, others have paid a part and others get one.
    settlement->refunded =
        lease.escrow() - verified - lease.EarnedByTraders(weight) - settlement->burned;
    return settlement;
  }

  const Books& books_;
  Outbox& outbox_;
  uint64_t next_number_;
  const std::optional<PriceQuote> prices_;
  std::vector<Decision> decisions_;
};

}  // namespace

std::vector<Decision> Decide(const Books& books, Outbox& outbox) {
  return Decider(books, outbox).Run();
}

}  // namespace warpbook::settlement
