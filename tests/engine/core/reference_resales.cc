// The reference's resales: what may be resold, where the money goes, and who pays in the end.
#include <algorithm>

#include "tests/engine/core/reference_market.h"

namespace warpbook::reference {

int64_t ReferenceMarket::LeaseLeft(uint64_t lease) const {
  int64_t left = 0;
  for (const Lease& l : leases_) {
    if (l.id == lease) left += l.gpus;
  }
  for (const Order& order : orders_) {
    if (order.lease == lease) left -= order.left;
  }
  return left;
}

// Whether the lease may be resold at all: it is the sender's, of this very instrument, and a fill
// now would deliver what it delivers.
ReferenceMarket::Answer ReferenceMarket::JudgeResale(const Order& order,
                                                     const Instrument& instrument) const {
  for (const Lease& lease : leases_) {
    if (lease.id != order.lease || lease.buyer != order.account) continue;
    if (lease.instrument != instrument.id || now_ >= instrument.start - instrument.notice) {
      return {RejectReason::kLeaseNotResalable, instrument.start - instrument.notice};
    }
    return {};
  }
  return {RejectReason::kUnknownLease};
}

// The lease loses GPUs to another one; its buyer's surcharge on them is burned. Returns what it
// was.
Lease ReferenceMarket::TakeFrom(Lease& lease, int32_t gpus) {
  const Lease before = lease;
  lease.gpus -= gpus;
  lease.notional = Value(lease.price, lease.gpus, lease.minutes);
  lease.surcharge = before.surcharge / before.gpus * lease.gpus;
  accounts_[lease.buyer - 1].burned += before.surcharge - lease.surcharge;
  return before;
}

// What a resale did to the money of those who sold, now that it is done. `resold`: as it was.
void ReferenceMarket::TellResale(const Lease& resold, const Lease& made) {
  const Lease now = *FindLease(resold.id);
  const int64_t back = Value(std::min(resold.price, made.price), made.gpus, made.minutes);
  FreeCredits free = FreeOfAll();
  free[resold.buyer] -= back;
  const auto carry = [&](uint64_t account, int64_t paid, int64_t got) {
    const int64_t loss = Value(std::max<int64_t>(0, paid - got), made.gpus, made.minutes);
    Move(free, account, CreditBucket::kEscrow, CreditBucket::kClearing, loss, resold.id);
    Move(free, account, CreditBucket::kClearing, CreditBucket::kEscrow, loss, made.id);
  };
  Move(free, resold.buyer, CreditBucket::kEscrow, CreditBucket::kFree, back, resold.id);
  Move(free, resold.buyer, CreditBucket::kEscrow, CreditBucket::kBurned,
       resold.surcharge - now.surcharge, resold.id);
  carry(resold.buyer, resold.price, made.price);
  for (const Lease::Step& step : resold.steps) carry(step.trader, step.paid, step.got);
  for (const bool provider : {false, true}) {
    wire::LeaseResold event;
    event.mutate_lease_id(made.id);
    event.mutate_resold_lease_id(resold.id);
    event.mutate_price(made.price);
    event.mutate_instrument_id(made.instrument);
    event.mutate_gpus(made.gpus);
    event.mutate_gpus_left(now.gpus);
    event.mutate_is_provider(provider);
    EmitPrivate(event, provider ? resold.provider : resold.buyer);
  }
  if (now.gpus > 0) return;
  FindLease(resold.id)->state = LeaseState::kResold;
  EmitLease(*FindLease(resold.id));
  std::erase_if(leases_, [&](const Lease& lease) { return lease.id == resold.id; });
}

// Everybody who put something aside pays a part, one after the other, until all that is to be paid
// is: first the gains, then the provider's work. What is left of each one's own goes back to it.
void ReferenceMarket::UseEscrow(const wire::SettleLease& c, const Lease& lease) {
  struct Payer {
    uint64_t account = 0;
    int64_t has = 0, pays = 0, burns = 0;
  };
  struct Payee {
    uint64_t trader = 0;  // 0: nobody's
    CreditBucket bucket = CreditBucket::kFree;
    int64_t gets = 0;
  };
  std::vector<Payee> payees;
  int64_t to_pay = c.consumed() + c.owed();
  for (const Lease::Step& step : lease.steps) {
    if (step.got <= step.paid) continue;
    const int64_t gain = Earned(step.got - step.paid, c.verified_weight());
    payees.push_back({step.trader, CreditBucket::kFree, gain});
    to_pay += gain;
  }
  payees.push_back({0, CreditBucket::kConsumed, c.consumed()});
  payees.push_back({0, CreditBucket::kOwed, c.owed()});
  std::vector<Payer> payers;
  for (const Lease::Step& step : lease.steps) {
    if (step.got >= step.paid) continue;
    const int64_t loss = step.paid - step.got;
    const auto share = static_cast<int64_t>((int128{loss} * c.verified_weight() + 9'999) / 10'000);
    const int64_t pays = std::min(share, to_pay);
    to_pay -= pays;
    payers.push_back({step.trader, Value(loss, lease.gpus, lease.minutes), pays, 0});
  }
  payers.push_back({lease.buyer, lease.notional + lease.surcharge, to_pay, c.burned()});

  FreeCredits free = FreeOfAll();
  const auto move = [&](uint64_t account, CreditBucket from, CreditBucket to, int64_t amount) {
    Move(free, account, from, to, amount, lease.id);
  };
  for (Payer& payer : payers) {
    Account& account = accounts_[payer.account - 1];
    const int64_t refund = payer.has - payer.pays - payer.burns;
    for (Payee& payee : payees) {
      const int64_t amount = std::min(payer.pays, payee.gets);
      payer.pays -= amount;
      payee.gets -= amount;
      if (payee.trader != 0) {
        move(payer.account, CreditBucket::kEscrow, CreditBucket::kClearing, amount);
        move(payee.trader, CreditBucket::kClearing, CreditBucket::kFree, amount);
        account.paid_gains += amount;
        accounts_[payee.trader - 1].gained += amount;
      } else {
        move(payer.account, CreditBucket::kEscrow, payee.bucket, amount);
        (payee.bucket == CreditBucket::kConsumed ? account.consumed : account.owed) += amount;
        if (payee.bucket == CreditBucket::kOwed && amount > 0) {
          debts_.push_back({lease.id, lease.provider, payer.account, amount});
        }
      }
    }
    move(payer.account, CreditBucket::kEscrow, CreditBucket::kBurned, payer.burns);
    move(payer.account, CreditBucket::kEscrow, CreditBucket::kFree, refund);
    account.burned += payer.burns;
  }
  if (c.verdict() == static_cast<uint8_t>(DisputeVerdict::kUnfounded)) {
    move(lease.buyer, CreditBucket::kEscrow, CreditBucket::kClearing, lease.deposit);
    move(lease.provider, CreditBucket::kClearing, CreditBucket::kFree, lease.deposit);
    accounts_[lease.buyer - 1].paid_gains += lease.deposit;
    accounts_[lease.provider - 1].gained += lease.deposit;
  } else {
    move(lease.buyer, CreditBucket::kEscrow, CreditBucket::kFree, lease.deposit);
  }
}

}  // namespace warpbook::reference
