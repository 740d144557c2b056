// Inspector: reads what an engine holds. It changes nothing.
#pragma once

#include <optional>
#include <vector>

#include "engine/core/engine.h"
#include "schema/types/enums.h"

namespace warpbook::engine {

struct InspectedAccount {
  OwnerId owner;
  AccountKind kind = AccountKind::kMember;
  Credits free, locked, escrow, owed, bonded_limit, exposure;
  uint32_t order_count = 0;
  size_t client_order_ids = 0;  // remembered
};

struct InspectedOrder {
  OrderId id;
  AccountId account;
  Price price;
  Quantity gpus, remaining;
  Minutes lock_minutes;
  uint8_t queue = 0;  // tier or assurance
};

struct InspectedNode {
  Quantity gpus;
  Assurance assurance = Assurance::kListed;
  bool approved = false;
};

struct InspectedInstrument {
  InstrumentId id;
  ClassId class_id;
  RegionId region_id;
  Timestamp window_start, window_end;
};

struct InspectedLease {
  LeaseId id;
  AccountId buyer, provider;
  LeaseState state = LeaseState::kReserved;
  Quantity gpus;
  Price price;
  size_t legs = 0;  // that resales left
};

class Inspector {
 public:
  explicit Inspector(const Engine& engine) : engine_(engine) {}

  size_t account_count() const;
  std::optional<InspectedAccount> FindAccount(AccountId id) const;
  std::optional<InspectedNode> FindNode(NodeId id) const;
  // nullopt once it is closed.
  std::optional<InstrumentState> FindInstrument(InstrumentId id) const;
  // Ascending by id: those not closed.
  std::vector<InspectedInstrument> Instruments() const;
  // One side's orders in matching order.
  std::vector<InspectedOrder> Queue(InstrumentId id, Side side) const;
  // Ascending by id: those not settled yet.
  std::vector<InspectedLease> Leases() const;
  size_t pending_requests() const;
  size_t resting_orders(Side side) const;

 private:
  const Engine& engine_;
};

}  // namespace warpbook::engine
