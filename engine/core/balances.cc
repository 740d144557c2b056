#include "engine/core/balances.h"

namespace warpbook::engine {
namespace {

// Where a bucket is kept: of the account, where it has one, and of all accounts. What was issued
// counts down from zero: it is a source.
struct BucketPlace {
  Credits Account::*of_account = nullptr;
  Credits CreditTotals::*of_all = nullptr;
};
constexpr BucketPlace PlaceOf(CreditBucket bucket) {
  switch (bucket) {
    case CreditBucket::kIssued:
      return {nullptr, &CreditTotals::issued};
    case CreditBucket::kFree:
      return {&Account::free, &CreditTotals::free};
    case CreditBucket::kLocked:
      return {&Account::locked, &CreditTotals::locked};
    case CreditBucket::kEscrow:
      return {&Account::escrow, &CreditTotals::escrow};
    case CreditBucket::kOwed:
      return {&Account::owed, &CreditTotals::owed};
    case CreditBucket::kConsumed:
      return {nullptr, &CreditTotals::consumed};
    case CreditBucket::kBurned:
      return {nullptr, &CreditTotals::burned};
    case CreditBucket::kClearing:
      return {nullptr, &CreditTotals::clearing};
  }
  return {};
}

inline void Take(State& state, Account& account, BucketPlace place, Credits amount) {
  state.totals.*place.of_all -= amount;
  if (place.of_account == nullptr) return;
  account.*place.of_account -= amount;
  WARPBOOK_CHECK(account.*place.of_account >= Credits(0));
}

inline void Put(State& state, Account& account, BucketPlace place, Credits amount) {
  state.totals.*place.of_all += amount;
  if (place.of_account != nullptr) account.*place.of_account += amount;
}

// Inlined where the buckets are constants.
[[gnu::always_inline]] inline void Move(Context& context, Account& account, CreditBucket source,
                                        CreditBucket destination, Credits amount, LeaseId lease,
                                        OrderId order) {
  WARPBOOK_CHECK(amount >= Credits(0));
  if (amount == Credits(0)) return;
  if (source == CreditBucket::kIssued) {
    context.state.totals.issued += amount;
  } else {
    Take(context.state, account, PlaceOf(source), amount);
  }
  Put(context.state, account, PlaceOf(destination), amount);
  const auto event = context.events.Private<wire::CreditsMoved>(account);
  event->mutate_amount(amount.value());
  event->mutate_lease_id(lease.value());
  event->mutate_order_id(order.value());
  event->mutate_free_after(account.free.value());
  event->mutate_locked_after(account.locked.value());
  SetTail(*event, Bytes(source, destination));
}

}  // namespace

void MoveCredits(Context& context, Account& account, CreditBucket source, CreditBucket destination,
                 Credits amount, LeaseId lease, OrderId order) {
  Move(context, account, source, destination, amount, lease, order);
}

void LockCredits(Context& context, Account& account, Credits amount, OrderId order) {
  Move(context, account, CreditBucket::kFree, CreditBucket::kLocked, amount, LeaseId(), order);
}

void ReleaseCredits(Context& context, Account& account, Credits amount, OrderId order) {
  Move(context, account, CreditBucket::kLocked, CreditBucket::kFree, amount, LeaseId(), order);
}

}  // namespace warpbook::engine
