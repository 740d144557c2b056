// Leases: every fill makes one, and its id is the trade's. The engine keeps what it needs to hold
// exposure and escrow and to judge lease messages; settlement keeps the rest. A settled lease is
// forgotten, and so is one whose GPUs have all been resold.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/block_pool.h"
#include "engine/core/id_index.h"
#include "schema/types/amounts.h"
#include "schema/types/enums.h"
#include "schema/types/ids.h"
#include "schema/types/timestamp.h"

namespace warpbook::engine {

struct Account;
struct Node;

// What a resale at another price left behind, per GPU-hour. A gain (> 0) is paid to the trader out
// of the lease's escrow, in proportion to what is delivered; a loss (< 0) is the trader's own part
// of that escrow. Never 0.
struct ResaleLeg {
  Account* trader = nullptr;
  Price difference;
};
// The most that EngineLimits::resales_per_lease_max may be.
inline constexpr size_t kResaleLegsMax = 8;
struct ResaleLegs {
  std::array<ResaleLeg, kResaleLegsMax> legs;
  size_t count = 0;
};

// Invariants: price = provider_price + the differences of the legs; resale_open <= gpus.
struct alignas(64) Lease {
  LeaseId id;
  InstrumentId instrument;
  Account* buyer = nullptr;
  Account* provider = nullptr;
  Node* node = nullptr;
  Price price;           // that the buyer pays
  Price provider_price;  // that the provider is paid; so valued the lease counts as its exposure
  Quantity gpus;
  Minutes minutes;
  Credits notional;   // price x GPUs x minutes
  Credits surcharge;  // notional + surcharge is the buyer's escrow
  Timestamp delivery_start, delivery_end;
  LeaseState state = LeaseState::kReserved;
  bool completed = false;                    // the buyer has ended the dispute time
  Assurance assurance = Assurance::kListed;  // of the ask, and so of one that resells it
  // Once it is disputed.
  Timestamp disputed;
  Credits deposit;         // of the buyer, in escrow beside the notional and the surcharge
  int32_t share = 10'000;  // at which the delivered minutes count, as judged
  DisputeVerdict verdict = DisputeVerdict::kNone;  // as judged
  Quantity resale_open;                            // GPUs in open asks that resell it
  ResaleLegs* resales = nullptr;                   // null: no legs
  // Its place among all leases, ascending by id.
  Lease* previous = nullptr;
  Lease* next = nullptr;

  // Whether its window is not over yet.
  bool open() const { return state == LeaseState::kReserved || state == LeaseState::kActive; }
  // Oldest first.
  std::span<const ResaleLeg> legs() const {
    if (resales == nullptr) return {};
    return std::span(resales->legs).first(resales->count);
  }
};

// What settling a lease left unpaid: credits in the owed bucket of those who paid for it, in the
// order in which they pay.
struct OwedShare {
  Account* payer = nullptr;
  Credits left;  // > 0
};
// The buyer and the traders who resold it at a loss.
inline constexpr size_t kOwedSharesMax = kResaleLegsMax + 1;
struct OwedLease {
  Account* provider = nullptr;
  std::vector<OwedShare> shares;  // at least one
  Credits left() const {
    Credits sum;
    for (const OwedShare& share : shares) sum += share.left;
    return sum;
  }
};

// Those that are not over yet.
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
  // Gives a lease that has none the legs of another one, and one more where its difference is not
  // 0.
  void SetLegs(Lease& lease, std::span<const ResaleLeg> earlier, const ResaleLeg& last) {
    const bool differs = last.difference != Price(0);
    if (earlier.empty() && !differs) return;
    lease.resales = legs_memory_.Acquire();
    std::ranges::copy(earlier, lease.resales->legs.begin());
    lease.resales->count = earlier.size();
    if (differs) lease.resales->legs[lease.resales->count++] = last;
  }
  void Erase(Lease& lease) {
    if (lease.resales != nullptr) legs_memory_.Release(lease.resales);
    (lease.previous == nullptr ? first_ : lease.previous->next) = lease.next;
    (lease.next == nullptr ? last_ : lease.next->previous) = lease.previous;
    index_.Erase(lease.id);
    memory_.Release(&lease);
  }
  // The one with the lowest id; Lease::next leads to the others, ascending.
  const Lease* first() const { return first_; }

 private:
  BlockPool<Lease> memory_;
  BlockPool<ResaleLegs> legs_memory_;
  IdIndex<Lease> index_;
  Lease* first_ = nullptr;
  Lease* last_ = nullptr;
};

}  // namespace warpbook::engine
