// Leases: every fill makes one, and its id is the trade's. The engine keeps what it needs to hold
// exposure and escrow and to judge lease messages; settlement keeps the rest. A settled lease is
// forgotten.
#pragma once

#include <cstdint>

#include "absl/container/btree_map.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

struct Account;
struct Node;

struct Lease {
  LeaseId id;
  InstrumentId instrument;
  Account* buyer = nullptr;
  Account* provider = nullptr;
  Node* node = nullptr;
  Price price;
  Quantity gpus;
  Minutes minutes;
  Credits notional;   // counts as the provider's exposure until the window ends
  Credits surcharge;  // notional + surcharge is the escrow
  Timestamp delivery_start, delivery_end;
  LeaseState state = LeaseState::kReserved;
  bool completed = false;  // the buyer has ended the dispute time

  // Whether its window is not over yet.
  bool open() const { return state == LeaseState::kReserved || state == LeaseState::kActive; }
};

// Ascending by id: those not settled yet.
using Leases = absl::btree_map<LeaseId, Lease>;

}  // namespace warpbook::engine
