// What each event of the journal does to the books.
#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "schema/types/arithmetic.h"
#include "schema/types/client_order_id.h"
#include "schema/types/judgement_reason.h"
#include "settlement/ledger/postings.h"
#include "settlement/service/books.h"
#include "settlement/tokens/work_bonus.h"

namespace warpbook::settlement {
namespace {

// Of what leaves escrow under a lease's name, by destination.
int64_t* MovedTo(LeaseEscrowFigures::Use& use, CreditBucket destination) {
  switch (destination) {
    case CreditBucket::kConsumed:
      return &use.consumed;
    case CreditBucket::kBurned:
      return &use.burned;
    case CreditBucket::kFree:
      return &use.refunded;
    case CreditBucket::kOwed:
      return &use.owed;
    case CreditBucket::kClearing:
      return &use.cleared;
    default:
      return nullptr;
  }
}

}  // namespace

absl::Status Books::On(const wire::AccountOpened& event) {
  AccountRow row;
  row.id = AccountId(event.header().account_id());
  row.owner = OwnerId(event.owner_id());
  row.kind = static_cast<AccountKind>(event.kind());
  if (!IsValid(row.kind) || !row.id || row.id.value() > LedgerAccount::kMemberMax) {
    return Fault("an account of no kind or number was opened");
  }
  std::memcpy(row.public_key.data(), event.public_key()->Data(), row.public_key.size());
  if (row.kind == AccountKind::kSettlement) settlement_accounts_[row.public_key] = row.id;
  if (row.kind == AccountKind::kMember) {
    for (const HoldingInfo& info : kHoldings) {
      if (info.of_member) ledger_.Open(LedgerAccount(row.id, info.holding));
    }
    owners_.Open({row.owner, row.id});
    changed_owners_.insert(row.id);
  }
  changes_.accounts.push_back(row);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::RequestTaken& event) {
  RequestRow row;
  row.sequence = Sequence(event.request_sequence());
  row.kind = static_cast<RequestKind>(event.kind());
  row.account = AccountId(event.account_id());
  row.amount = Tokens(event.amount_utok());
  const auto reference = ClientOrderId::FromBytes(event.reference()->Data());
  if (!IsValid(row.kind) || !row.account || row.account.value() > LedgerAccount::kMemberMax ||
      row.amount <= Tokens(0) || row.amount > kMaxTokens || !reference) {
    return Fault("a request that no engine takes");
  }
  row.reference = std::string(reference->view());
  changed_requests_[row.sequence] = row;
  if (!open_requests_.emplace(row.sequence, row).second) return Fault("a request taken twice");
  return absl::OkStatus();
}

absl::Status Books::On(const wire::RequestDecided& event) {
  const auto found = open_requests_.find(Sequence(event.request_sequence()));
  if (found == open_requests_.end()) return Fault("a request is decided that is not open");
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  RequestRow row = found->second;
  row.decision_number = *number;
  row.decided = EventSequence(event.header().event_sequence());
  row.reason = static_cast<RejectReason>(event.reason());
  row.credits = Credits(event.credits());
  if (event.header().account_id() != row.account.value() ||
      event.amount_utok() != row.amount.value() || event.kind() != static_cast<uint8_t>(row.kind)) {
    return Fault("a decision is not on the request as it was taken");
  }
  if (row.kind != RequestKind::kTopUp && row.reason == RejectReason::kNone &&
      !used_references_.insert(row.reference).second) {
    return Fault("the reference of a deposit or a withdrawal is used twice");
  }
  open_requests_.erase(found);
  changed_requests_[row.sequence] = row;
  if (absl::Status status = Post(event); !status.ok()) return status;
  current_.moved_tokens = true;
  return absl::OkStatus();
}

absl::Status Books::On(const wire::CreditsMoved& event) {
  const auto source = static_cast<CreditBucket>(event.source());
  const auto destination = static_cast<CreditBucket>(event.destination());
  const bool enters = destination == CreditBucket::kEscrow;
  const bool leaves = source == CreditBucket::kEscrow;
  const bool gains = source == CreditBucket::kClearing && !enters;
  if (enters || leaves || gains) {
    if (event.lease_id() == 0) return Fault("credits enter or leave escrow for no lease");
    const LeaseId lease(event.lease_id());
    moved_leases_.insert(lease);
    LeaseMoves& moves = lease_moves_[lease];
    int64_t* const part = enters  ? &moves.in
                          : gains ? &moves.gains
                                  : MovedTo(moves.out, destination);
    if (part == nullptr) return Fault("credits leave escrow for nowhere");
    *part += event.amount();
    const AccountId account(event.header().account_id());
    if (!std::ranges::count(moves.accounts, account)) moves.accounts.push_back(account);
  }
  return Post(event);
}

absl::Status Books::On(const wire::InstrumentOpened& event) {
  changes_.instruments.push_back({InstrumentId(event.instrument_id()), ClassId(event.class_id()),
                                  RegionId(event.region_id()), Timestamp(event.window_start_us()),
                                  Minutes(event.window_minutes())});
  return absl::OkStatus();
}

absl::Status Books::On(const wire::TradeExecuted& event) {
  LeaseTerms terms;
  terms.id = LeaseId(event.lease_id());
  terms.instrument = InstrumentId(event.instrument_id());
  terms.buyer = AccountId(event.buyer_account_id());
  terms.provider = AccountId(event.provider_account_id());
  terms.node = NodeId(event.node_id());
  terms.price = Price(event.price());
  terms.provider_price = Price(event.provider_price());
  terms.gpus = Quantity(event.gpus());
  terms.minutes = Minutes(event.minutes());
  terms.notional = Credits(event.notional());
  terms.surcharge = Credits(event.surcharge());
  terms.delivery_start = Timestamp(event.delivery_start_us());
  terms.delivery_end = Timestamp(event.delivery_end_us());
  terms.tier = static_cast<Tier>(event.tier());
  terms.assurance = static_cast<Assurance>(event.assurance());
  const AccountId seller(event.seller_account_id());
  if (event.resold_lease_id() != 0) {
    const absl::Status status = Resell(LeaseId(event.resold_lease_id()), seller, terms);
    if (!status.ok()) return status;
  } else if (seller != terms.provider) {
    return Fault("somebody else sells a provider's GPUs");
  }
  auto lease = Lease::Reserve(terms);
  if (!lease.ok()) return Fault(lease.status().message());
  for (size_t leg = 0; leg < terms.legs.size(); ++leg) {
    changes_.lease_legs.push_back({terms.id, static_cast<int>(leg), terms.legs[leg]});
  }
  const auto [added, is_new] =
      open_leases_.emplace(terms.id, LeaseRow{*std::move(lease), current_.time});
  if (!is_new) return Fault("a lease is made twice");
  Touch(added->second);
  return absl::OkStatus();
}

absl::Status Books::Resell(LeaseId resold, AccountId seller, LeaseTerms& made) {
  const auto found = OpenLease(resold.value());
  if (!found.ok()) return found.status();
  Lease& lease = (*found)->lease;
  if (seller != lease.terms().buyer) return Fault("somebody resells another one's lease");
  made.legs = lease.TermsOfResale(made.price).legs;
  if (absl::Status status = lease.Resell(made); !status.ok()) return Fault(status.message());
  Touch(**found);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::LeaseChanged& event) {
  // There is one for each party, and its settlement has an event of its own.
  const auto state = static_cast<LeaseState>(event.state());
  if (event.is_provider() != 0 || state == LeaseState::kSettled) return absl::OkStatus();
  const auto row = OpenLease(event.lease_id());
  if (!row.ok()) return row.status();
  if (absl::Status status = (*row)->lease.Change(state, event.completed() != 0, current_.time);
      !status.ok()) {
    return Fault(status.message());
  }
  Touch(**row);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::LeaseHeartbeat& event) {
  const auto row = OpenLease(event.lease_id());
  if (!row.ok()) return row.status();
  if (absl::Status status = (*row)->lease.Heartbeat(Timestamp(event.minute_us())); !status.ok()) {
    return Fault(status.message());
  }
  Touch(**row);
  return absl::OkStatus();
}

// There is one for each party; the buyer's is taken.
absl::Status Books::On(const wire::LeaseDisputed& event) {
  if (event.is_provider() != 0) return absl::OkStatus();
  const auto row = OpenLease(event.lease_id());
  if (!row.ok()) return row.status();
  if (absl::Status status = (*row)->lease.BeDisputed(Credits(event.deposit()), current_.time);
      !status.ok()) {
    return Fault(status.message());
  }
  Touch(**row);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::LeaseJudged& event) {
  if (event.is_provider() != 0) return absl::OkStatus();
  const auto row = OpenLease(event.lease_id());
  if (!row.ok()) return row.status();
  const auto reason = JudgementReasonOf(event.reason()->Data());
  if (absl::Status status =
          (*row)->lease.BeJudged(static_cast<DisputeVerdict>(event.verdict()), event.share(),
                                 reason.value_or(std::string_view()));
      !status.ok()) {
    return Fault(status.message());
  }
  Touch(**row);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::LeaseSettled& event) {
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  const auto found = OpenLease(event.lease_id());
  if (!found.ok()) return found.status();
  LeaseRow& row = **found;
  const auto earned = CheckedAdd(Credits(event.consumed()), Credits(event.owed()));
  if (!earned) return Fault("a lease earns more than there is");
  const Settlement figures = {*earned,
                              Credits(event.consumed()),
                              Credits(event.burned()),
                              Credits(event.refunded()),
                              Credits(event.owed()),
                              Tokens(event.gross_utok()),
                              Tokens(event.provider_utok()),
                              Tokens(event.fee_utok()),
                              Tokens(event.retire_utok()),
                              Tokens(event.emitted_utok())};
  if (absl::Status status = row.lease.BecomeSettled(
          figures, event.verified_weight(), Credits(event.gains()),
          Minutes(event.delivered_minutes()), static_cast<DisputeVerdict>(event.verdict()));
      !status.ok()) {
    return Fault(status.message());
  }
  row.decision_number = *number;
  row.settled = EventSequence(event.header().event_sequence());
  row.settled_at = current_.time;
  Touch(row);
  const LeaseTerms& terms = row.lease.terms();
  if (figures.owed > Credits(0)) {
    owed_.emplace(row.settled, OwedRow{row.settled, terms.id, terms.provider, figures.owed});
    owed_since_[terms.id] = row.settled;
    owed_to_leases_ += figures.owed;
  }
  TakeWork(terms.provider, figures);
  days_.TakeSettled(terms.provider, terms.buyer, figures.verified);
  if (absl::Status status = Post(event); !status.ok()) return status;
  current_.moved_tokens = true;
  return absl::OkStatus();
}

absl::Status Books::On(const wire::DeferredPaid& event) {
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  const LeaseId lease(event.lease_id());
  const auto since = owed_since_.find(lease);
  if (since == owed_since_.end()) return Fault("a lease is paid that is owed nothing");
  OwedRow& owed = owed_.at(since->second);
  Settlement paid;
  paid.consumed = Credits(event.consumed());
  paid.gross = Tokens(event.gross_utok());
  paid.provider = Tokens(event.provider_utok());
  paid.fee = Tokens(event.fee_utok());
  paid.retire = Tokens(event.retire_utok());
  paid.emitted = Tokens(event.emitted_utok());
  const Credits left(event.owed());
  if (paid.consumed <= Credits(0) || left < Credits(0) || paid.consumed != owed.left - left ||
      event.header().account_id() != owed.provider.value()) {
    return Fault("a deferred payment is not of what is owed");
  }
  paid.verified = owed.left;
  TakeWork(owed.provider, paid);
  owed_to_leases_ -= paid.consumed;
  owed.left = left;
  changes_.deferred.push_back(
      {*number, lease, EventSequence(event.header().event_sequence()), current_.time, paid, left});
  if (left == Credits(0)) {
    owed_.erase(since->second);
    owed_since_.erase(since);
  }
  if (absl::Status status = Post(event); !status.ok()) return status;
  current_.moved_tokens = true;
  return absl::OkStatus();
}

absl::Status Books::On(const wire::EpochClosed& event) {
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  const EpochTotals totals = changes_.confirmed.back().decision.epoch;
  if (absl::Status status = days_.BeClosed(totals, ledger_.counters().emitted); !status.ok()) {
    return Fault(status.message());
  }
  changes_.epochs.push_back(
      {*number, totals, EventSequence(event.header().event_sequence()), current_.time});
  if (absl::Status status = Post(event); !status.ok()) return status;
  current_.moved_tokens = true;
  return absl::OkStatus();
}

absl::Status Books::On(const wire::BonusPaid& event) {
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  const Decision& decision = changes_.confirmed.back().decision;
  if (absl::Status status = days_.BePaid(decision, EventSequence(event.header().event_sequence()));
      !status.ok()) {
    return Fault(status.message());
  }
  emitted_by_days_ += decision.epoch.bonus;
  return Post(event);
}

absl::Status Books::On(const wire::OwnerMarked& event) {
  const auto number = TakeDecision();
  if (!number.ok()) return number.status();
  const AccountId account(event.header().account_id());
  const OwnerRow* const owner = owners_.Find(account);
  if (owner == nullptr) return Fault("an owner is marked that is none");
  owners_.SetLarge(account, event.large() != 0);
  changes_.owner_marks.push_back(
      {*number, EventSequence(event.header().event_sequence()), owner->id, owner->large});
  changed_owners_.insert(account);
  return absl::OkStatus();
}

absl::Status Books::On(const wire::OwnerVerified& event) {
  const AccountId account(event.header().account_id());
  if (owners_.Find(account) == nullptr) return Fault("an owner is verified that is none");
  owners_.SetVerified(account, event.verified() != 0);
  changed_owners_.insert(account);
  return absl::OkStatus();
}

void Books::TakeWork(AccountId provider, const Settlement& paid) {
  emitted_by_days_ += paid.emitted;
  days_.TakePayment(provider, PaidGross(paid), paid.emitted);
}

absl::Status Books::On(const wire::PricesSet& event) {
  std::array<PriceFeed, kPriceFeeds> feeds;
  for (uint16_t i = 0; i < feeds.size(); ++i) {
    const wire::PriceFeed& feed = *event.feeds()->Get(i);
    feeds[i] = {TokenPrice(feed.price()), Timestamp(feed.time_us())};
  }
  TakePrices(prices_, feeds, current_.time);
  changes_.prices = prices_;
  current_.moved_tokens = true;
  return absl::OkStatus();
}

absl::Status Books::On(const wire::Checkpoint& event) {
  CheckpointFigures figures;
  figures.event = EventSequence(event.header().event_sequence());
  figures.engine_decision = event.settlement_number();
  figures.ledger_decision = cursor_.decision_number;
  const auto compare = [this, &figures](Holding holding, int64_t engine) {
    const auto slot = static_cast<size_t>(holding);
    const int64_t total = ledger_.total(holding);
    figures.engine[slot] = engine;
    figures.ledger[slot] = holding == Holding::kIssued ? -total : total;
  };
  compare(Holding::kIssued, event.issued());
  compare(Holding::kFree, event.free());
  compare(Holding::kLocked, event.locked());
  compare(Holding::kEscrow, event.escrow());
  compare(Holding::kOwed, event.owed());
  compare(Holding::kConsumed, event.consumed());
  compare(Holding::kBurned, event.burned());
  compare(Holding::kClearing, 0);
  changes_.checkpoint = CheckpointRow{figures.event, figures.engine_decision, figures.engine};
  LedgerFigures all = Figures();
  all.checkpoint = figures;
  return CheckInvariants(all);
}

absl::StatusOr<uint64_t> Books::TakeDecision() {
  const auto decision = DecisionOf(*current_.command);
  if (!decision) return Fault("something is decided by a command that decides nothing");
  if (decision->number != cursor_.decision_number + 1) {
    return Fault(absl::StrCat("decision ", decision->number, " follows ", cursor_.decision_number));
  }
  cursor_.decision_number = decision->number;
  changes_.confirmed.push_back({*decision, current_.sequence});
  return decision->number;
}

template <typename Event>
absl::Status Books::Post(const Event& event) {
  std::vector<Transfer> transfers;
  if (absl::Status status = AppendPostings(event, transfers); !status.ok()) {
    return Fault(status.message());
  }
  return PostAll(transfers);
}

absl::Status Books::PostAll(const std::vector<Transfer>& transfers) {
  for (const Transfer& transfer : transfers) {
    if (absl::Status status = ledger_.Post(transfer); !status.ok()) {
      return Fault(status.message());
    }
    changes_.transfers.push_back(transfer);
    // The counters count TOK alone, and so does an owner's size.
    if (transfer.debit.asset() != Asset::kTok) continue;
    changes_.counters = ledger_.counters();
    for (const LedgerAccount account : {transfer.debit, transfer.credit}) {
      if (!account.member()) continue;
      owners_.SetTokens(account.member(), Tokens(ledger_.balance(account)));
    }
  }
  if (transfers.empty()) return absl::OkStatus();
  const int64_t second = current_.time.micros() / kMicrosPerSecond;
  if (second != std::exchange(last_posting_second_, second)) {
    changes_.posting_seconds.push_back({transfers.front().event, second});
  }
  return absl::OkStatus();
}

absl::StatusOr<LeaseRow*> Books::OpenLease(uint64_t id) {
  const auto found = open_leases_.find(LeaseId(id));
  if (found == open_leases_.end()) {
    return Fault(absl::StrCat("lease ", id, " is not there or settled"));
  }
  return &found->second;
}

void Books::Touch(const LeaseRow& row) {
  changed_leases_.insert(row.lease.terms().id);
  due_leases_.Update(row.lease);
}

}  // namespace warpbook::settlement
