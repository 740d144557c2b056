// Leases: every fill makes one, and its id is the trade's. The engine keeps what it needs to hold
// exposure and escrow and to judge lease messages; settlement keeps the rest. A settled lease is
// forgotten.
#pragma once

#include <cstdint>

#include "engine/core/block_pool.h"
#include "engine/core/id_index.h"
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
  // Its place among all leases, ascending by id.
  Lease* previous = nullptr;
  Lease* next = nullptr;

  // Whether its window is not over yet.
  bool open() const { return state == LeaseState::kReserved || state == LeaseState::kActive; }
};

// Those not settled yet.
class Leases {
 public:
  size_t size() const { return index_.size(); }
  // Null where there is no such lease, or none any more.
  Lease* Find(LeaseId id) const { return index_.Find(id); }
  // A new one; its id must be higher than all before.
  Lease& Add(LeaseId id) {
    Lease& added = *memory_.Acquire();
    added = Lease();
    added.id = id;
    added.previous = last_;
    (last_ == nullptr ? first_ : last_->next) = &added;
    last_ = &added;
    index_.Insert(&added);
    return added;
  }
  void Erase(Lease& lease) {
    (lease.previous == nullptr ? first_ : lease.previous->next) = lease.next;
    (lease.next == nullptr ? last_ : lease.next->previous) = lease.previous;
    index_.Erase(lease.id);
    memory_.Release(&lease);
  }
  // The one with the lowest id; Lease::next leads to the others, ascending.
  const Lease* first() const { return first_; }

 private:
  BlockPool<Lease> memory_;
  IdIndex<Lease> index_;
  Lease* first_ = nullptr;
  Lease* last_ = nullptr;
};

}  // namespace warpbook::engine
