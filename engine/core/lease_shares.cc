#include "engine/core/lease_shares.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/core/balances.h"
#include "schema/types/arithmetic.h"

namespace warpbook::engine {
namespace {

// price x weight / 10,000 for a weight of the lease, so it fits.
Credits EarnedDown(Price price, int64_t weight) {
  const auto earned = MulDivDown(price.value(), weight, kFullShare);
  WARPBOOK_CHECK(earned.has_value());
  return Credits(*earned);
}
Credits EarnedUp(Price price, int64_t weight) {
  const auto earned = MulDivUp(price.value(), weight, kFullShare);
  WARPBOOK_CHECK(earned.has_value());
  return Credits(*earned);
}

bool IsGain(const ResaleLeg& leg) { return leg.difference > Price(0); }

// Something due, as far as it has not been paid yet.
struct Due {
  Account* trader = nullptr;  // whose gain it is; null: it goes to the bucket
  CreditBucket bucket = CreditBucket::kFree;
  Credits left;
};

class Shares {
 public:
  Shares(Context& context, const Lease& lease, const EscrowUse& use)
      : context_(context), lease_(lease) {
    for (const ResaleLeg& leg : lease.legs()) {
      if (IsGain(leg)) {
        dues_.push_back({leg.trader, CreditBucket::kFree, EarnedDown(leg.difference, use.weight)});
      }
    }
    dues_.push_back({nullptr, CreditBucket::kConsumed, use.consumed});
    dues_.push_back({nullptr, CreditBucket::kOwed, use.owed});
    for (const Due& due : dues_) left_ += due.left;
  }

  Credits left() const { return left_; }
  std::vector<OwedShare> TakeOwed() { return std::move(owed_); }

  // The account pays `part` (at most what is left) of what is due out of its escrow.
  void Pay(Account& payer, Credits part) {
    left_ -= part;
    for (Due& due : dues_) {
      const Credits amount = std::min(part, due.left);
      due.left -= amount;
      part -= amount;
      if (due.trader == nullptr) {
        Move(payer, CreditBucket::kEscrow, due.bucket, amount);
        if (due.bucket == CreditBucket::kOwed && amount > Credits(0)) {
          owed_.push_back({&payer, amount});
        }
      } else {
        Move(payer, CreditBucket::kEscrow, CreditBucket::kClearing, amount);
        Move(*due.trader, CreditBucket::kClearing, due.bucket, amount);
      }
    }
  }
  void Move(Account& account, CreditBucket source, CreditBucket destination, Credits amount) {
    MoveCredits(context_, account, source, destination, amount, lease_.id, OrderId());
  }

 private:
  Context& context_;
  const Lease& lease_;
  std::vector<Due> dues_;
  Credits left_;
  std::vector<OwedShare> owed_;
};

}  // namespace

Credits ProviderNotional(const Lease& lease) {
  return OrderValue(lease.provider_price, lease.gpus, lease.minutes);
}

Credits WholeEscrow(const Lease& lease) {
  Credits escrow = lease.notional + lease.surcharge;
  for (const ResaleLeg& leg : lease.legs()) {
    if (!IsGain(leg)) escrow += OrderValue(-leg.difference, lease.gpus, lease.minutes);
  }
  return escrow;
}

int64_t FullWeight(const Lease& lease) {
  return int64_t{lease.gpus.value()} * lease.minutes.value() * kFullShare;
}

Credits EarnedByProvider(const Lease& lease, int64_t weight) {
  return EarnedDown(lease.provider_price, weight);
}

Credits EarnedByTraders(const Lease& lease, int64_t weight) {
  Credits gains;
  for (const ResaleLeg& leg : lease.legs()) {
    if (IsGain(leg)) gains += EarnedDown(leg.difference, weight);
  }
  return gains;
}

std::vector<OwedShare> UseEscrow(Context& context, const Lease& lease, const EscrowUse& use) {
  Shares shares(context, lease, use);
  for (const ResaleLeg& leg : lease.legs()) {
    if (IsGain(leg)) continue;
    const Credits escrow = OrderValue(-leg.difference, lease.gpus, lease.minutes);
    const Credits part = std::min(EarnedUp(-leg.difference, use.weight), shares.left());
    shares.Pay(*leg.trader, part);
    shares.Move(*leg.trader, CreditBucket::kEscrow, CreditBucket::kFree, escrow - part);
  }
  const Credits part = shares.left();
  shares.Pay(*lease.buyer, part);
  shares.Move(*lease.buyer, CreditBucket::kEscrow, CreditBucket::kBurned, use.burned);
  shares.Move(*lease.buyer, CreditBucket::kEscrow, CreditBucket::kFree,
              lease.notional + lease.surcharge - part - use.burned);
  return shares.TakeOwed();
}

void PayOwed(Context& context, LeaseId lease, OwedLease& owed, Credits amount) {
  WARPBOOK_CHECK(amount <= owed.left());
  for (OwedShare& share : owed.shares) {
    const Credits part = std::min(amount, share.left);
    share.left -= part;
    amount -= part;
    MoveCredits(context, *share.payer, CreditBucket::kOwed, CreditBucket::kConsumed, part, lease,
                OrderId());
  }
  std::erase_if(owed.shares, [](const OwedShare& share) { return share.left == Credits(0); });
}

}  // namespace warpbook::engine
