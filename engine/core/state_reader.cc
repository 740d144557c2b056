#include "engine/core/state_reader.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/core/balances.h"
#include "engine/core/invariants.h"
#include "engine/core/lease_shares.h"
#include "engine/core/state_fields.h"

namespace warpbook::engine {
namespace {

// Far more than there can have been, and far enough from the end of the type that none overflows.
constexpr uint64_t kIdMax = uint64_t{1} << 62;
constexpr uint32_t kInstrumentIdMax = uint32_t{1} << 31;
// Between the oldest instrument that is not closed and the newest: what Instruments keeps of them.
constexpr uint32_t kInstrumentSpanMax = uint32_t{1} << 24;

bool IsGpus(Quantity gpus) { return gpus > Quantity(0) && gpus <= kMaxQuantity; }
bool IsWindowPart(Minutes minutes) { return minutes >= Minutes(1) && minutes <= kMaxWindowMinutes; }

class Reading {
 public:
  Reading(std::span<const std::byte> bytes, State& state) : in_(bytes), state_(state) {}

  StateReading Run() {
    if (!Limits() && in_.ok()) return {StateFault::kOtherLimits, other_limit_};
    if (in_.ok() && Counters() && AllAccounts() && Nodes() && AllInstruments()) {
      LinkOrders();
      if (AllLeases() && OwedLeases() && ReferResales() && Requests() && FinishedIds()) Complete();
    }
    return {in_.ok() ? StateFault::kNone : StateFault::kDamaged, in_.fault()};
  }

 private:
  bool Limits() {
    in_.Enter("limits");
    EngineLimits limits;
    StreamLimits(in_, limits);
    if (!in_.ok()) return false;
#define WARPBOOK_X(name) CompareLimit(#name, limits.name, state_.limits.name);
    WARPBOOK_LIMITS(WARPBOOK_X)
#undef WARPBOOK_X
    return other_limit_.empty();
  }

  template <typename Limit>
  void CompareLimit(const char* name, Limit in_bytes, Limit here) {
    if (in_bytes == here || !other_limit_.empty()) return;
    other_limit_ = absl::StrCat(name, " is ", in_bytes, " in it, and ", here, " here");
  }

  bool Counters() {
    in_.Enter("counters");
    StreamCounters(in_, state_);
    in_.Require(state_.last_time >= Timestamp() && state_.last_time < kLatestTime,
                "the time is not within its bounds");
    return in_.Require(state_.last_sequence.value() <= kIdMax &&
                           state_.settlement_number <= kIdMax && state_.last_order_id <= kIdMax &&
                           state_.last_lease_id <= kIdMax,
                       "a number is beyond its bounds");
  }

  // ---- Accounts and nodes ----

  bool AllAccounts() {
    in_.Enter("accounts");
    uint64_t count = 0;
    in_(count);
    for (uint64_t i = 1; i <= count && in_.ok(); ++i) {
      in_.Enter("account", i);
      OneAccount();
    }
    for (uint64_t i = 1; i <= state_.accounts.owners().size() && in_.ok(); ++i) {
      in_.Enter("owner", i);
      Owner& owner = *state_.accounts.FindOwner(OwnerId(i));
      StreamOwner(in_, owner);
      state_.accounts.Find(owner.account)->must_be_verified = owner.large && !owner.verified;
    }
    return in_.ok();
  }

  void OneAccount() {
    AccountKind kind = AccountKind::kMember;
    OwnerId owner;
    uint32_t keys = 0;
    AccountKey key;
    if (!in_(kind, owner, keys, key.key, key.scopes)) return;
    in_.Require(keys >= 1, "it has no key");
    if (!TakeKey(kind, key)) return;
    Account& account = state_.accounts.Open(kind, key.key, key.scopes);
    in_.Require(owner == account.owner, "its owner is not its own");
    for (uint32_t i = 1; i < keys && in_.ok(); ++i) {
      if (in_(key.key, key.scopes) && TakeKey(kind, key)) {
        state_.accounts.AddKey(account, key.key, key.scopes);
      }
    }
    StreamAccount(in_, account);
    in_.Require(account.event_sequence <= kIdMax, "a number is beyond its bounds");
    for (const Credits bucket : {account.free, account.locked, account.escrow, account.owed,
                                 account.bonded_limit, account.exposure}) {
      in_.Require(bucket >= Credits(0), "an amount is negative");
    }
  }

