// DerivedBooks: the books as somebody sees them who has nothing but the engine's events: L3 from
// those of the orders, L2 from those of the levels, L1 as the best of L2. As naive as it can be. It
// also says where an event does not fit what came before it.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "schema/wire/record.h"

namespace warpbook::engine {

class DerivedBooks {
 public:
  struct Order {
    uint64_t id = 0, account = 0;
    uint32_t instrument = 0;
    int64_t price = 0;
    int32_t gpus = 0, remaining = 0, lock_minutes = 0;
    uint8_t side = 0, queue = 0;  // tier or assurance
  };
  struct Level {
    int64_t price = 0;
    int32_t gpus = 0, orders = 0;
    friend bool operator==(const Level&, const Level&) = default;
  };

  // All events of one command, in order.
  void Apply(std::span<const std::byte> events);

  // Ascending: those opened and not closed.
  const std::set<uint32_t>& instruments() const { return instruments_; }
  // L3: one side in matching order.
  std::vector<Order> Orders(uint32_t instrument, uint8_t side) const;
  // L2: from the best price.
  std::vector<Level> Levels(uint32_t instrument, uint8_t side) const;
  // L1: nothing where the side is empty.
  std::optional<Level> Best(uint32_t instrument, uint8_t side) const;
  // What did not fit; empty where everything did.
  const std::string& faults() const { return faults_; }

 private:
  using SideKey = std::pair<uint32_t, uint8_t>;  // instrument, side
  // By rank: the price for asks, minus the price for bids, so that the best comes first.
  static int64_t Rank(uint8_t side, int64_t price) { return side == 0 ? -price : price; }
  using Queues = std::array<std::list<uint64_t>, 3>;

  void On(const wire::OrderAccepted& event);
  void On(const wire::OrderFilled& event);
  void On(const wire::OrderAmended& event);
  void On(const wire::OrderCancelled& event);
  void On(const wire::InstrumentStateChanged& event);
  void On(const wire::BookLevelChanged& event);
  Order* Find(uint64_t id);
  void Join(const Order& order);
  void Leave(const Order& order);
  void Forget(uint64_t id);
  // After a run of level events: each side's best changed exactly where one of them was flagged.
  void CheckFlags();

  std::set<uint32_t> instruments_;
  std::map<uint64_t, Order> orders_;
  std::map<SideKey, std::map<int64_t, Queues>> queues_;
  std::map<SideKey, std::map<int64_t, Level>> levels_;
  // Of the run of level events that is being read.
  std::map<SideKey, std::optional<Level>> best_before_;
  std::set<SideKey> flagged_;
  std::string faults_;
};

}  // namespace warpbook::engine
