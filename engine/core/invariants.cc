#include "engine/core/invariants.h"

#include <map>
#include <utility>

#include "engine/core/balances.h"

namespace warpbook::engine {
namespace {

// What the orders and leases say that accounts and nodes must show.
struct Expected {
  struct OfAccount {
    Credits locked, escrow, exposure;
    uint32_t orders = 0;
  };
  std::map<AccountId, OfAccount> accounts;
  std::map<std::pair<NodeId, InstrumentId>, NodeUse> nodes;
  std::map<LeaseId, Quantity> resale_open;
  size_t orders = 0;
  size_t levels = 0;
};

void CheckOrder(const Order& order, const Instrument& instrument, const PriceLevel& level) {
  WARPBOOK_CHECK(order.level == &level && order.instrument == &instrument);
  WARPBOOK_CHECK(order.price == instrument.book.ladder(order.side).PriceOf(level));
  WARPBOOK_CHECK(order.remaining > Quantity(0) && order.remaining <= order.gpus);
  WARPBOOK_CHECK(order.remaining >= order.min_fill);
  WARPBOOK_CHECK(order.expires <= instrument.gate);
  if (order.is_resale) {
    WARPBOOK_CHECK(order.side == Side::kSell && order.expires <= instrument.ResaleEnd());
  } else {
    WARPBOOK_CHECK((order.side == Side::kSell) == (order.node != nullptr));
  }
  WARPBOOK_CHECK(order.account->kind == AccountKind::kMember);
}

void AddOrder(const Order& order, Expected& expected) {
  Expected::OfAccount& account = expected.accounts[order.account->id];
  ++account.orders;
  ++expected.orders;
  if (order.side == Side::kBuy) {
    account.locked += BidLock(order);
  } else if (order.is_resale) {
    expected.resale_open[order.lease->id] += order.remaining;
  } else {
    account.exposure += AskExposure(order);
    expected.nodes[{order.node->id, order.instrument->id}].open += order.remaining;
  }
}

size_t CheckLadder(const Instrument& instrument, Side side, Expected& expected) {
  size_t count = 0;
  const PriceLadder& ladder = instrument.book.ladder(side);
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    Quantity gpus;
    uint32_t orders = 0;
    for (size_t queue = 0; queue < kTierCount; ++queue) {
      const Order* previous = nullptr;
      for (const Order* order = level->queues[queue].head; order != nullptr;
           order = order->queue_next) {
        CheckOrder(*order, instrument, *level);
        WARPBOOK_CHECK(order->side == side && order->queue() == queue);
        WARPBOOK_CHECK(order->queue_previous == previous);
        gpus += order->remaining;
        ++orders;
        previous = order;
        AddOrder(*order, expected);
      }
      WARPBOOK_CHECK(level->queues[queue].tail == previous);
    }
    ++expected.levels;
    WARPBOOK_CHECK(orders > 0 && level->orders() == orders && level->gpus == gpus);
    WARPBOOK_CHECK(!level->touched());
    count += orders;
  }
  return count;
}

// Nothing that rests could trade with anything else that rests.
void CheckNothingTradable(const Instrument& instrument) {
  const PriceLadder& bids = instrument.book.ladder(Side::kBuy);
  for (const PriceLevel* level = bids.Best(); level != nullptr; level = bids.Next(*level)) {
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* bid = queue.head; bid != nullptr; bid = bid->queue_next) {
        WARPBOOK_CHECK(!AnyCouldTrade(
            instrument.book,
            {bid->owner, Side::kBuy, bid->price, bid->remaining, bid->min_fill, bid->assurance,
             bid->min_assurance, bid->self_trade_prevention, false}));
      }
    }
  }
}

