#include "tests/simulation/economics/economy.h"

#include <algorithm>
#include <string>
#include <utility>

#include "schema/types/arithmetic.h"
#include "tests/simulation/violation.h"

namespace warpbook::economics {

using settlement::CoverageState;
using settlement::Holding;
using settlement::LedgerAccount;
using settlement::PriceQuote;
using settlement::Settlement;
using simulation::Require;

Economy::Economy() {
  Post(LedgerAccount(Holding::kIssuance), LedgerAccount(Holding::kOutside),
       settlement::kGenesisTokens.value());
  event_ = EventSequence(1);
  day_.budget = settlement::DailyEmission(pool_left_);
}

void Economy::Open(AccountId account, OwnerId owner) { owners_[account] = owner; }

void Economy::SetPrices(const std::array<settlement::PriceFeed, settlement::kPriceFeeds>& feeds,
                        Timestamp now) {
  WARPBOOK_CHECK(now >= now_);
  now_ = now;
  settlement::TakePrices(prices_, feeds, now);
  const auto quoted = quote();
  if (!quoted) return;
  Require(quoted->low <= quoted->median && quoted->median <= quoted->high,
          "tokens burn above the price or are paid below it");
}

std::optional<PriceQuote> Economy::quote() const { return settlement::QuotePrices(prices_, now_); }

Tokens Economy::Deposit(AccountId account, Tokens amount) {
  const LedgerAccount outside(Holding::kOutside);
  const Tokens moved = std::min(amount, Tokens(ledger_.balance(outside)));
  Post(outside, LedgerAccount(account, Holding::kTokens), moved.value());
  return moved;
}

Tokens Economy::Withdraw(AccountId account, Tokens amount) {
  const Tokens moved = std::min(amount, tokens(account));
  Post(LedgerAccount(account, Holding::kTokens), LedgerAccount(Holding::kOutside), moved.value());
  return moved;
}

std::optional<Credits> Economy::TopUp(AccountId account, Tokens burn) {
  const auto quoted = quote();
  if (!quoted || quoted->low <= TokenPrice(0) || burn > tokens(account)) return std::nullopt;
  const auto credits = settlement::TopUpCredits(burn, quoted->low);
  if (!credits || *credits == Credits(0)) return std::nullopt;
  // As the engine, whose totals are 63 bits wide.
  if (!CheckedAdd(Credits(-ledger_.total(Holding::kIssued)), *credits)) return std::nullopt;
  Post(LedgerAccount(account, Holding::kTokens), LedgerAccount(Holding::kVault), burn.value());
  Post(LedgerAccount(Holding::kIssued), LedgerAccount(account, Holding::kFree), credits->value());
  return credits;
}

LeaseId Economy::Fill(AccountId buyer, AccountId provider, Credits notional, Credits surcharge) {
  WARPBOOK_CHECK(notional > Credits(0) && surcharge >= Credits(0));
  WARPBOOK_CHECK(owners_.contains(provider));
  const Credits paid_in = notional + surcharge;
  if (free(buyer) < paid_in) return LeaseId();
  const LeaseId id(next_lease_++);
  Post(LedgerAccount(buyer, Holding::kFree), LedgerAccount(buyer, Holding::kLocked),
       paid_in.value());
  Post(LedgerAccount(buyer, Holding::kLocked), LedgerAccount(buyer, Holding::kEscrow),
       paid_in.value(), id);
  leases_[id] = {buyer, provider, {notional, surcharge, Credits(0)}, Credits(0)};
  books_.Fill(id, paid_in);
  return id;
}

void Economy::Deliver(LeaseId id, Credits verified) {
  const auto found = leases_.find(id);
  WARPBOOK_CHECK(found != leases_.end() && verified <= found->second.escrow.notional);
  found->second.escrow.verified = verified;
  delivered_.push_back(id);
}

void Economy::SettleDelivered() {
  const auto quoted = quote();
  if (quoted) {
    UpdateCoverage();
    PayQueue(*quoted);
  }
  std::erase_if(delivered_, [&](LeaseId id) { return SettleOne(id, quoted); });
}

settlement::Funds Economy::FundsNow() const {
  return {vault(), day_.LeftForSettlements(), coverage_ == CoverageState::kStressed};
}

void Economy::PayQueue(const PriceQuote& quote) {
  settlement::Funds funds = FundsNow();
  const auto paid = settlement::PayDeferred(queue_, quote.high, funds);
  for (size_t i = 0; i < paid.size(); ++i) {
    Require(paid[i].lease == queue_[i].lease, "a payment overtook an older one");
    Require(i + 1 == paid.size() || paid[i].settlement.owed == Credits(0),
            "an older payment is not complete, and a younger one was paid");
    Finish(paid[i].lease, quote, paid[i].settlement, true);
  }
  Require(funds.vault == vault() && funds.emission == day_.LeftForSettlements(),
          "the funds left by the queue are not those of the ledger");
  size_t ended = paid.size();
  if (ended > 0 && paid.back().settlement.owed > Credits(0)) {
    queue_[--ended].owed = paid.back().settlement.owed;
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(ended));
}

bool Economy::SettleOne(LeaseId id, const std::optional<PriceQuote>& quote) {
  const Lease& lease = leases_.at(id);
  if (lease.escrow.verified == Credits(0)) {
    Finish(id, {}, settlement::SettleUnearned(lease.escrow.notional, lease.escrow.surcharge),
           false);
    return true;
  }
  if (!quote) return false;
  // Nobody is paid before one who waits longer.
  const settlement::Funds funds = queue_.empty() ? FundsNow() : settlement::Funds{};
  const auto settled = settlement::Settle(lease.escrow, quote->high, funds);
  if (!settled) return false;
  Finish(id, *quote, *settled, false);
  if (settled->owed > Credits(0)) queue_.push_back({id, settled->owed});
  return true;
}

void Economy::Finish(LeaseId id, const PriceQuote& quote, const Settlement& settled,
                     bool deferred) {
  Lease& lease = leases_.at(id);
  const LedgerAccount source(lease.buyer, deferred ? Holding::kOwed : Holding::kEscrow);
  Post(source, LedgerAccount(Holding::kConsumed), settled.consumed.value(), id);
  if (!deferred) {
    Post(source, LedgerAccount(Holding::kBurned), settled.burned.value(), id);
    Post(source, LedgerAccount(lease.buyer, Holding::kFree), settled.refunded.value(), id);
    Post(source, LedgerAccount(lease.buyer, Holding::kOwed), settled.owed.value(), id);
    books_.Settle(id, settled);
    verified_ += settled.verified;
  }
  PostTokens(id, lease, settled);
  day_.spent += settled.emitted;
  const Tokens gross = settlement::PaidGross(settled);
  if (gross > Tokens(0)) {
    work_.try_emplace(owners_.at(lease.provider), Work{lease.provider, Tokens(0)})
        .first->second.gross += gross;
  }
  payments_.push_back({id, lease.buyer, lease.provider, quote, settled, deferred});
  lease.consumed += settled.consumed;
  if (settled.owed > Credits(0)) return;
  Require(lease.consumed == lease.escrow.verified, "lease ", id.value(), ": ",
          lease.consumed.value(), " paid for of ", lease.escrow.verified.value(), " verified");
  leases_.erase(id);
}

void Economy::PostTokens(LeaseId id, const Lease& lease, const Settlement& settled) {
  const LedgerAccount vault(Holding::kVault), issuance(Holding::kIssuance), fee(Holding::kFee);
  const LedgerAccount provider(lease.provider, Holding::kTokens);
  // The fee's part of what is minted, rounded down.
  const Tokens paid = settled.provider + settled.fee;
  const Tokens fee_emitted =
      paid == Tokens(0)
          ? Tokens(0)
          : Tokens(*MulDivDown(settled.fee.value(), settled.emitted.value(), paid.value()));
  const Tokens provider_emitted = settled.emitted - fee_emitted;
  Post(vault, provider, (settled.provider - provider_emitted).value(), id);
  Post(vault, fee, (settled.fee - fee_emitted).value(), id);
  Post(vault, issuance, settled.retire.value(), id);
  Post(issuance, provider, provider_emitted.value(), id);
  Post(issuance, fee, fee_emitted.value(), id);
}

EpochClose Economy::CloseEpoch() {
  EpochClose close;
  close.day = ++days_closed_;
  UpdateCoverage();
  close.bonus = PayBonus(close);
  if (const auto quoted = quote()) {
    close.retired = settlement::SurplusToRetire(vault(), quoted->median, debt());
    Post(LedgerAccount(Holding::kVault), LedgerAccount(Holding::kIssuance), close.retired.value());
  }
  Require(day_.spent.value() <= day_.budget.value() / 2,
          "settlements were paid more than half of the day's emission");
  close.emitted = day_.spent + close.bonus;
  Require(close.emitted <= day_.budget, "more was emitted than the day's emission");
  pool_left_ -= close.emitted;
  Require(counters().emitted <= settlement::EmissionBound(settlement::kEmissionPool, days_closed_),
          "more was emitted than the published bound");
  day_ = {settlement::DailyEmission(pool_left_), Tokens(0)};
  work_.clear();
  return close;
}

Tokens Economy::PayBonus(EpochClose& close) {
  if (coverage_ != CoverageState::kStressed) close.budget = day_.LeftForBonus();
  std::vector<settlement::OwnerWork> work;
  for (const auto& [owner, done] : work_) work.push_back({owner, done.gross});
  const auto bonus = settlement::WorkBonus(close.budget, work);
  Tokens all(0);
  for (size_t i = 0; i < work.size(); ++i) {
    close.owners.push_back({work[i].owner, work[i].gross, bonus[i]});
    Require(int128{bonus[i].value()} * 100 <= int128{work[i].gross.value()} * 4,
            "a bonus above 4% of the owner's own gross");
    Require(bonus[i].value() * 10 <= close.budget.value(), "a bonus above a tenth of all");
    Post(LedgerAccount(Holding::kIssuance),
         LedgerAccount(work_.at(work[i].owner).account, Holding::kTokens), bonus[i].value());
    all += bonus[i];
  }
  return all;
}

void Economy::UpdateCoverage() {
  const auto bps = coverage_bps();
  if (bps) coverage_ = settlement::NextCoverageState(coverage_, *bps);
}

void Economy::Check() {
  auto figures = books_.Figures(ledger_);
  figures.owed_to_leases = owed();
  figures.emitted_by_days = settlement::kEmissionPool - pool_left_ + day_.spent;
  if (const auto fault = settlement::FindViolation(figures)) throw simulation::Violation(*fault);
  const auto& c = counters();
  Require(c.emitted - day_.spent + pool_left_ == settlement::kEmissionPool,
          "the pool and what was emitted are not the pool of the beginning");
  Require(supply() <= settlement::kGenesisTokens + c.emitted && supply() >= Tokens(0),
          "the supply is above what was ever issued");
  Credits waiting(0);
  for (const auto& payment : queue_) waiting += payment.owed;
  Require(waiting == owed(), "owed are ", owed().value(), ", and ", waiting.value(), " wait");
  Require(verified_ == Credits(ledger_.total(Holding::kConsumed)) + owed(),
          "what was verified is not what was paid and what is owed");
}

Tokens Economy::tokens(AccountId account) const {
  return Tokens(ledger_.balance(LedgerAccount(account, Holding::kTokens)));
}

Credits Economy::free(AccountId account) const {
  return Credits(ledger_.balance(LedgerAccount(account, Holding::kFree)));
}

Credits Economy::credits(AccountId account) const {
  return free(account) + Credits(ledger_.balance(LedgerAccount(account, Holding::kEscrow))) +
         Credits(ledger_.balance(LedgerAccount(account, Holding::kOwed)));
}

Tokens Economy::vault() const { return Tokens(ledger_.total(Holding::kVault)); }

Tokens Economy::supply() const {
  return Tokens(-ledger_.total(Holding::kIssuance) - ledger_.total(Holding::kVault));
}

Credits Economy::debt() const {
  return Credits(ledger_.total(Holding::kFree)) + Credits(ledger_.total(Holding::kLocked)) +
         Credits(ledger_.total(Holding::kEscrow)) + owed();
}

Credits Economy::owed() const { return Credits(ledger_.total(Holding::kOwed)); }

std::optional<int64_t> Economy::coverage_bps() const {
  const auto quoted = quote();
  if (!quoted) return std::nullopt;
  return settlement::CoverageBps(vault(), quoted->median, debt());
}

std::vector<Payment> Economy::TakePayments() { return std::exchange(payments_, {}); }

void Economy::Post(LedgerAccount from, LedgerAccount to, int64_t amount, LeaseId lease) {
  if (amount == 0) return;
  const settlement::Transfer transfer{event_, 0, from, to, amount, lease};
  const absl::Status status = ledger_.Post(transfer);
  Require(status.ok(), status.message());
  books_.Post(transfer);
  if (event_) event_ = EventSequence(event_.value() + 1);
}

}  // namespace warpbook::economics