  bool TakeKey(AccountKind kind, const AccountKey& key) {
    const uint32_t scopes = kind == AccountKind::kMember ? kMemberScopes
                            : kind == AccountKind::kOperator
                                ? static_cast<uint32_t>(Scope::kOperate)
                                : static_cast<uint32_t>(Scope::kSettle);
    // Only a member's key can have been revoked.
    return in_.Require(
               (key.scopes != 0 || kind == AccountKind::kMember) && (key.scopes & ~scopes) == 0,
               "a key's scopes are wrong") &&
           in_.Require(state_.accounts.FindByKey(key.key) == nullptr,
                       "a key is another one's, too");
  }

  Account* Member(AccountId id) {
    Account* account = state_.accounts.Find(id);
    const bool found = account != nullptr && account->kind == AccountKind::kMember;
    return in_.Require(found, "it names an account that is no member's") ? account : nullptr;
  }

  bool Nodes() {
    in_.Enter("nodes");
    uint64_t count = 0;
    in_(count);
    for (uint64_t i = 1; i <= count && in_.ok(); ++i) {
      in_.Enter("node", i);
      OneNode();
    }
    return in_.ok();
  }

  void OneNode() {
    AccountId account_id;
    PublicKey device_key = {};
    if (!in_(account_id, device_key)) return;
    Account* account = Member(account_id);
    if (account == nullptr) return;
    if (!in_.Require(!state_.accounts.device_key_in_use(device_key),
                     "its device key is another one's, too")) {
      return;
    }
    Node& node = state_.accounts.AddNode(*account, device_key);
    StreamNode(in_, node);
    in_.Require(node.class_id && node.region_id, "it has no class or region");
    in_.Require(IsGpus(node.registered) && node.gpus >= Quantity(0) && node.gpus <= node.gpus_max &&
                    node.gpus_max <= node.registered,
                "its GPUs are not within their bounds");
    in_.Require(node.proved_until >= Timestamp() && node.probe_due >= Timestamp() &&
                    (node.probe_expires == Timestamp()) == (node.probe_id == 0) &&
                    node.probe_expires >= Timestamp() &&
                    node.probe_id <= state_.last_sequence.value() &&
                    (node.approved || node.proved_until == Timestamp()),
                "its probes are wrong");
  }

  // ---- Instruments and their books ----

  bool AllInstruments() {
    in_.Enter("instruments");
    uint32_t opened = 0;
    uint64_t count = 0;
    in_(opened, count);
    in_.Require(opened <= kInstrumentIdMax, "a number is beyond its bounds");
    for (uint64_t i = 0; i < count && in_.ok(); ++i) OneInstrument(opened);
    if (in_.ok()) state_.instruments.PassOver(opened);
    return in_.ok();
  }

  void OneInstrument(uint32_t opened) {
    Instruments& instruments = state_.instruments;
    InstrumentId id;
    Price tick, low, high;
    Timestamp start;
    Minutes minutes;
    int32_t notice = 0;
    if (!in_(id, tick, low, high, start, minutes, notice)) return;
    in_.Enter("instrument", id.value());
    in_.Require(id.value() > instruments.opened() && id.value() <= opened,
                "its id is out of order");
    const uint32_t oldest =
        instruments.all().empty() ? id.value() : instruments.all().begin()->first.value();
    in_.Require(opened - oldest < kInstrumentSpanMax, "its id is too far from the last one");
    in_.Require(PricesAreConsistent(tick, low, high), "its prices are wrong");
    // The gate is not known yet: the latest that the window could have, then its own.
    if (!in_.Require(TimesAreConsistent(start, minutes.value(), notice, minutes.value()),
                     "its times are wrong")) {
      return;
    }
    auto made = std::make_unique<Instrument>(PriceGrid(tick, low, high), start, minutes, notice,
                                             state_.ladder_memory);
    StreamInstrument(in_, *made);
    if (!InstrumentIsConsistent(*made)) return;
    instruments.PassOver(id.value() - 1);
    Instrument& instrument = instruments.Add(std::move(made));
    for (const Side side : {Side::kBuy, Side::kSell}) Ladder(instrument, side);
  }

