// ReferenceMarket: the market's rules (1-market of the design, schema/wire) once more, as naively
// as possible: plain vectors, everything sorted and summed up again whenever it is needed, no
// index, no running total. It is the oracle for the engine: the same commands must give the same
// bytes of events. It shares nothing with engine/core but the schema. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "schema/types/arithmetic.h"
#include "schema/types/enums.h"
#include "schema/types/reject_reason.h"
#include "schema/wire/record.h"

namespace warpbook::reference {

using Bytes32 = std::array<uint8_t, 32>;

struct Limits {
  size_t accounts = 0, keys_per_account = 0, keys_ever_per_account = 0, nodes_per_account = 0,
         nodes = 0;
  size_t orders_per_account = 0, orders_per_account_and_book = 0, resting_orders = 0;
  size_t leases = 0, instruments = 0, client_order_ids = 0, pending_requests = 0;
  size_t resales_per_lease = 0;
  size_t pending_top_ups_per_account = 0;
  size_t remembered_ids = 0;
  int64_t remembered_micros = 0;
  uint64_t commands_per_checkpoint = 0;
};

struct Key {
  Bytes32 bytes = {};
  uint32_t scopes = 0;
  bool revoked = false;
};

struct Account {
  uint64_t id = 0, owner = 0;
  AccountKind kind = AccountKind::kMember;
  uint64_t private_events = 0;
  // What ever came in and what is gone for good; free is what these, leases and orders leave.
  int64_t issued = 0, consumed = 0, burned = 0, owed = 0;
  int64_t gained = 0, paid_gains = 0;  // with others, for leases that were resold at a gain
  int64_t bonded_limit = 0;
  bool verified = false, large = false;
  std::vector<Key> keys;
};

struct Node {
  uint64_t id = 0, account = 0;
  uint16_t class_id = 0, region_id = 0;
  Bytes32 device_key = {};
  int32_t registered = 0, gpus = 0;
  int assurance = 2;
  bool approved = false;
  uint64_t probe = 0;
  int64_t probe_over = 0, proved_until = 0, probe_due = 0;
  int32_t allowed = 0;  // by an operator
};

struct Instrument {
  uint32_t id = 0;
  uint16_t class_id = 0, region_id = 0;
  int64_t start = 0, end = 0, gate = 0;
  int64_t tick = 0, low = 0, high = 0;
  int64_t notice = 0;  // microseconds
  InstrumentState state = InstrumentState::kOpen;
};

struct Order {
  uint64_t id = 0, account = 0, owner = 0, node = 0, lease = 0;
  uint32_t instrument = 0;
  int64_t price = 0, expires = 0;
  int32_t total = 0, left = 0, min_fill = 0;
  int32_t minutes = 0;  // at which it is locked or counted
  int side = 0, type = 0, time_in_force = 0;
  int queue = 0;  // tier or assurance
  int min_assurance = 2, stp = 0;
  bool post_only = false;
  Bytes32 client_id = {};
  bool resting = false;
  uint64_t arrival = 0;  // the smaller, the longer it has waited in its queue
};

struct RememberedId {
  uint64_t account = 0;
  Bytes32 client_id = {};
  std::array<uint8_t, sizeof(wire::PlaceOrder)> content = {};
  uint64_t order = 0;
  bool live = true;
  int64_t finished = 0;
};

struct Lease {
  uint64_t id = 0, buyer = 0, provider = 0, node = 0;
  uint32_t instrument = 0;
  int64_t price = 0;
  int32_t gpus = 0, minutes = 0;
  int64_t notional = 0, surcharge = 0, start = 0, end = 0;
  int64_t first_price = 0;  // between the provider and its first buyer
  int assurance = 2;
  // Who resold it at another price than it had paid, oldest first.
  struct Step {
    uint64_t trader = 0;
    int64_t paid = 0, got = 0;
  };
  std::vector<Step> steps;
  LeaseState state = LeaseState::kReserved;
  bool completed = false;
  int64_t disputed = 0, deposit = 0;
  int32_t share = 10'000;
  DisputeVerdict verdict = DisputeVerdict::kNone;
};

// What somebody owes for a settled lease; several of one lease in the order in which they pay.
struct Debt {
  uint64_t lease = 0, provider = 0, payer = 0;
  int64_t left = 0;
};

struct Request {
  uint64_t sequence = 0, tag = 0, requester = 0, account = 0;
  int64_t amount = 0;
  Bytes32 text = {};
  RequestKind kind = RequestKind::kDeposit;
};

class ReferenceMarket {
 public:
  explicit ReferenceMarket(const Limits& limits) : limits_(limits) {}

