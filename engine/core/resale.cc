#include "engine/core/resale.h"

#include <algorithm>

#include "engine/core/balances.h"
#include "engine/core/handlers.h"

namespace warpbook::engine {
namespace {

// A part of an account's escrow that now belongs to another lease.
void CarryEscrow(Context& context, Account& account, Credits amount, LeaseId from, LeaseId to) {
  MoveCredits(context, account, CreditBucket::kEscrow, CreditBucket::kClearing, amount, from,
              OrderId());
  MoveCredits(context, account, CreditBucket::kClearing, CreditBucket::kEscrow, amount, to,
              OrderId());
}

void EmitLeaseResold(Context& context, const Lease& resold, const Lease& made) {
  for (const bool is_provider : {false, true}) {
    const auto event =
        context.events.Private<wire::LeaseResold>(is_provider ? *resold.provider : *resold.buyer);
    event->mutate_lease_id(made.id.value());
    event->mutate_resold_lease_id(resold.id.value());
    event->mutate_price(made.price.value());
    event->mutate_instrument_id(made.instrument.value());
    event->mutate_gpus(made.gpus.value());
    event->mutate_gpus_left(resold.gpus.value());
    event->mutate_is_provider(is_provider ? 1 : 0);
  }
}

void Forget(State& state, Lease& lease) {
  std::vector<LeaseId>& listed = state.instruments.Find(lease.instrument)->leases;
  listed.erase(std::ranges::lower_bound(listed, lease.id));
  state.leases.Erase(lease);
}

}  // namespace

Lease& MakeResoldLease(Context& context, const Order& bid, const Order& ask, Price price,
                       Quantity gpus) {
  State& state = context.state;
  Instrument& instrument = *bid.instrument;
  const Lease& resold = *ask.lease;
  WARPBOOK_CHECK(instrument.MinutesAt(context.now) == resold.minutes);
  Lease& lease = state.leases.Add(LeaseId(++state.last_lease_id));
  lease.instrument = resold.instrument;
  lease.buyer = bid.account;
  lease.provider = resold.provider;
  lease.node = resold.node;
  lease.price = price;
  lease.provider_price = resold.provider_price;
  lease.gpus = gpus;
  lease.minutes = resold.minutes;
  lease.notional = OrderValue(price, gpus, lease.minutes);
  lease.surcharge = BidLock(price, gpus, lease.minutes, bid.tier) - lease.notional;
  lease.delivery_start = resold.delivery_start;
  lease.delivery_end = resold.delivery_end;
  lease.assurance = resold.assurance;
  state.leases.SetLegs(lease, resold.legs(), {ask.account, price - resold.price});
  instrument.leases.push_back(lease.id);
  return lease;
}

void TakeFromResold(Context& context, Lease& resold, const Lease& made) {
  Account& trader = *resold.buyer;
  const Credits held = OrderValue(resold.price, made.gpus, made.minutes);
  // Exact: a surcharge is so much for each GPU.
  const Credits surcharge =
      Credits(resold.surcharge.value() / resold.gpus.value() * made.gpus.value());
  const Credits released = std::min(held, made.notional);
  MoveCredits(context, trader, CreditBucket::kEscrow, CreditBucket::kFree, released, resold.id,
              OrderId());
  MoveCredits(context, trader, CreditBucket::kEscrow, CreditBucket::kBurned, surcharge, resold.id,
              OrderId());
  CarryEscrow(context, trader, held - released, resold.id, made.id);
  for (const ResaleLeg& leg : resold.legs()) {
    if (leg.difference > Price(0)) continue;
    CarryEscrow(context, *leg.trader, OrderValue(-leg.difference, made.gpus, made.minutes),
                resold.id, made.id);
  }
  resold.gpus -= made.gpus;
  resold.notional -= held;
  resold.surcharge -= surcharge;
  EmitLeaseResold(context, resold, made);
  if (resold.gpus > Quantity(0)) return;
  resold.state = LeaseState::kResold;
  EmitLeaseChanged(context, resold);
  Forget(context.state, resold);
}

}  // namespace warpbook::engine
