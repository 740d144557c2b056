// FinishedOrders: the orders that came to their end last, so that who has missed what became of one
// can ask. Kept are the last 1,024 of each account, and of all together the last 262,144: what is
// older is forgotten. Owned by MarketState.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/publish/market_rows.h"

namespace warpbook::gateway {

class FinishedOrders {
 public:
  static constexpr size_t kKeptPerAccount = 1'024;
  static constexpr size_t kKept = 262'144;

  // Takes in one whose id is new; `on_forgotten(order)` is told of the one that goes for it.
  template <typename OnForgotten>
  void Add(const FinishedOrder& order, OnForgotten&& on_forgotten) {
    Queue& of_account = by_account_[order.account];
    uint32_t place = of_account.first;
    if (of_account.count == kKeptPerAccount) {
      Forget(of_account, on_forgotten);
    } else if (entries_.size() == kKept) {
      place = oldest_;
      const AccountId account = entries_[place].order.account;
      Queue& queue = by_account_.find(account)->second;
      Forget(queue, on_forgotten);
      if (queue.count == 0 && account != order.account) by_account_.erase(account);
    } else {
      place = static_cast<uint32_t>(entries_.size());
      entries_.emplace_back();
    }
    entries_[place] = {.order = order, .older = newest_};
    (newest_ == kNone ? oldest_ : entries_[newest_].newer) = place;
    newest_ = place;
    (of_account.count == 0 ? of_account.first : entries_[of_account.last].next) = place;
    of_account.last = place;
    ++of_account.count;
    by_id_.emplace(order.id, place);
  }

  // Null where it is not known. Valid until the next Add.
  const FinishedOrder* Find(OrderId id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &entries_[found->second].order;
  }
  // Whether one of the account's goes in without another one of them being forgotten.
  bool HasRoomFor(AccountId account) const {
    const auto found = by_account_.find(account);
    return size() < kKept && (found == by_account_.end() || found->second.count < kKeptPerAccount);
  }
  size_t size() const { return entries_.size(); }
  // `visit(order)`, oldest first.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (uint32_t at = oldest_; at != kNone; at = entries_[at].newer) visit(entries_[at].order);
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  // Chained by their places: to those that finished before and after it, and to the next one of
  // its account.
  struct Entry {
    FinishedOrder order;
    uint32_t older = kNone, newer = kNone;
    uint32_t next = kNone;
  };
  struct Queue {
    uint32_t first = kNone, last = kNone;
    size_t count = 0;
  };

  // The account's oldest. Its place is free.
  template <typename OnForgotten>
  void Forget(Queue& of_account, OnForgotten& on_forgotten) {
    const Entry& entry = entries_[of_account.first];
    on_forgotten(entry.order);
    by_id_.erase(entry.order.id);
    (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
    (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
    of_account.first = entry.next;
    --of_account.count;
  }

  std::vector<Entry> entries_;
  uint32_t oldest_ = kNone, newest_ = kNone;
  absl::flat_hash_map<AccountId, Queue> by_account_;
  absl::flat_hash_map<OrderId, uint32_t> by_id_;
};

}  // namespace warpbook::gateway