  void Apply(wire::RecordView command, uint32_t command_index, wire::RecordWriter& events);

  // What there is, for the runner to compare and for the generator to choose from.
  const std::vector<Account>& accounts() const { return accounts_; }
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<Instrument>& instruments() const { return instruments_; }
  const std::vector<Order>& orders() const { return orders_; }
  const std::vector<Lease>& leases() const { return leases_; }
  const std::vector<Debt>& debts() const { return debts_; }
  const std::vector<Request>& requests() const { return requests_; }
  const std::vector<RememberedId>& remembered() const { return remembered_; }
  uint64_t settlement_number() const { return settlement_number_; }
  int64_t now() const { return now_; }
  uint64_t sequence() const { return sequence_; }
  int64_t Locked(uint64_t account) const;
  int64_t Escrow(uint64_t account) const;
  int64_t Free(uint64_t account) const;
  int128 Exposure(uint64_t account) const;
  // One side of a book in matching order.
  std::vector<Order> Queue(uint32_t instrument, int side) const;

 private:
  struct Answer {
    RejectReason reason = RejectReason::kNone;
    int64_t detail = 0;
  };
  // What an order met in its walk, on a copy of the book.
  struct Walk {
    struct Step {
      enum { kTrade, kCancel, kDecrement } what;
      uint64_t resting;
      int32_t gpus;
    };
    std::vector<Step> steps;
    size_t trades = 0;
    int32_t left = 0;
    bool below_min_fill = false, self_trade = false, met_own = false;
  };

  // reference_market.cc: events, money, levels, expiries.
  template <typename Event>
  void Emit(Event event, uint64_t account, uint64_t account_sequence);
  template <typename Event>
  void EmitPublic(Event event) {
    Emit(event, 0, 0);
  }
  template <typename Event>
  void EmitPrivate(Event event, uint64_t account) {
    Emit(event, account, ++accounts_[account - 1].private_events);
  }
  void Accept(const wire::CommandHeader& header, wire::RecordType type, uint64_t id,
              bool duplicate = false);
  void EmitMoved(uint64_t account, CreditBucket from, CreditBucket to, int64_t amount,
                 uint64_t lease, uint64_t order, int64_t free, int64_t locked);
  void EmitLevels();
  void EmitState(const Instrument& instrument);
  void EmitLease(const Lease& lease);
  void EmitCheckpoint();
  void HashEvent(uint16_t type, const void* event, size_t size);
  void Expire();
  void ForgetIds();
  Answer Dispatch(wire::RecordView command);
  const Account* Find(uint64_t account) const;
  Answer Sender(const wire::CommandHeader& header, AccountKind kind) const;
  Instrument* FindInstrument(uint32_t id);
  Lease* FindLease(uint64_t id);
  Answer BuyerOfDelivered(const wire::CommandHeader& header, uint64_t lease_id);

