#include "gateway/publish/positions.h"

#include <map>
#include <string>
#include <string_view>

#include "schema/types/arithmetic.h"

namespace warpbook::gateway {
namespace {

// GPUs of leases of one window, and what they cost.
struct Holding {
  int64_t gpus = 0;
  int64_t gpu_minutes = 0;
  Credits notional;

  void Add(const LeaseRow& lease, Price price) {
    gpus += lease.gpus.value();
    gpu_minutes += int64_t{lease.gpus.value()} * lease.minutes.value();
    notional += Notional(price, lease.gpus, lease.minutes).value_or(Credits(0));
  }
};

struct Position {
  std::string_view symbol;
  Holding bought, provided;
  int64_t bid = 0, offered = 0, resold = 0;  // GPUs of open orders
};

bool IsToBeDelivered(LeaseState state) {
  return state == LeaseState::kReserved || state == LeaseState::kActive;
}

void WriteHolding(MessageWriter& out, std::string_view key, const Holding& holding) {
  out.Key(key).BeginObject();
  out.Field("gpus", holding.gpus).Field("gpu_minutes", holding.gpu_minutes);
  out.Field("notional", holding.notional);
  // A credit is a GPU-minute at a micro-USD an hour.
  if (holding.gpu_minutes != 0 && holding.notional.value() % holding.gpu_minutes == 0) {
    out.Field("average_price", Price(holding.notional.value() / holding.gpu_minutes));
  }
  out.EndObject();
}

}  // namespace

void WritePositions(MessageWriter& out, const AccountRow& account, const MarketState& state) {
  std::map<InstrumentId, Position> positions;
  for (const LeaseId id : account.leases) {
    const LeaseRow& lease = *state.FindLease(id);
    if (!IsToBeDelivered(lease.state)) continue;
    Position& position = positions[lease.terms->id];
    position.symbol = lease.terms->symbol;
    if (lease.buyer == account.id) position.bought.Add(lease, lease.price);
    if (lease.provider == account.id) position.provided.Add(lease, lease.provider_price);
  }
  for (const OrderId id : account.orders) {
    const OrderRow& order = *state.FindOrder(id);
    Position& position = positions[order.instrument];
    position.symbol = state.FindInstrument(order.instrument)->terms->symbol;
    int64_t& gpus = order.side == Side::kBuy ? position.bid
                    : order.lease            ? position.resold
                                             : position.offered;
    gpus += order.remaining.value();
  }
  out.BeginArray();
  for (const auto& [id, position] : positions) {
    out.BeginObject().Field("symbol", position.symbol);
    WriteHolding(out, "bought", position.bought);
    WriteHolding(out, "provided", position.provided);
    out.Field("bid_gpus", position.bid).Field("offered_gpus", position.offered);
    out.Field("resale_gpus", position.resold).EndObject();
  }
  out.EndArray();
}

}  // namespace warpbook::gateway