void CheckInstruments(const State& state, Expected& expected) {
  for (const auto& [id, instrument] : state.instruments.all()) {
    WARPBOOK_CHECK(instrument->id == id && id.value() <= state.instruments.opened());
    for (const Side side : {Side::kBuy, Side::kSell}) {
      const size_t orders = CheckLadder(*instrument, side, expected);
      WARPBOOK_CHECK(orders == instrument->book.order_count(side));
      WARPBOOK_CHECK(orders == 0 || instrument->state != InstrumentState::kGateClosed);
    }
    CheckNothingTradable(*instrument);
  }
  WARPBOOK_CHECK(state.book_changes.empty());
  WARPBOOK_CHECK(state.orders.size() == expected.orders);
  WARPBOOK_CHECK(state.ladder_memory.levels.live() == expected.levels);
  WARPBOOK_CHECK(state.order_memory.live() == expected.orders);
}

// The legs that resales left, what their traders keep in escrow, and the asks that resell it.
void CheckResale(const State& state, const Lease& lease, Expected& expected) {
  Price price = lease.provider_price;
  for (const ResaleLeg& leg : lease.legs()) {
    WARPBOOK_CHECK(leg.difference != Price(0));
    price += leg.difference;
    if (leg.difference > Price(0)) continue;
    expected.accounts[leg.trader->id].escrow +=
        OrderValue(-leg.difference, lease.gpus, lease.minutes);
  }
  WARPBOOK_CHECK(price == lease.price && lease.gpus > Quantity(0));
  WARPBOOK_CHECK(lease.legs().size() <= state.limits.resales_per_lease_max);
  WARPBOOK_CHECK(lease.resale_open <= lease.gpus);
  WARPBOOK_CHECK(lease.resale_open == Quantity(0) || lease.state == LeaseState::kReserved);
  const auto open = expected.resale_open.find(lease.id);
  WARPBOOK_CHECK(lease.resale_open ==
                 (open == expected.resale_open.end() ? Quantity(0) : open->second));
  if (open != expected.resale_open.end()) expected.resale_open.erase(open);
}

void CheckLeases(const State& state, Expected& expected) {
  size_t open_leases = 0;
  LeaseId previous;
  size_t count = 0;
  for (const Lease* at = state.leases.first(); at != nullptr; at = at->next) {
    const Lease& lease = *at;
    WARPBOOK_CHECK(lease.id > previous && lease.id.value() <= state.last_lease_id);
    WARPBOOK_CHECK(state.leases.Find(lease.id) == at);
    previous = lease.id;
    ++count;
    WARPBOOK_CHECK(lease.state != LeaseState::kSettled && lease.state != LeaseState::kResold &&
                   lease.minutes >= Minutes(1));
    WARPBOOK_CHECK(lease.notional == OrderValue(lease.price, lease.gpus, lease.minutes));
    expected.accounts[lease.buyer->id].escrow += lease.notional + lease.surcharge;
    CheckResale(state, lease, expected);
    const bool listed = state.instruments.all().contains(lease.instrument);
    WARPBOOK_CHECK(lease.open() == listed);
    if (!listed) continue;
    ++open_leases;
    expected.accounts[lease.provider->id].exposure +=
        OrderValue(lease.provider_price, lease.gpus, lease.minutes);
    expected.nodes[{lease.node->id, lease.instrument}].sold += lease.gpus;
  }
  WARPBOOK_CHECK(state.leases.size() == count);
  WARPBOOK_CHECK(expected.resale_open.empty());  // of no lease that is gone
  size_t listed = 0;
  for (const auto& [id, instrument] : state.instruments.all()) {
    for (const LeaseId lease : instrument->leases) {
      WARPBOOK_CHECK(state.leases.Find(lease)->instrument == id);
      ++listed;
    }
  }
  WARPBOOK_CHECK(listed == open_leases);
}