  // reference_orders.cc, reference_amends.cc, reference_resales.cc
  Answer Do(const wire::PlaceOrder& c);
  Answer Do(const wire::AmendOrder& c);
  Answer Do(const wire::CancelOrder& c);
  Answer Do(const wire::CancelAllOrders& c);
  Answer Do(const wire::WithdrawOrder& c);
  Answer Do(const wire::SetOrderGuard& c);
  Answer JudgePlace(const wire::PlaceOrder& c, Order& order, Walk& walk) const;
  Answer JudgeTerms(const wire::PlaceOrder& c, const Instrument& instrument) const;
  Answer JudgeCount(const Order& order) const;
  Answer JudgeBacking(Order& order, Walk& walk) const;
  Answer JudgeAsk(const Order& order) const;
  Answer JudgeResale(const Order& order, const Instrument& instrument) const;
  int64_t LeaseLeft(uint64_t lease) const;
  Order OrderOf(const wire::PlaceOrder& c, const Account& account,
                const Instrument& instrument) const;
  static int64_t PriceOf(const wire::PlaceOrder& c, const Instrument& instrument);
  Answer JudgeAmend(const wire::AmendOrder& c, const Order* order, Order& after, Walk& walk) const;
  const Order* FindOrder(uint64_t account, uint64_t id, const Bytes32& client_id) const;
  Order& OrderById(uint64_t id);
  Walk PlanWalk(const Order& incoming, bool whoever) const;
  bool Trades(const Order& incoming, int32_t left, const Order& resting) const;
  void RunWalk(uint64_t id, const Walk& walk);
  void Trade(uint64_t taker_id, uint64_t maker_id, int32_t gpus);
  Lease TakeFrom(Lease& lease, int32_t gpus);
  void TellResale(const Lease& resold, const Lease& made);
  void Decrement(uint64_t id, int32_t gpus);
  void Cancel(uint64_t id, CancelReason reason, uint64_t tag);
  void Remove(uint64_t id);
  void EmitAmended(const Order& order, uint64_t tag, bool kept);
  int32_t MinutesNow(const Instrument& instrument) const;
  int64_t StartNow(const Instrument& instrument) const;
  int64_t NodeLeft(uint64_t node, uint32_t instrument) const;
  // One move of credits, told with what is free after it; `free` is by account, begun as it was.
  using FreeCredits = std::map<uint64_t, int64_t>;
  FreeCredits FreeOfAll() const;
  void Move(FreeCredits& free, uint64_t account, CreditBucket from, CreditBucket to, int64_t amount,
            uint64_t lease);
  // Emits the credits that moved between free and locked since the two were these.
  void EmitRelock(uint64_t account, uint64_t order, int64_t free, int64_t locked);

  // reference_accounts.cc
  Answer Do(const wire::RegisterSystemKey& c);
  Answer Do(const wire::OpenAccount& c);
  Answer Do(const wire::AddKey& c);
  Answer Do(const wire::RevokeKey& c);
  Answer Do(const wire::VerifyOwner& c);
  Answer Do(const wire::RequestDeposit& c);
  Answer Do(const wire::RequestWithdrawal& c);
  Answer Do(const wire::RequestTopUp& c);
  Answer CheckAmount(int64_t amount) const;
  template <typename Command>
  Answer RequestTokens(const Command& c, RequestKind kind);
  uint64_t AccountOfKey(const Bytes32& key) const;
  void OpenAccountFor(AccountKind kind, const Bytes32& key, uint32_t scopes, uint64_t tag);

  // reference_others.cc
  Answer Do(const wire::Tick& c);
  Answer Do(const wire::RefuseCommand& c);
  Answer Do(const wire::OpenInstrument& c);
  Answer Do(const wire::CloseInstrument& c);
  Answer Do(const wire::SetInstrumentHalt& c);
  Answer Do(const wire::SetPrices& c);
  Answer Do(const wire::SetBondedLimit& c);
  Answer Do(const wire::SetCapacity& c);
  Answer Do(const wire::RegisterNode& c);
  Answer Do(const wire::StartLease& c);
  Answer Do(const wire::HeartbeatLease& c);
  Answer Do(const wire::CompleteLease& c);
  Answer Do(const wire::DisputeLease& c);
  Answer Do(const wire::JudgeLease& c);
  Answer Do(const wire::PostDeposit& c);
  Answer Do(const wire::PostWithdrawal& c);
  Answer Do(const wire::PostTopUp& c);
  Answer Do(const wire::RefuseRequest& c);
  Answer Do(const wire::SettleLease& c);
  Answer Do(const wire::PayDeferred& c);
  Answer Do(const wire::CloseEpoch& c);
  Answer Do(const wire::PayBonus& c);
  Answer Do(const wire::MarkOwner& c);
  // reference_probes.cc
  Answer Do(const wire::CallProbe& c);
  Answer Do(const wire::BeginProbe& c);
  Answer Do(const wire::DecideProbe& c);
  Answer JudgeDecision(const wire::DecideProbe& c) const;
  // reference_others.cc
  void ChangeCapacity(Node& node, int32_t gpus, int assurance);
  Answer JudgeSettlement(const wire::SettleLease& c, const Lease& lease) const;
  void UseEscrow(const wire::SettleLease& c, const Lease& lease);
  Answer CheckNumber(const wire::CommandHeader& header, uint64_t number) const;
  template <typename Command>
  Answer PostTokens(const Command& c, RequestKind kind);
  void Decide(const wire::CommandHeader& header, wire::RecordType type, uint64_t request_sequence,
              int64_t credits, RejectReason reason);
  int64_t IssuedInAll() const;