  bool InstrumentIsConsistent(const Instrument& instrument) {
    const Timestamp start = instrument.window_start, end = instrument.window_end;
    if (!in_.Require(instrument.gate >= start && instrument.gate < end &&
                         instrument.gate.micros() % kMicrosPerMinute == 0,
                     "its gate is wrong")) {
      return false;
    }
    const int64_t gate_minutes = Timestamp::MinutesBetween(instrument.gate, end);
    in_.Require(TimesAreConsistent(start, instrument.window_minutes.value(),
                                   instrument.notice_seconds, static_cast<int32_t>(gate_minutes)),
                "its gate is wrong");
    in_.Require(instrument.class_id && instrument.region_id, "it has no class or region");
    const bool gate_closed = instrument.state == InstrumentState::kGateClosed;
    in_.Require(instrument.state != InstrumentState::kClosed &&
                    gate_closed == (instrument.gate <= state_.last_time),
                "its state is not that of its gate");
    return in_.Require(state_.instruments.FindOverlap(instrument.class_id, instrument.region_id,
                                                      start, end) == nullptr,
                       "its window overlaps another one");
  }

  void Ladder(Instrument& instrument, Side side) {
    uint64_t levels = 0;
    in_(levels);
    Price last;
    for (uint64_t i = 0; i < levels && in_.ok(); ++i) {
      Price price;
      if (!in_(price)) return;
      const bool in_order = i == 0 || (side == Side::kBuy ? price < last : price > last);
      in_.Require(instrument.grid().Find(price) != PriceGrid::kNone && in_order,
                  "a level's price is wrong");
      last = price;
      int64_t gpus = 0;
      for (size_t queue = 0; queue < kTierCount; ++queue) {
        for (bool more = true; in_(more) && more;) {
          if (!OneOrder(instrument, side, price, queue, gpus)) return;
        }
      }
      in_.Require(gpus > 0, "a level has no order");
    }
  }

  // `gpus`: of the level's orders so far.
  bool OneOrder(Instrument& instrument, Side side, Price price, size_t queue, int64_t& gpus) {
    Order order;
    OrderReferences references;
    order.side = side;
    order.price = price;
    order.instrument = &instrument;
    StreamOrder(in_, order, references);
    order.is_resale = bool{references.lease};
    in_.Require(references.content >> kFingerprintBits == 0, "an order's fingerprint is none");
    if (!in_.ok() || !OrderIsConsistent(order, queue) || !Refer(order, references)) return false;
    gpus += order.remaining.value();
    if (!in_.Require(gpus <= std::numeric_limits<int32_t>::max(), "a level's GPUs overflow")) {
      return false;
    }
    Order* kept = state_.order_memory.Acquire();
    *kept = order;
    state_.orders.Insert(kept);
    ++state_.orders_by_side[static_cast<size_t>(kept->side)];
    orders_.emplace_back(kept->id, kept);
    ++kept->account->orders_in_book.FindOrAdd(instrument.id);
    if (kept->is_resale) {
      resale_asks_.emplace_back(kept, references.lease);
    } else if (kept->node != nullptr) {
      kept->node->windows.FindOrAdd(instrument.id).open += kept->remaining;
    }
    if (!references.client_order_id.empty()) {
      state_.client_order_ids.Add(*kept, references.client_order_id, references.content);
    }
    PriceLadder& ladder = instrument.book.ladder(side);
    ladder.Append(ladder.FindOrAdd(price), *kept);
    return true;
  }

  bool OrderIsConsistent(const Order& order, size_t queue) {
    const Instrument& instrument = *order.instrument;
    const Timestamp end =
        order.is_resale ? std::min(instrument.gate, instrument.ResaleEnd()) : instrument.gate;
    const bool is_bid = order.side == Side::kBuy;
    in_.Require(order.id && order.id.value() <= state_.last_order_id &&
                    state_.orders.Find(order.id) == nullptr,
                "an order's id is wrong");
    in_.Require(IsGpus(order.gpus) && order.remaining > Quantity(0) &&
                    order.remaining <= order.gpus && order.min_fill >= Quantity(0) &&
                    order.min_fill <= order.remaining,
                "an order's GPUs are wrong");
    in_.Require(IsWindowPart(order.lock_minutes), "an order's minutes are wrong");
    in_.Require(order.type == OrderType::kLimit, "an order that rests is none with a limit");
    in_.Require(order.expires > state_.last_time &&
                    (order.time_in_force == TimeInForce::kGtc
                         ? order.expires == end
                         : order.time_in_force == TimeInForce::kGtd && order.expires <= end),
                "an order's time is wrong");
    in_.Require(order.instrument->state != InstrumentState::kGateClosed,
                "an order rests behind its gate");
    in_.Require(is_bid ? order.assurance == Assurance::kAttested
                       : order.tier == Tier::kPremium && order.min_assurance == Assurance::kListed,
                "an order has what belongs to the other side");
    return in_.Require(order.queue() == queue, "an order is in another one's queue");
  }

