#include "gateway/publish/market_reader.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/catalogue_check.h"
#include "gateway/publish/market_fields.h"

namespace warpbook::gateway {
namespace {

// No row of which there may be many has fewer bytes, but for those named.
constexpr uint64_t kRowSizeMin = 50;
constexpr uint64_t kFinishedOrderSizeMin = 48;
constexpr uint64_t kGuardSizeMin = 13;
// The year 10,000: symbols have no room for it.
constexpr Timestamp kWindowsEnd = Timestamp(int64_t{253'402'300'800} * kMicrosPerSecond);
constexpr uint32_t kScopes =
    kMemberScopes | static_cast<uint32_t>(Scope::kOperate) | static_cast<uint32_t>(Scope::kSettle);

// GPU-minutes, and so GPUs and trades, with room for what is still to come.
constexpr int64_t kTradedMax = int64_t{1} << 60;

bool IsPrice(Price price) { return price > Price(0) && price <= kMaxPrice; }
bool IsGpus(Quantity gpus) { return gpus > Quantity(0) && gpus <= kMaxQuantity; }
bool IsWindowPart(Minutes minutes) { return minutes >= Minutes(1) && minutes <= kMaxWindowMinutes; }

// Whether some trades could add up to it.
bool IsTraded(const TradeSummary& traded) {
  const auto& [open, high, low, close, gpus, gpu_minutes, trades] = traded;
  return IsPrice(low) && IsPrice(high) && low <= open && open <= high && low <= close &&
         close <= high && trades > 0 && trades <= gpus && gpus <= gpu_minutes &&
         gpu_minutes <= kTradedMax;
}

class Reading {
 public:
  Reading(std::span<const std::byte> fields, PublishedMarket& market)
      : in_(fields), market_(market), state_(market.state) {}

  MarketReading Run() {
    in_(market_.last_sequence, market_.last_time_us, market_.instruments_sequence);
    in_.Require(market_.last_time_us >= 0 && market_.last_time_us < kWindowsEnd.micros(),
                "its time is none");
    Rows("account", [this] { OneAccount(); });
    Rows("node", [this] { OneNode(); });
    Rows("closed instrument", [this] { OneClosedInstrument(); });
    Rows("instrument", [this] { OneOpenInstrument(); });
    Rows("terms", [this] { OneForgottenInstrument(); });
    Rows("lease", [this] { OneLease(); });
    in_.Enter("terms");
    in_.Require(std::ranges::none_of(
                    forgotten_, [](const auto& terms) { return terms.second.use_count() == 1; }),
                "some are no lease's");
    AllOrders();
    Rows(
        "finished order", [this] { OneFinishedOrder(); }, kFinishedOrderSizeMin);
    Rows(
        "guard", [this] { OneGuard(); }, kGuardSizeMin);
    Rows(
        "timer", [this] { OneTimer(); }, kGuardSizeMin);
    in_.Enter("end");
    in_.Require(in_.left() == 0, "there is more behind it");
    return {in_.fault(), catalogue_};
  }

 private:
  // How many rows; none where there are not the bytes for them.
  uint64_t Count(uint64_t row_size_min = kRowSizeMin) {
    uint64_t count = 0;
    in_(count);
    const bool fits = count <= in_.left() / row_size_min;
    return in_.Require(fits, "there are more than bytes for them") ? count : 0;
  }

  template <typename ReadRow>
  void Rows(std::string_view what, ReadRow read_row, uint64_t row_size_min = kRowSizeMin) {
    in_.Enter(what);
    const uint64_t count = Count(row_size_min);
    for (uint64_t i = 1; i <= count && in_.ok(); ++i) {
      in_.Enter(what, i);
      read_row();
    }
  }

  // Rows ascend by id, so that none is there twice.
  template <typename Id>
  bool Ascends(Id id, Id& last) {
    const bool ascends = id > last;
    last = id;
    return in_.Require(ascends, "its id is out of order");
  }

  bool HasAccount(AccountId id) {
    return in_.Require(state_.FindAccount(id) != nullptr, "it names an account that is none");
  }
  bool HasNode(NodeId id) {
    return in_.Require(state_.FindNode(id) != nullptr, "it names a node that is none");
  }
  bool IsInCatalogue(ClassId class_id, RegionId region_id) {
    if (!in_.ok()) return false;
    catalogue_ = CheckCatalogue(state_.catalogue(), class_id, region_id);
    return in_.Require(catalogue_.ok(), "the catalogue lacks it");
  }

  void OneAccount() {
    AccountRow account;
    StreamAccount(in_, account);
    for (const Credits amount :
         {account.free, account.locked, account.escrow, account.bonded_limit}) {
      in_.Require(amount >= Credits(0), "an amount is negative");
    }
    in_.Require(account.kind == AccountKind::kMember || !account.keys.empty(), "it has no key");
    for (const KeyRow& key : account.keys) {
      in_.Require(key.scopes != 0 && (key.scopes & ~kScopes) == 0, "a key's scopes are wrong");
    }
    if (!Ascends(account.id, last_account_)) return;
    accounts_.push_back(account.id);
    state_.Add(std::move(account));
  }

  void OneNode() {
    NodeRow node;
    StreamNode(in_, node);
    in_.Require(
        IsGpus(node.registered) && node.capacity >= Quantity(0) && node.capacity <= node.registered,
        "its GPUs are not within their bounds");
    if (IsInCatalogue(node.class_id, node.region_id) && HasAccount(node.account) &&
        Ascends(node.id, last_node_)) {
      state_.Add(node);
    }
  }

  // ---- Instruments ----

  // Null where they are at fault.
  std::shared_ptr<const InstrumentTerms> Terms() {
    InstrumentTerms terms;
    StreamTerms(in_, terms);
    const Timestamp start = terms.window_start;
    in_.Require(start >= Timestamp() && start < kWindowsEnd && start.CeilToMinute() == start,
                "its window does not start on a minute");
    in_.Require(IsWindowPart(terms.window_minutes), "its window's minutes are out of bounds");
    in_.Require(IsPrice(terms.tick) && IsPrice(terms.band_low) && IsPrice(terms.band_high),
                "a price is none");
    in_.Require(terms.id && state_.FindInstrument(terms.id) == nullptr, "its id is taken");
    if (!IsInCatalogue(terms.class_id, terms.region_id)) return nullptr;
    terms.symbol = FormatSymbol(state_.catalogue(), terms.class_id, terms.region_id, start);
    return std::make_shared<const InstrumentTerms>(std::move(terms));
  }

  void OneClosedInstrument() {
    in_.Require(state_.closed_instruments().size() < MarketState::kClosedInstrumentsKept,
                "there are more than are kept");
    auto terms = Terms();
    if (terms == nullptr) return;
    state_.Add(InstrumentRow{.terms = std::move(terms), .state = InstrumentState::kClosed});
  }

  void OneOpenInstrument() {
    InstrumentRow instrument;
    instrument.terms = Terms();
    FeedSequences sequences;
    StreamSequences(in_, sequences);
    StreamMarketData(in_, instrument);
    in_.Require(instrument.state != InstrumentState::kClosed, "it is closed");
    in_.Require(instrument.last_trades.size() <= kLastTrades, "it has more trades than are kept");
    for (const TradeRow& trade : instrument.last_trades) {
      in_.Require(
          trade.id && IsPrice(trade.price) && IsGpus(trade.gpus) && IsWindowPart(trade.minutes),
          "a trade is none");
    }
    CheckTraded(instrument);
    if (!in_.ok() || !Ascends(instrument.terms->id, last_instrument_)) return;
    market_.feeds.emplace_back(instrument.terms->id, sequences);
    state_.Add(std::move(instrument));
  }

  // What trades add up to, over all and in candles.
  void CheckTraded(const InstrumentRow& instrument) {
    in_.Require(instrument.traded == TradeSummary() ? instrument.last_trades.empty()
                                                    : IsTraded(instrument.traded),
                "what it has traded is nothing that trades add up to");
    in_.Require(instrument.traded.trades >= static_cast<int64_t>(instrument.last_trades.size()),
                "it has more trades than it has had");
    for (const CandleInterval interval : kCandleIntervals) {
      const std::vector<Candle>& candles = instrument.candles.Of(interval);
      in_.Require(candles.size() <= kCandlesKept, "it has more candles than are kept");
      Timestamp last(-1);
      for (const Candle& candle : candles) {
        in_.Require(candle.start > last && candle.start.micros() % MicrosOf(interval) == 0 &&
                        candle.start.micros() <= market_.last_time_us && IsTraded(candle.traded),
                    "a candle is none, or out of order");
        last = candle.start;
      }
    }
  }

  void OneForgottenInstrument() {
    auto terms = Terms();
    if (terms != nullptr && Ascends(terms->id, last_forgotten_)) {
      forgotten_.emplace(terms->id, std::move(terms));
    }
  }

  std::shared_ptr<const InstrumentTerms> TermsOf(InstrumentId id) {
    if (const InstrumentRow* instrument = state_.FindInstrument(id)) return instrument->terms;
    const auto forgotten = forgotten_.find(id);
    const bool found = forgotten != forgotten_.end();
    in_.Require(found, "it names an instrument that is none");
    return found ? forgotten->second : nullptr;
  }

  // ---- Leases and orders ----

  void OneLease() {
    LeaseRow lease;
    InstrumentId instrument;
    StreamLease(in_, lease, instrument);
    in_.Require(IsPrice(lease.price) && IsPrice(lease.provider_price) && IsGpus(lease.gpus) &&
                    IsWindowPart(lease.minutes),
                "its price, GPUs or minutes are not within their bounds");
    in_.Require(lease.state != LeaseState::kSettled && lease.state != LeaseState::kResold,
                "it has ended");
    lease.terms = TermsOf(instrument);
    if (HasAccount(lease.buyer) && HasAccount(lease.provider) && HasNode(lease.node) &&
        Ascends(lease.id, last_lease_)) {
      state_.Add(lease);
    }
  }

  void AllOrders() {
    in_.Enter("orders");
    const uint64_t total = Count();
    state_.ReserveOrders(total);
    for (const AccountId account : accounts_) {
      in_.Enter("orders of account", account.value());
      uint32_t count = 0;
      in_(count);
      OrderId last;
      for (uint32_t i = 0; i < count && in_.ok(); ++i) OneOrder(account, last);
    }
    in_.Enter("orders");
    in_.Require(state_.orders().size() == total, "there are not as many as it says");
  }

  void OneOrder(AccountId account, OrderId& last) {
    OrderRow order;
    order.account = account;
    const bool has_client_order_id = StreamOrder(in_, order);
    in_.Require(has_client_order_id == !order.client_order_id.empty(),
                "a client order id is empty");
    in_.Require(IsPrice(order.price) && IsGpus(order.gpus) && IsGpus(order.remaining) &&
                    order.remaining <= order.gpus && order.min_fill >= Quantity(0),
                "an order's price or GPUs are not within their bounds");
    in_.Require(order.queue < kTierCount, "an order's queue is none");
    in_.Require(order.priority != 0, "an order has no place in its queue");
    const InstrumentRow* instrument = state_.FindInstrument(order.instrument);
    in_.Require(instrument != nullptr && instrument->state != InstrumentState::kClosed,
                "it names an instrument that is not open");
    if (order.node) HasNode(order.node);
    if (order.lease) {
      in_.Require(state_.FindLease(order.lease) != nullptr, "it names a lease that is none");
    }
    in_.Require(state_.FindOrder(order.id) == nullptr, "an order is there twice");
    if (Ascends(order.id, last)) state_.Add(order);
  }

  void OneFinishedOrder() {
    FinishedOrder order;
    const bool has_client_order_id = StreamFinishedOrder(in_, order);
    in_.Require(has_client_order_id == !order.client_order_id.empty(),
                "a client order id is empty");
    in_.Require(order.id && order.instrument && IsPrice(order.price) && IsGpus(order.gpus) &&
                    order.remaining >= Quantity(0) && order.remaining <= order.gpus,
                "its price or GPUs are not within their bounds");
    in_.Require(order.cancelled ||
                    (order.remaining == Quantity(0) && order.reason == CancelReason::kRequested),
                "it is neither filled nor cancelled");
    in_.Require(
        state_.FindOrder(order.id) == nullptr && state_.finished_orders().Find(order.id) == nullptr,
        "it is there twice");
    in_.Require(state_.finished_orders().HasRoomFor(order.account), "there are more than are kept");
    if (HasAccount(order.account)) state_.Add(order);
  }

  void OneGuard() {
    OrderGuards::Session session;
    OrderGuardMode mode = OrderGuardMode::kOff;
    in_(session.account, session.mark, mode);
    in_.Require(
        session.mark != 0 && (mode == OrderGuardMode::kSession || mode == OrderGuardMode::kAccount),
        "it is none of a session");
    const auto& sessions = state_.guards().sessions();
    in_.Require(sessions.empty() || sessions.rbegin()->first < session, "it is out of order");
    if (HasAccount(session.account)) state_.mutable_guards().AddSession(session, mode);
  }

  void OneTimer() {
    Timestamp deadline;
    AccountId account;
    in_(deadline, account);
    in_.Require(deadline > Timestamp(), "it has no deadline");
    const auto& timers = state_.guards().timers();
    in_.Require(timers.empty() || *timers.rbegin() < std::pair(deadline, account),
                "it is out of order");
    in_.Require(!state_.guards().TimerOf(account), "its account has two");
    if (HasAccount(account)) state_.mutable_guards().SetTimer(account, deadline);
  }

  StateReader in_;
  PublishedMarket& market_;
  MarketState& state_;
  absl::Status catalogue_;
  absl::flat_hash_map<InstrumentId, std::shared_ptr<const InstrumentTerms>> forgotten_;
  std::vector<AccountId> accounts_;  // as they came
  AccountId last_account_;
  NodeId last_node_;
  InstrumentId last_instrument_, last_forgotten_;
  LeaseId last_lease_;
};

}  // namespace

MarketReading ReadMarketFields(std::span<const std::byte> fields, PublishedMarket& market) {
  return Reading(fields, market).Run();
}

}  // namespace warpbook::gateway
