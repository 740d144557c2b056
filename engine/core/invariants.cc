#include "engine/core/invariants.h"

#include <algorithm>
#include <map>
#include <vector>

#include "engine/core/balances.h"
#include "schema/types/arithmetic.h"

namespace warpbook::engine {
namespace {

// A check is a function that returns what does not hold, or null.
#define WARPBOOK_HOLDS(condition) \
  if (!(condition)) [[unlikely]]  \
  return #condition
#define WARPBOOK_ALL_HOLD(checks) \
  if (const char* fault = (checks)) return fault

// What the orders and leases say that accounts and nodes must show. Sums in 128 bits, as they may
// be of a state that was read from bytes.
struct Expected {
  struct OfAccount {
    int128 locked = 0, escrow = 0, owed = 0, exposure = 0;
    uint32_t orders = 0;
    bool has_ask = false;
  };
  explicit Expected(const State& state)
      : accounts(state.accounts.all().size()), nodes(state.accounts.nodes().size()) {}
  OfAccount& Of(const Account& account) { return accounts[account.id.value() - 1]; }
  NodeUse& UseOf(const Node& node, InstrumentId instrument) {
    return nodes[node.id.value() - 1].FindOrAdd(instrument);
  }

  std::vector<OfAccount> accounts;
  std::vector<ByInstrument<NodeUse>> nodes;
  std::map<LeaseId, int64_t> resale_open;  // GPUs in asks that resell the lease
  size_t orders = 0;
  size_t levels = 0;
};

const char* CheckOrder(const Order& order, const Instrument& instrument, const PriceLevel& level) {
  WARPBOOK_HOLDS(order.level == &level && order.instrument == &instrument);
  WARPBOOK_HOLDS(order.price == instrument.book.ladder(order.side).PriceOf(level));
  WARPBOOK_HOLDS(order.remaining > Quantity(0) && order.remaining <= order.gpus);
  WARPBOOK_HOLDS(order.remaining >= order.min_fill);
  WARPBOOK_HOLDS(order.expires <= instrument.gate);
  if (order.is_resale) {
    WARPBOOK_HOLDS(order.side == Side::kSell && order.expires <= instrument.ResaleEnd());
  } else {
    WARPBOOK_HOLDS((order.side == Side::kSell) == (order.node != nullptr));
  }
  WARPBOOK_HOLDS(order.account->kind == AccountKind::kMember);
  return nullptr;
}

void AddOrder(const Order& order, Expected& expected) {
  Expected::OfAccount& account = expected.Of(*order.account);
  ++account.orders;
  ++expected.orders;
  if (order.side == Side::kBuy) {
    account.locked += BidLock(order).value();
  } else if (order.is_resale) {
    expected.resale_open[order.lease->id] += order.remaining.value();
  } else {
    account.has_ask = true;
    account.exposure += AskExposure(order).value();
    expected.UseOf(*order.node, order.instrument->id).open += order.remaining;
  }
}

const char* CheckLadder(const Instrument& instrument, Side side, Expected& expected) {
  size_t count = 0;
  const PriceLadder& ladder = instrument.book.ladder(side);
  for (const PriceLevel* level = ladder.Best(); level != nullptr; level = ladder.Next(*level)) {
    Quantity gpus;
    uint32_t orders = 0;
    for (size_t queue = 0; queue < kTierCount; ++queue) {
      const Order* previous = nullptr;
      for (const Order* order = level->queues[queue].head; order != nullptr;
           order = order->queue_next) {
        WARPBOOK_ALL_HOLD(CheckOrder(*order, instrument, *level));
        WARPBOOK_HOLDS(order->side == side && order->queue() == queue);
        WARPBOOK_HOLDS(order->queue_previous == previous);
        gpus += order->remaining;
        ++orders;
        previous = order;
        AddOrder(*order, expected);
      }
      WARPBOOK_HOLDS(level->queues[queue].tail == previous);
    }
    ++expected.levels;
    WARPBOOK_HOLDS(orders > 0 && level->orders() == orders && level->gpus == gpus);
    WARPBOOK_HOLDS(!level->touched());
    count += orders;
  }
  WARPBOOK_HOLDS(count == instrument.book.order_count(side));
  WARPBOOK_HOLDS(count == 0 || instrument.state != InstrumentState::kGateClosed);
  return nullptr;
}

// Nothing that rests could trade with anything else that rests.
const char* CheckNothingTradable(const Instrument& instrument) {
  const PriceLadder& bids = instrument.book.ladder(Side::kBuy);
  for (const PriceLevel* level = bids.Best(); level != nullptr; level = bids.Next(*level)) {
    for (const PriceLevel::Queue& queue : level->queues) {
      for (const Order* bid = queue.head; bid != nullptr; bid = bid->queue_next) {
        WARPBOOK_HOLDS(!AnyCouldTrade(
            instrument.book,
            {bid->owner, Side::kBuy, bid->price, bid->remaining, bid->min_fill, bid->assurance,
             bid->min_assurance, bid->self_trade_prevention, false}));
      }
    }
  }
  return nullptr;
}

const char* CheckInstruments(const State& state, Expected& expected) {
  std::array<uint32_t, 2> orders_by_side = {};
  for (const auto& [id, instrument] : state.instruments.all()) {
    WARPBOOK_HOLDS(instrument->id == id && id.value() <= state.instruments.opened());
    for (const Side side : {Side::kBuy, Side::kSell}) {
      orders_by_side[static_cast<size_t>(side)] +=
          static_cast<uint32_t>(instrument->book.order_count(side));
      WARPBOOK_ALL_HOLD(CheckLadder(*instrument, side, expected));
    }
  }
  WARPBOOK_HOLDS(state.book_changes.empty());
  WARPBOOK_HOLDS(state.orders.size() == expected.orders);
  WARPBOOK_HOLDS(state.orders_by_side == orders_by_side);
  WARPBOOK_HOLDS(state.ladder_memory.levels.live() == expected.levels);
  WARPBOOK_HOLDS(state.order_memory.live() == expected.orders);
  return nullptr;
}

// The legs that resales left, what their traders keep in escrow, and the asks that resell it.
const char* CheckResale(const State& state, const Lease& lease, Expected& expected) {
  Price price = lease.provider_price;
  for (const ResaleLeg& leg : lease.legs()) {
    WARPBOOK_HOLDS(leg.difference != Price(0));
    price += leg.difference;
    if (leg.difference > Price(0)) continue;
    expected.Of(*leg.trader).escrow +=
        OrderValue(-leg.difference, lease.gpus, lease.minutes).value();
  }
  WARPBOOK_HOLDS(price == lease.price && lease.gpus > Quantity(0));
  WARPBOOK_HOLDS(lease.legs().size() <= state.limits.resales_per_lease_max);
  WARPBOOK_HOLDS(lease.resale_open <= lease.gpus);
  WARPBOOK_HOLDS(lease.resale_open == Quantity(0) || lease.state == LeaseState::kReserved);
  const auto open = expected.resale_open.find(lease.id);
  WARPBOOK_HOLDS(lease.resale_open.value() ==
                 (open == expected.resale_open.end() ? 0 : open->second));
  if (open != expected.resale_open.end()) expected.resale_open.erase(open);
  return nullptr;
}

const char* CheckOwedLeases(const State& state, Expected& expected) {
  for (const auto& [id, owed] : state.owed_leases) {
    WARPBOOK_HOLDS(state.leases.Find(id) == nullptr && !owed.shares.empty());
    for (const OwedShare& share : owed.shares) {
      WARPBOOK_HOLDS(share.left > Credits(0));
      expected.Of(*share.payer).owed += share.left.value();
    }
  }
  return nullptr;
}

const char* CheckLeases(const State& state, Expected& expected) {
  size_t open_leases = 0;
  LeaseId previous;
  size_t count = 0;
  for (const Lease* at = state.leases.first(); at != nullptr; at = at->next) {
    const Lease& lease = *at;
    WARPBOOK_HOLDS(lease.id > previous && lease.id.value() <= state.last_lease_id);
    WARPBOOK_HOLDS(state.leases.Find(lease.id) == at);
    previous = lease.id;
    ++count;
    WARPBOOK_HOLDS(lease.state != LeaseState::kSettled && lease.state != LeaseState::kResold &&
                   lease.minutes >= Minutes(1));
    WARPBOOK_HOLDS(lease.notional == OrderValue(lease.price, lease.gpus, lease.minutes));
    expected.Of(*lease.buyer).escrow +=
        int128{lease.notional.value()} + lease.surcharge.value() + lease.deposit.value();
    WARPBOOK_ALL_HOLD(CheckResale(state, lease, expected));
    const bool listed = state.instruments.all().contains(lease.instrument);
    WARPBOOK_HOLDS(lease.open() == listed);
    if (!listed) continue;
    ++open_leases;
    expected.Of(*lease.provider).exposure +=
        OrderValue(lease.provider_price, lease.gpus, lease.minutes).value();
    expected.UseOf(*lease.node, lease.instrument).sold += lease.gpus;
  }
  WARPBOOK_HOLDS(state.leases.size() == count);
  WARPBOOK_HOLDS(expected.resale_open.empty());  // of no lease that is gone
  size_t listed_leases = 0;
  for (const auto& [id, instrument] : state.instruments.all()) {
    for (const LeaseId lease : instrument->leases) {
      const Lease* found = state.leases.Find(lease);
      WARPBOOK_HOLDS(found != nullptr && found->instrument == id);
      ++listed_leases;
    }
  }
  WARPBOOK_HOLDS(listed_leases == open_leases);
  return nullptr;
}

// The account's own list of orders and its memory of client order ids. Adds how many of those.
const char* CheckAccountOrders(const State& state, const Account& account, size_t& id_count) {
  const Order* previous = nullptr;
  uint32_t orders = 0;
  ByInstrument<uint32_t> in_book;
  const ClientOrderIds& ids = state.client_order_ids;
  size_t live_ids = 0;
  for (const Order* order = account.first_order; order != nullptr; order = order->account_next) {
    WARPBOOK_HOLDS(order->account == &account && order->owner == account.owner);
    WARPBOOK_HOLDS(order->account_previous == previous);
    WARPBOOK_HOLDS(previous == nullptr || previous->id < order->id);
    WARPBOOK_HOLDS(state.orders.Find(order->id) == order);
    const bool expires = order->expires < order->instrument->gate;
    WARPBOOK_HOLDS(state.expiries.contains({order->expires, order->id}) == expires);
    ++orders;
    ++in_book.FindOrAdd(order->instrument->id);
    if (order->client_order_handle != 0) {
      ++live_ids;
      const auto remembered = ids.Find(account.id, ids.IdOf(*order));
      WARPBOOK_HOLDS(remembered && remembered->live && remembered->order == order->id);
    }
    previous = order;
  }
  WARPBOOK_HOLDS(account.last_order == previous && account.order_count == orders);
  WARPBOOK_HOLDS(account.orders_in_book == in_book);
  size_t finished_ids = 0;
  bool as_remembered = true;
  ids.ForEachFinished(account.id, [&](const ClientOrderIds::Finished& finished) {
    ++finished_ids;
    const auto remembered = ids.Find(account.id, finished.id);
    as_remembered = as_remembered && remembered && !remembered->live &&
                    remembered->order == finished.order && finished.finished <= state.last_time;
  });
  WARPBOOK_HOLDS(as_remembered);
  WARPBOOK_HOLDS(ids.finished_count(account.id) == finished_ids);
  id_count += live_ids + finished_ids;
  return nullptr;
}

const char* CheckAccount(const State& state, const Account& account,
                         const Expected::OfAccount& expected) {
  const EngineLimits& limits = state.limits;
  WARPBOOK_HOLDS(account.free >= Credits(0));
  WARPBOOK_HOLDS(account.bonded_limit >= Credits(0));
  WARPBOOK_HOLDS(account.locked.value() == expected.locked);
  WARPBOOK_HOLDS(account.escrow.value() == expected.escrow);
  WARPBOOK_HOLDS(account.owed.value() == expected.owed);
  WARPBOOK_HOLDS(account.exposure.value() == expected.exposure);
  WARPBOOK_HOLDS(account.order_count == expected.orders);
  WARPBOOK_HOLDS(!expected.has_ask || account.exposure <= account.bonded_limit);
  const auto living = std::ranges::count_if(account.keys, &AccountKey::scopes);
  WARPBOOK_HOLDS(living <= std::max(limits.keys_per_account_max, uint32_t{1}));
  WARPBOOK_HOLDS(account.keys.size() <= std::max(limits.keys_ever_per_account_max, uint32_t{1}));
  WARPBOOK_HOLDS(account.nodes.size() <= limits.nodes_per_account_max);
  WARPBOOK_HOLDS(account.pending_top_ups <= limits.pending_top_ups_per_account_max);
  WARPBOOK_HOLDS(account.order_count <= limits.orders_per_account_max);
  for (const auto& [id, count] : account.orders_in_book) {
    WARPBOOK_HOLDS(count <= limits.orders_per_account_and_book_max);
  }
  return nullptr;
}

const char* CheckTopUps(const State& state) {
  std::map<AccountId, uint32_t> top_ups;
  for (const auto& [sequence, request] : state.requests) {
    if (request.kind == RequestKind::kTopUp) ++top_ups[request.account];
  }
  uint64_t pending = 0;
  for (size_t i = 0; i < state.accounts.all().size(); ++i) {
    pending += state.accounts.all()[i].pending_top_ups;
  }
  uint64_t asked = 0;
  for (const auto& [id, count] : top_ups) {
    WARPBOOK_HOLDS(state.accounts.all()[id.value() - 1].pending_top_ups == count);
    asked += count;
  }
  WARPBOOK_HOLDS(pending == asked);
  return nullptr;
}

const char* CheckAccounts(const State& state, Expected& expected) {
  WARPBOOK_ALL_HOLD(CheckTopUps(state));
  int128 free = 0, locked = 0, escrow = 0, owed = 0;
  for (size_t i = 0; i < state.accounts.all().size(); ++i) {
    const Account& account = state.accounts.all()[i];
    WARPBOOK_ALL_HOLD(CheckAccount(state, account, expected.Of(account)));
    free += account.free.value();
    locked += account.locked.value();
    escrow += account.escrow.value();
    owed += account.owed.value();
  }
  const CreditTotals& totals = state.totals;
  WARPBOOK_HOLDS(free == totals.free.value() && locked == totals.locked.value());
  WARPBOOK_HOLDS(escrow == totals.escrow.value() && owed == totals.owed.value());
  WARPBOOK_HOLDS(totals.clearing == Credits(0));
  WARPBOOK_HOLDS(totals.consumed >= Credits(0) && totals.burned >= Credits(0));
  WARPBOOK_HOLDS(totals.issued.value() ==
                 free + locked + escrow + owed + totals.consumed.value() + totals.burned.value());
  return nullptr;
}

const char* CheckListsOfAccounts(const State& state) {
  size_t client_order_ids = 0;
  for (size_t i = 0; i < state.accounts.all().size(); ++i) {
    WARPBOOK_ALL_HOLD(CheckAccountOrders(state, state.accounts.all()[i], client_order_ids));
  }
  WARPBOOK_HOLDS(client_order_ids == state.client_order_ids.size());
  return nullptr;
}

const char* CheckNodes(const State& state, Expected& expected) {
  for (size_t i = 0; i < state.accounts.nodes().size(); ++i) {
    const Node& node = state.accounts.nodes()[i];
    WARPBOOK_HOLDS(node.gpus >= Quantity(0) && node.gpus <= node.registered);
    WARPBOOK_HOLDS(node.windows == expected.nodes[i]);
    for (const auto& [instrument, use] : node.windows) {
      WARPBOOK_HOLDS(use.open >= Quantity(0) && use.open + use.sold > Quantity(0));
      WARPBOOK_HOLDS(use.open == Quantity(0) || use.open + use.sold <= node.gpus);
    }
  }
  return nullptr;
}

const char* CheckLimits(const State& state) {
  const EngineLimits& limits = state.limits;
  WARPBOOK_HOLDS(state.accounts.owners().size() <= limits.accounts_max);
  WARPBOOK_HOLDS(state.accounts.nodes().size() <= limits.nodes_max);
  WARPBOOK_HOLDS(state.orders.size() <= limits.resting_orders_max);
  WARPBOOK_HOLDS(state.leases.size() <= limits.leases_max);
  WARPBOOK_HOLDS(state.instruments.all().size() <= limits.instruments_max);
  WARPBOOK_HOLDS(state.requests.size() <= limits.pending_requests_max);
  WARPBOOK_HOLDS(state.client_order_ids.size() <= limits.client_order_ids_max);
  return nullptr;
}

}  // namespace

const char* FindFault(const State& state) {
  Expected expected(state);
  WARPBOOK_ALL_HOLD(CheckLimits(state));
  WARPBOOK_ALL_HOLD(CheckInstruments(state, expected));
  WARPBOOK_ALL_HOLD(CheckLeases(state, expected));
  WARPBOOK_ALL_HOLD(CheckOwedLeases(state, expected));
  WARPBOOK_ALL_HOLD(CheckAccounts(state, expected));
  return CheckNodes(state, expected);
}

void CheckStateInvariants(const State& state) {
  const char* fault = FindFault(state);
  if (fault == nullptr) fault = CheckListsOfAccounts(state);
  for (const auto& [id, instrument] : state.instruments.all()) {
    if (fault == nullptr) fault = CheckNothingTradable(*instrument);
  }
  if (fault != nullptr) CheckFailed(__FILE__, __LINE__, fault);
}

}  // namespace warpbook::engine