  // Puts objects in the place of the ids.
  bool Refer(Order& order, const OrderReferences& references) {
    order.account = Member(references.account);
    if (order.account == nullptr) return false;
    order.owner = order.account->owner;
    if (!references.client_order_id.empty() &&
        !in_.Require(!state_.client_order_ids.Find(references.account, references.client_order_id),
                     "an order's client order id is another one's, too")) {
      return false;
    }
    if (order.side == Side::kBuy) {
      return in_.Require(!references.node && !references.lease, "a bid has a node or a lease");
    }
    if (order.is_resale) return in_.Require(!references.node, "an ask has a node and a lease");
    order.node = state_.accounts.FindNode(references.node);
    return in_.Require(order.node != nullptr && order.node->account == order.account &&
                           order.node->approved &&
                           order.node->class_id == order.instrument->class_id &&
                           order.node->region_id == order.instrument->region_id,
                       "an ask's node is wrong") &&
           TakesRoom(*order.node, order.instrument->id, order.remaining);
  }

  bool TakesRoom(const Node& node, InstrumentId instrument, Quantity gpus) {
    const NodeUse* use = node.windows.Find(instrument);
    const Quantity taken = use == nullptr ? Quantity(0) : use->open + use->sold;
    return in_.Require(taken + gpus <= node.registered, "a node has more open and sold than it is");
  }

  // What an account's orders are, ascending by id, and what falls due by their own time.
  void LinkOrders() {
    std::ranges::sort(orders_);
    std::vector<std::pair<Timestamp, OrderId>> expiries;
    for (const auto& [id, order] : orders_) {
      Account& account = *order->account;
      order->account_previous = account.last_order;
      (account.last_order == nullptr ? account.first_order : account.last_order->account_next) =
          order;
      account.last_order = order;
      ++account.order_count;
      if (order->expires < order->instrument->gate) expiries.emplace_back(order->expires, id);
    }
    std::ranges::sort(expiries);
    for (const auto& expiry : expiries) state_.expiries.insert(state_.expiries.end(), expiry);
  }

  // ---- Leases, requests, client order ids ----

  // The asks that resell leases, once those are known.
  bool ReferResales() {
    for (const auto& [order, lease_id] : resale_asks_) {
      in_.Enter("order", order->id.value());
      Lease* lease = state_.leases.Find(lease_id);
      if (!in_.Require(lease != nullptr && lease->buyer == order->account &&
                           lease->instrument == order->instrument->id &&
                           lease->state == LeaseState::kReserved &&
                           lease->assurance == order->assurance &&
                           order->remaining <= lease->gpus - lease->resale_open,
                       "an ask's lease is wrong")) {
        return false;
      }
      order->lease = lease;
      lease->resale_open += order->remaining;
    }
    return true;
  }

  bool AllLeases() {
    in_.Enter("leases");
    uint64_t count = 0;
    in_(count);
    for (uint64_t i = 0; i < count && in_.ok(); ++i) {
      Lease lease;
      LeaseReferences references;
      StreamLease(in_, lease, references);
      in_.Enter("lease", lease.id.value());
      if (!in_.ok() || !LeaseIsConsistent(lease) || !DisputeIsConsistent(lease) ||
          !LegsAreConsistent(lease, references)) {
        break;
      }
      lease.buyer = Member(references.buyer);
      lease.provider = Member(references.provider);
      lease.node = state_.accounts.FindNode(references.node);
      if (!in_.Require(lease.node != nullptr && lease.node->account == lease.provider,
                       "its node is wrong")) {
        break;
      }
      if (lease.open() && !Sell(lease)) break;
      last_lease_ = lease.id;
      Lease& kept = state_.leases.Add(lease.id);
      lease.previous = kept.previous;
      kept = lease;
      for (uint32_t leg = 0; leg < references.leg_count; ++leg) TakeLeg(kept, references.legs[leg]);
    }
    return in_.ok();
  }

