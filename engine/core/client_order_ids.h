// ClientOrderIds: the engine's memory of client order ids, which are keys of idempotency: the same
// id of the same account with the same content is answered with the first outcome. An id is
// remembered while its order lives, and after that while it is among the account's last N that
// finished or finished within a time (EngineLimits). 1-market, Orders.
//
// Memory. A live id: 40 bytes, its account and number are the order's; it is reached from its order
// by a handle and leads back by the order's address. A finished one: 64 bytes, and 4 while it
// is young. Both: 4.6 to 6.9 bytes in the index (handle_index.h). An account that ever finished
// one: 12 bytes. Nothing else; an order without an id has no part in it.
//
// The index is keyed by a secret of the engine's owner (Engine's constructor): clients choose their
// ids, and must not be able to choose ones that collide. Which slot an id is in shows nowhere. Ids
// are kept masked by a number of the account's, made from the secret, so that the same id of two
// accounts is as different as two ids, though a live record does not name its account. (Were two
// masked ids the same all the same, which happens once in 2^64 pairs, the order still tells them
// apart.)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "engine/core/handle_index.h"
#include "engine/core/handle_pool.h"
#include "engine/core/order.h"
#include "engine/core/packed_client_order_id.h"
#include "schema/types/amounts.h"
#include "schema/types/client_order_id.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

// All that a client says of an order, but for its id, the deadline and whether it only wants it
// checked: those say how the command is to be treated, not what the order is.
struct OrderContent {
  Price price;
  Timestamp expires;
  NodeId node;
  LeaseId lease;
  InstrumentId instrument;
  Quantity gpus;
  Quantity min_fill;
  Side side = Side::kBuy;
  OrderType type = OrderType::kLimit;
  TimeInForce time_in_force = TimeInForce::kGtc;
  Tier tier = Tier::kPremium;
  Assurance min_assurance = Assurance::kListed;
  SelfTradePrevention self_trade_prevention = SelfTradePrevention::kCancelNewest;
  bool post_only = false;
};

// 55 bits of the content's XXH3-64, which are remembered in its place: as many as there is room for
// beside an address. They are only ever compared with those of the one order that has the same id:
// another content is taken for the same once in 2^55 times. A client that makes two contents
// collide gets the answer to its own other order, and harms nobody else.
inline constexpr int kFingerprintBits = 55;
uint64_t Fingerprint(const OrderContent& content);

class ClientOrderIds {
 public:
  // Of each kind, live and finished.
  static constexpr uint32_t kCountMax = HandleIndex::kHandleMax / 2;

  struct Remembered {
    OrderId order;
    uint64_t content = 0;
    bool live = true;
  };
  struct Finished {
    ClientOrderId id;
    OrderId order;
    uint64_t content = 0;
    Timestamp finished;
  };

  // A finished id stays while it is among its account's last `keep`, or not older than
  // `young_micros`.
  ClientOrderIds(uint32_t keep, int64_t young_micros, uint64_t secret)
      : keep_(keep), young_micros_(young_micros), secret_(secret) {}

  // Live ones and finished ones.
  size_t size() const { return index_.size(); }
  std::optional<Remembered> Find(AccountId account, const ClientOrderId& id) const;

  // The order takes an id that is not remembered, and stays where it is until Finish.
  void Add(Order& order, const ClientOrderId& id, uint64_t content);
  // Copies the id of an order that has one: 32 bytes, zeros behind.
  void CopyId(const Order& order, uint8_t* bytes) const {
    live_[order.client_order_handle].id.Masked(MaskOf(AccountOf(order))).CopyTo(bytes);
  }
  ClientOrderId IdOf(const Order& order) const {
    return Unpack(live_[order.client_order_handle].id, MaskOf(AccountOf(order)));
  }
  uint64_t content(const Order& order) const { return live_[order.client_order_handle].content(); }
  // An order that has an id leaves.
  void Finish(Order& order, Timestamp now);
  // Forgets what need not be remembered any more at this time.
  void ForgetOld(Timestamp now) {
    if (forgets(now)) ForgetAged(now);
  }
  // Whether there may be any.
  bool forgets(Timestamp now) const { return now.micros() > next_forgetting_; }

