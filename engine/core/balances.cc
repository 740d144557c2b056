#include "engine/core/balances.h"

#include "schema/types/arithmetic.h"

namespace warpbook::engine {
namespace {

// Adds to a bucket of the account, where it has one, and to its total. What was issued counts down
// from zero: it is a source.
void AddTo(State& state, Account& account, CreditBucket bucket, Credits amount) {
  switch (bucket) {
    case CreditBucket::kIssued:
      state.totals.issued -= amount;
      return;
    case CreditBucket::kFree:
      account.free += amount;
      state.totals.free += amount;
      WARPBOOK_CHECK(account.free >= Credits(0));
      return;
    case CreditBucket::kLocked:
      account.locked += amount;
      state.totals.locked += amount;
      WARPBOOK_CHECK(account.locked >= Credits(0));
      return;
    case CreditBucket::kEscrow:
      account.escrow += amount;
      state.totals.escrow += amount;
      WARPBOOK_CHECK(account.escrow >= Credits(0));
      return;
    case CreditBucket::kOwed:
      account.owed += amount;
      state.totals.owed += amount;
      return;
    case CreditBucket::kConsumed:
      state.totals.consumed += amount;
      return;
    case CreditBucket::kBurned:
      state.totals.burned += amount;
      return;
  }
}

}  // namespace

void MoveCredits(Context& context, Account& account, CreditBucket source, CreditBucket destination,
                 Credits amount, LeaseId lease, OrderId order) {
  WARPBOOK_CHECK(amount >= Credits(0));
  if (amount == Credits(0)) return;
  AddTo(context.state, account, source, -amount);
  AddTo(context.state, account, destination, amount);
  auto& event = context.events.Private<wire::CreditsMoved>(account);
  event.mutate_amount(amount.value());
  event.mutate_lease_id(lease.value());
  event.mutate_order_id(order.value());
  event.mutate_free_after(account.free.value());
  event.mutate_locked_after(account.locked.value());
  event.mutate_source(static_cast<uint8_t>(source));
  event.mutate_destination(static_cast<uint8_t>(destination));
}

Credits OrderValue(Price price, Quantity gpus, Minutes minutes) {
  const auto value = Notional(price, gpus, minutes);
  WARPBOOK_CHECK(value.has_value());
  return *value;
}

Credits BidLock(Price price, Quantity remaining, Minutes minutes, Tier tier) {
  const Credits value = OrderValue(price, remaining, minutes);
  return value + Surcharge(value, tier);
}

Credits BidLock(const Order& bid) {
  return BidLock(bid.price, bid.remaining, bid.lock_minutes, bid.tier);
}

Credits AskExposure(const Order& ask) {
  return OrderValue(ask.price, ask.remaining, ask.lock_minutes);
}

}  // namespace warpbook::engine
