// Which leases can be settled by when: those that need a price, and those of which nothing was
// delivered, which need none and never wait for one. Settlement's worker thread owns it.
#pragma once

#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "settlement/leases/lease.h"

namespace warpbook::settlement {

class DueLeases {
 public:
  using Queue = absl::btree_set<std::pair<Timestamp, LeaseId>>;  // earliest first

  // Takes what the lease says of itself now; a settled one is forgotten.
  void Update(const Lease& lease) {
    const LeaseId id = lease.terms().id;
    if (const auto found = entries_.find(id); found != entries_.end()) {
      QueueOf(found->second.needs_price).erase({found->second.due, id});
      entries_.erase(found);
    }
    const auto due = lease.DueTime();
    if (!due) return;
    const bool needs_price = lease.VerifiedWeight() > 0;
    entries_[id] = {*due, needs_price};
    QueueOf(needs_price).insert({*due, id});
  }

  const Queue& needing_price() const { return needing_price_; }
  const Queue& needing_none() const { return needing_none_; }

 private:
  struct Entry {
    Timestamp due;
    bool needs_price = false;
  };
  Queue& QueueOf(bool needs_price) { return needs_price ? needing_price_ : needing_none_; }

  absl::flat_hash_map<LeaseId, Entry> entries_;
  Queue needing_price_, needing_none_;
};

}  // namespace warpbook::settlement