  size_t finished_count(AccountId account) const;
  // The account's finished ones, in the order in which they finished.
  template <typename Visit>
  void ForEachFinished(AccountId account, Visit&& visit) const {
    if (account.value() > queues_.size()) return;
    const uint64_t mask = MaskOf(account);
    for (uint32_t at = queues_[account.value() - 1].first; at != 0; at = finished_[at].next) {
      const FinishedRecord& record = finished_[at];
      visit(Finished{Unpack(record.id, mask), record.order, record.content, record.finished});
    }
  }

  // For a restored engine: finished ones, each account's in their order, none of them remembered
  // yet. When all are there: Restored. Whether the id was not remembered before.
  bool AddFinished(AccountId account, const Finished& finished);
  void Restored(Timestamp now);

 private:
  // The order's address, a multiple of 64 below 2^47, and the fingerprint share 96 bits.
  struct LiveRecord {
    static constexpr int kLowBits = 32;
    static constexpr int kHighBits = kFingerprintBits - kLowBits;

    PackedClientOrderId id;  // masked
    uint32_t content_low = 0;
    uint64_t order_and_content_high = 0;

    void Set(const Order& order, uint64_t content);
    const Order& order() const {
      return *std::bit_cast<const Order*>(order_and_content_high >> kHighBits << 6);
    }
    uint64_t content() const {
      return (order_and_content_high & ((uint64_t{1} << kHighBits) - 1)) << kLowBits | content_low;
    }
  };
  static_assert(sizeof(LiveRecord) == 40);
  struct FinishedRecord {
    PackedClientOrderId id;  // masked
    uint32_t account = 0;
    OrderId order;
    uint64_t content = 0;
    Timestamp finished;
    uint32_t next = 0;  // the account's next to have finished; 0: none
  };
  static_assert(sizeof(FinishedRecord) == 64);
  // An account's finished ones.
  struct Queue {
    uint32_t first = 0, last = 0, count = 0;
  };
  // What the index holds: an even number for a live one, an odd one for a finished one.
  static uint32_t LiveEntry(uint32_t handle) { return handle * 2; }
  static uint32_t FinishedEntry(uint32_t handle) { return handle * 2 + 1; }

  static AccountId AccountOf(const Order& order);
  // SplitMix64's finalizer: every account's is another one.
  uint64_t MaskOf(AccountId account) const {
    uint64_t mixed = account.value() ^ secret_;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
    return mixed ^ mixed >> 31;
  }
  PackedClientOrderId Pack(AccountId account, const ClientOrderId& id) const {
    return PackedClientOrderId(id).Masked(MaskOf(account));
  }
  static ClientOrderId Unpack(const PackedClientOrderId& masked, uint64_t mask);
  uint64_t Hash(const PackedClientOrderId& masked) const;
  uint64_t HashOfEntry(uint32_t entry) const;
  uint32_t FindEntry(AccountId account, const PackedClientOrderId& masked, uint64_t hash) const;
  void Append(AccountId account, uint32_t finished_handle);
  // Forgets the account's oldest while they are beyond the last `keep` and not young.
  void Trim(uint32_t account, Timestamp now);
  void ForgetAged(Timestamp now);

  const uint32_t keep_;
  const int64_t young_micros_;
  const uint64_t secret_;
  HandlePool<LiveRecord> live_;
  HandlePool<FinishedRecord> finished_;
  HandleIndex index_;
  std::vector<Queue> queues_;  // by account id - 1
  // The finished ones that are young, as they finished. A young one is never forgotten.
  std::deque<uint32_t> young_;
  // After this time the oldest of them is young no more; none: never.
  int64_t next_forgetting_ = std::numeric_limits<int64_t>::max();
};

}  // namespace warpbook::engine