// The account's own list of orders and its memory of client order ids. Returns how many of those.
size_t CheckAccountOrders(const State& state, const Account& account) {
  const Order* previous = nullptr;
  uint32_t orders = 0;
  std::map<InstrumentId, uint32_t> in_book;
  const ClientOrderIds& ids = state.client_order_ids;
  size_t live_ids = 0;
  for (const Order* order = account.first_order; order != nullptr; order = order->account_next) {
    WARPBOOK_CHECK(order->account == &account && order->owner == account.owner);
    WARPBOOK_CHECK(order->account_previous == previous);
    WARPBOOK_CHECK(previous == nullptr || previous->id < order->id);
    WARPBOOK_CHECK(state.orders.Find(order->id) == order);
    const bool expires = order->expires < order->instrument->gate;
    WARPBOOK_CHECK(state.expiries.contains({order->expires, order->id}) == expires);
    ++orders;
    ++in_book[order->instrument->id];
    if (order->client_order_handle != 0) {
      ++live_ids;
      const auto remembered = ids.Find(account.id, ids.IdOf(*order));
      WARPBOOK_CHECK(remembered && remembered->live && remembered->order == order->id);
    }
    previous = order;
  }
  WARPBOOK_CHECK(account.last_order == previous && account.order_count == orders);
  WARPBOOK_CHECK(account.orders_in_book.size() == in_book.size());
  for (const auto& [id, count] : in_book) WARPBOOK_CHECK(*account.orders_in_book.Find(id) == count);
  size_t finished_ids = 0;
  ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& finished) {
    ++finished_ids;
    const auto remembered = ids.Find(account.id, finished.id);
    WARPBOOK_CHECK(remembered && !remembered->live && remembered->order == finished.order);
  });
  return live_ids + finished_ids;
}

void CheckAccounts(const State& state, Expected& expected) {
  std::map<AccountId, uint32_t> top_ups;
  for (const auto& [sequence, request] : state.requests) {
    if (request.kind == RequestKind::kTopUp) ++top_ups[request.account];
  }
  CreditTotals sums;
  size_t client_order_ids = 0;
  state.accounts.all().ForEach([&](const Account& account) {
    const Expected::OfAccount& of_account = expected.accounts[account.id];
    WARPBOOK_CHECK(account.free >= Credits(0) && account.owed >= Credits(0));
    WARPBOOK_CHECK(account.locked == of_account.locked && account.escrow == of_account.escrow);
    WARPBOOK_CHECK(account.exposure == of_account.exposure);
    WARPBOOK_CHECK(account.order_count == of_account.orders);
    WARPBOOK_CHECK(account.pending_top_ups == top_ups[account.id]);
    bool has_ask = false;
    for (const Order* order = account.first_order; order != nullptr; order = order->account_next) {
      has_ask = has_ask || (order->side == Side::kSell && !order->is_resale);
    }
    WARPBOOK_CHECK(!has_ask || account.exposure <= account.bonded_limit);
    client_order_ids += CheckAccountOrders(state, account);
    sums.free += account.free;
    sums.locked += account.locked;
    sums.escrow += account.escrow;
    sums.owed += account.owed;
  });
  const CreditTotals& totals = state.totals;
  WARPBOOK_CHECK(sums.free == totals.free && sums.locked == totals.locked);
  WARPBOOK_CHECK(sums.escrow == totals.escrow && sums.owed == totals.owed);
  WARPBOOK_CHECK(totals.clearing == Credits(0));
  WARPBOOK_CHECK(totals.issued == totals.free + totals.locked + totals.escrow + totals.owed +
                                      totals.consumed + totals.burned);
  WARPBOOK_CHECK(client_order_ids == state.client_order_ids.size());
}

void CheckNodes(const State& state, Expected& expected) {
  size_t windows = 0;
  state.accounts.nodes().ForEach([&](const Node& node) {
    WARPBOOK_CHECK(node.gpus >= Quantity(0) && node.gpus <= node.registered);
    windows += node.windows.size();
    for (const auto& [instrument, use] : node.windows) {
      WARPBOOK_CHECK(use == (expected.nodes[{node.id, instrument}]));
      WARPBOOK_CHECK(use.open >= Quantity(0) && use.open + use.sold > Quantity(0));
      WARPBOOK_CHECK(use.open == Quantity(0) || use.open + use.sold <= node.gpus);
    }
  });
  WARPBOOK_CHECK(windows == expected.nodes.size());
}

}  // namespace

void CheckStateInvariants(const State& state) {
  Expected expected;
  CheckInstruments(state, expected);
  CheckLeases(state, expected);
  CheckAccounts(state, expected);
  CheckNodes(state, expected);
}

}  // namespace warpbook::engine
