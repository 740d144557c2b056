#include "settlement/service/decider.h"

#include <algorithm>
#include <optional>

#include "schema/base/check.h"
#include "schema/types/arithmetic.h"
#include "settlement/tokens/coverage.h"
#include "settlement/tokens/funding.h"
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
    if (CloseDay()) return std::move(decisions_);
    for (const auto& [sequence, request] : books_.open_requests()) {
      if (Full() || outbox_.requests() >= kPendingRequestDecisionsMax) break;
      if (!outbox_.Decides(sequence)) Take(DecideRequest(request));
    }
    PayBonuses();
    MarkOwners();
    SettleDue(books_.due_leases().needing_none(), Funds());
    // What a decision on its way leaves owed joins the queue when it is read back, and is paid
    // before what is due now.
    if (prices_ && !outbox_.leaves_owed()) PayWork();
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
    if (const OwnerRow* owner = books_.FindOwner(request.account);
        owner != nullptr && !owner->verified && books_.IsLargeNow(request.account)) {
      return RejectReason::kOwnerNotVerified;
    }
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

  // Whether a day is over and has to be closed before anything else is decided: when nothing is on
  // its way, so that what is closed is what has been posted.
  bool CloseDay() {
    const EmissionDays& days = books_.days();
    if (!days.IsOver(books_.cursor().market_time) || !days.due_bonuses().empty()) return false;
    if (outbox_.size() > 0) return true;
    const Tokens vault(books_.ledger().total(Holding::kVault));
    Decision decision;
    decision.kind = DecisionKind::kCloseEpoch;
    decision.epoch =
        days.Close(prices_ ? SurplusToRetire(vault, prices_->median, books_.debt()) : Tokens(0));
    Take(decision);
    return true;
  }

  void PayBonuses() {
    const EmissionDays& days = books_.days();
    for (const auto& [account, due] : days.due_bonuses()) {
      if (Full()) return;
      if (outbox_.DecidesBonus(account)) continue;
      Decision decision;
      decision.kind = DecisionKind::kPayBonus;
      decision.account = account;
      decision.epoch.day = days.due_day();
      decision.epoch.gross = due.gross;
      decision.epoch.bonus = due.bonus;
      Take(decision);
    }
  }

  void MarkOwners() {
    for (const AccountId account : books_.OwnersToMark()) {
      if (Full()) return;
      const OwnerRow& owner = *books_.FindOwner(account);
      if (outbox_.Marks(owner.id)) continue;
      Decision decision;
      decision.kind = DecisionKind::kMarkOwner;
      decision.owner = owner.id;
      decision.large = books_.IsLargeNow(account);
      Take(decision);
    }
  }

  // Pays what is owed, then what is due. While something stays owed there is nothing for the rest:
  // it joins the queue.
  void PayWork() {
    Funds funds = CurrentFunds();
    std::vector<DeferredPayment> queue;
    size_t waiting = 0;
    for (const auto& [since, owed] : books_.owed()) {
      if (outbox_.Decides(owed.lease)) continue;  // on its way, in full
      ++waiting;
      if (outbox_.size() + queue.size() < kPendingDecisionsMax) {
        queue.push_back({owed.lease, owed.left});
      }
      if (waiting > queue.size()) break;
    }
    const auto paid = PayDeferred(queue, prices_->high, funds);
    for (const DeferredSettlement& payment : paid) Take(PaymentOf(payment));
    const bool all_paid =
        paid.size() == waiting && (paid.empty() || paid.back().settlement.owed == Credits(0));
    // More is on its way than one step decides: the rest of the queue comes first.
    if (!all_paid && waiting > queue.size() && paid.size() == queue.size()) return;
    SettleDue(books_.due_leases().needing_price(), all_paid ? CurrentFunds() : Funds());
  }

  static Decision PaymentOf(const DeferredSettlement& payment) {
    Decision decision;
    decision.kind = DecisionKind::kPayDeferred;
    decision.lease = payment.lease;
    decision.settlement.consumed = payment.settlement.consumed;
    decision.settlement.gross = payment.settlement.gross;
    decision.settlement.provider = payment.settlement.provider;
    decision.settlement.fee = payment.settlement.fee;
    decision.settlement.retire = payment.settlement.retire;
    decision.settlement.emitted = payment.settlement.emitted;
    return decision;
  }

  // What there is once all decisions so far are posted.
  Funds CurrentFunds() const {
    const DayRow& day = books_.days().day();
    EmissionDay emission = day.emission;
    emission.spent += outbox_.emitted();
    return {.vault = Projected(LedgerAccount(Holding::kVault)),
            .emission = emission.LeftForSettlements(),
            .emission_first = day.coverage == CoverageState::kStressed};
  }

  void SettleDue(const DueLeases::Queue& queue, Funds funds) {
    for (const auto& [due, id] : queue) {
      if (Full() || due > books_.cursor().market_time) return;
      if (outbox_.Decides(id)) continue;
      const Lease& lease = *books_.FindOpenLease(id);
      const auto settlement = SettleNow(lease, funds);
      if (!settlement) continue;  // waits for another price
      funds = Without(funds, *settlement);
      Decision decision;
      decision.kind = DecisionKind::kSettleLease;
      decision.lease = id;
      decision.settlement = *settlement;
      decision.settlement.refunded = Credits(0);  // the engine's to say: what is left
      decision.weight = lease.VerifiedWeight();
      decision.delivered = lease.PayableMinutes();
      decision.verdict = lease.Verdict();
      Take(decision);
    }
  }

  std::optional<Settlement> SettleNow(const Lease& lease, const Funds& funds) const {
    const LeaseTerms& terms = lease.terms();
    const Credits verified = lease.EarnedByProvider(lease.VerifiedWeight());
    if (verified == Credits(0)) return SettleUnearned(terms.notional, terms.surcharge);
    return Settle({lease.provider_notional(), terms.surcharge, verified}, prices_->high, funds);
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