  bool LeaseIsConsistent(const Lease& lease) {
    in_.Require(lease.id > last_lease_ && lease.id.value() <= state_.last_lease_id,
                "its id is out of order");
    const bool listed = state_.instruments.Find(lease.instrument) != nullptr;
    in_.Require(state_.instruments.IsKnown(lease.instrument), "its instrument is none");
    in_.Require(lease.state != LeaseState::kSettled && lease.state != LeaseState::kResold &&
                    lease.open() == listed,
                "its state is not that of its instrument");
    in_.Require(!lease.completed || lease.state == LeaseState::kDelivered,
                "it is completed and was not delivered");
    if (!in_.Require(lease.price > Price(0) && lease.price <= kMaxPrice && IsGpus(lease.gpus) &&
                         IsWindowPart(lease.minutes),
                     "its price, GPUs or minutes are not within their bounds")) {
      return false;
    }
    in_.Require(lease.notional == OrderValue(lease.price, lease.gpus, lease.minutes) &&
                    lease.surcharge >= Credits(0) && lease.surcharge <= lease.notional,
                "its amounts are wrong");
    const Timestamp start = lease.delivery_start, end = lease.delivery_end;
    return in_.Require(start >= Timestamp() && start < end &&
                           end <= kLatestTime.PlusMinutes(kMaxWindowMinutes.value()) &&
                           start.PlusMinutes(lease.minutes.value()) == end,
                       "its times are wrong");
  }

  // A dispute is of a delivery, and only one that is disputed has a deposit and may be judged.
  bool DisputeIsConsistent(const Lease& lease) {
    const bool disputed = lease.state == LeaseState::kDisputed;
    const bool judged = lease.verdict != DisputeVerdict::kNone;
    return in_.Require(disputed ? lease.disputed >= lease.delivery_end &&
                                      lease.disputed <= state_.last_time &&
                                      lease.deposit > Credits(0) && lease.deposit <= lease.notional
                                : lease.disputed == Timestamp() && lease.deposit == Credits(0),
                       "its dispute is wrong") &&
           in_.Require((disputed || !judged) && lease.share >= 0 && lease.share <= kFullShare &&
                           (lease.verdict == DisputeVerdict::kFounded || lease.share == kFullShare),
                       "its verdict is wrong");
  }

  // From the provider's price to the buyer's, by way of prices that were paid.
  bool LegsAreConsistent(const Lease& lease, const LeaseReferences& references) {
    in_.Require(references.leg_count <= state_.limits.resales_per_lease_max &&
                    references.leg_count <= kResaleLegsMax,
                "it has more legs than the limit");
    Price price = lease.provider_price;
    in_.Require(price > Price(0) && price <= kMaxPrice, "its provider's price is wrong");
    for (uint32_t i = 0; i < references.leg_count && in_.ok(); ++i) {
      const LeaseReferences::Leg& leg = references.legs[i];
      in_.Require(leg.difference != Price(0) && leg.difference >= -kMaxPrice &&
                      leg.difference <= kMaxPrice && Member(leg.trader) != nullptr,
                  "a leg of it is wrong");
      if (!in_.ok()) break;
      price += leg.difference;
      in_.Require(price > Price(0) && price <= kMaxPrice, "a leg of it leads to no price");
    }
    return in_.Require(price == lease.price, "its legs do not lead to its price");
  }

  void TakeLeg(Lease& lease, const LeaseReferences::Leg& leg) {
    if (lease.resales == nullptr) {
      state_.leases.SetLegs(lease, {}, {state_.accounts.Find(leg.trader), leg.difference});
    } else {
      lease.resales->legs[lease.resales->count++] = {state_.accounts.Find(leg.trader),
                                                     leg.difference};
    }
  }

  // A lease whose window is not over.
  bool Sell(const Lease& lease) {
    if (!TakesRoom(*lease.node, lease.instrument, lease.gpus)) return false;
    lease.node->windows.FindOrAdd(lease.instrument).sold += lease.gpus;
    state_.instruments.Find(lease.instrument)->leases.push_back(lease.id);
    return true;
  }