  const Limits limits_;
  uint64_t sequence_ = 0;
  int64_t now_ = 0;
  uint64_t events_ = 0, settlement_number_ = 0, owners_ = 0;
  uint64_t last_order_ = 0, last_lease_ = 0, arrivals_ = 0;
  uint32_t last_instrument_ = 0;
  uint64_t hash_ = 0;
  std::vector<Account> accounts_;
  std::vector<Node> nodes_;
  std::vector<Instrument> instruments_;  // not closed
  std::vector<Order> orders_;            // live, ascending by id
  std::vector<RememberedId> remembered_;
  std::vector<Lease> leases_;  // not settled
  std::vector<Debt> debts_;    // none of them 0
  std::vector<Request> requests_;

  // (instrument, side, rank of the price) -> (price, gpus, orders), as last shown.
  using LevelKey = std::tuple<uint32_t, int, int64_t>;
  struct LevelTotal {
    int64_t price = 0;
    int32_t gpus = 0, orders = 0;
  };
  std::map<LevelKey, LevelTotal> levels_;
  bool book_changed_ = false;
  wire::RecordWriter* output_ = nullptr;
  uint32_t command_index_ = 0;
};

template <typename Event>
void ReferenceMarket::Emit(Event event, uint64_t account, uint64_t account_sequence) {
  event.mutable_header() = wire::EventHeader(++events_, account, account_sequence);
  output_->Append(event, command_index_);
  HashEvent(static_cast<uint16_t>(wire::kRecordTypeOf<Event>), &event, sizeof event);
}

inline Bytes32 ToBytes(const flatbuffers::Array<uint8_t, 32>* array) {
  Bytes32 bytes;
  std::memcpy(bytes.data(), array->Data(), bytes.size());
  return bytes;
}
inline void PutBytes(flatbuffers::Array<uint8_t, 32>* array, const Bytes32& bytes) {
  std::memcpy(array->Data(), bytes.data(), bytes.size());
}

inline int64_t Value(int64_t price, int32_t gpus, int32_t minutes) {
  return static_cast<int64_t>(int128{price} * gpus * minutes);
}

// With a tier's surcharge: 0.5%, 0.1% or none.
inline int64_t WithSurcharge(int64_t value, int tier) {
  return value + value / 1'000 * (tier == 0 ? 5 : tier == 1 ? 1 : 0);
}

// What the lease's buyer and those who resold it at a loss have put aside for it.
inline int128 EscrowOf(const Lease& lease) {
  int128 sum = int128{lease.notional} + lease.surcharge;
  for (const Lease::Step& step : lease.steps) {
    if (step.got < step.paid) sum += Value(step.paid - step.got, lease.gpus, lease.minutes);
  }
  return sum;
}
// price x GPU-minutes x share / 10,000, down.
inline int64_t Earned(int64_t price, int64_t weight) {
  return static_cast<int64_t>(int128{price} * weight / 10'000);
}

// Zeros, or printable ASCII without space and then zeros.
inline bool IsText(const Bytes32& bytes) {
  bool ended = false;
  for (const uint8_t byte : bytes) {
    if (byte == 0) ended = true;
    if (byte != 0 && (ended || byte < 0x21 || byte > 0x7e)) return false;
  }
  return true;
}

}  // namespace warpbook::reference