  bool OwedLeases() {
    in_.Enter("owed leases");
    uint64_t count = 0;
    in_(count);
    LeaseId last;
    for (uint64_t i = 0; i < count && in_.ok(); ++i) {
      LeaseId id;
      OwedReferences references;
      in_(id);
      in_.Enter("owed lease", id.value());
      StreamOwed(in_, references);
      in_.Require(
          id > last && id.value() <= state_.last_lease_id && state_.leases.Find(id) == nullptr,
          "its id is out of order");
      in_.Require(references.share_count >= 1 && references.share_count <= kOwedSharesMax,
                  "it has no shares, or too many");
      if (!in_.ok()) break;
      OwedLease& owed = state_.owed_leases[id];
      owed.provider = Member(references.provider);
      for (uint32_t j = 0; j < references.share_count && in_.ok(); ++j) {
        const auto [payer, left] = references.shares[j];
        in_.Require(left > Credits(0), "a share is not positive");
        owed.shares.push_back({Member(payer), left});
      }
      last = id;
    }
    return in_.ok();
  }

  bool Requests() {
    in_.Enter("requests");
    uint64_t count = 0;
    in_(count);
    Sequence last;
    for (uint64_t i = 0; i < count && in_.ok(); ++i) {
      Sequence sequence;
      PendingRequest request;
      in_(sequence);
      in_.Enter("request", sequence.value());
      StreamRequest(in_, request);
      in_.Require(sequence > last && sequence <= state_.last_sequence,
                  "its number is out of order");
      in_.Require(request.amount > Tokens(0) && request.amount <= kMaxTokens,
                  "its amount is not within its bounds");
      in_.Require(state_.accounts.Find(request.requester) != nullptr, "nobody asked for it");
      Account* account = Member(request.account);
      if (!in_.ok()) break;
      if (request.kind == RequestKind::kTopUp) ++account->pending_top_ups;
      state_.requests.insert(state_.requests.end(), {sequence, request});
      last = sequence;
    }
    return in_.ok();
  }

  bool FinishedIds() {
    for (uint64_t i = 1; i <= state_.accounts.all().size() && in_.ok(); ++i) {
      in_.Enter("client order ids of account", i);
      uint32_t count = 0;
      in_(count);
      Timestamp last;
      for (uint32_t j = 0; j < count && in_.ok(); ++j) {
        ClientOrderIds::Finished finished;
        StreamFinishedId(in_, finished);
        in_.Require(!finished.id.empty(), "one is empty");
        in_.Require(finished.content >> kFingerprintBits == 0, "one's fingerprint is none");
        in_.Require(finished.order && finished.order.value() <= state_.last_order_id,
                    "one's order is none");
        in_.Require(finished.finished >= last && finished.finished <= state_.last_time,
                    "one finished out of order");
        in_.Require(state_.client_order_ids.size() < state_.limits.client_order_ids_max,
                    "there are more than the limit");
        last = finished.finished;
        if (in_.ok() && !state_.client_order_ids.AddFinished(AccountId(i), finished)) {
          in_.Fail("one is there twice");
        }
      }
    }
    return in_.ok();
  }

  void Complete() {
    state_.client_order_ids.Restored(state_.last_time);
    state_.next_due = Timestamp();  // the next command looks
    const uint64_t interval = state_.limits.commands_per_checkpoint;
    if (interval != 0) {
      state_.next_checkpoint = (state_.last_sequence.value() / interval + 1) * interval;
    }
    in_.Enter("end");
    in_.Require(in_.left() == 0, "there is more behind it");
    if (!in_.ok()) return;
    if (const char* fault = FindFault(state_)) in_.Fail(fault);
  }

  StateReader in_;
  State& state_;
  std::string other_limit_;  // that is not as it is here; empty: none
  std::vector<std::pair<OrderId, Order*>> orders_;
  std::vector<std::pair<Order*, LeaseId>> resale_asks_;
  LeaseId last_lease_;
};

}  // namespace

StateReading ReadState(std::span<const std::byte> bytes, State& state) {
  return Reading(bytes, state).Run();
}

}  // namespace warpbook::engine
